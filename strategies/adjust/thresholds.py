"""Tune one threshold per class on validation data, for macro-F1 or for recall."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from strategies.adjust.offsets import plus
from strategies.adjust.threshold_metric import ThresholdMetric, recalls, score_predictions
from strategies.adjust.threshold_search import METRIC_AFTER_MOVES
from strategies.labels import IGNORED
from strategies.registry import register
from strategies.strategy import Adjustment, AdjustmentInputs, Strategy

SWEEPS = 20
"""Most passes over the classes; a few are usually enough."""
FAR = 1e30
"""Value that replaces infinite logits."""
EQUAL = 1e-9
"""Values of a metric that differ by less are equal, because sums of many steps round."""
ROUNDS = 200
"""Rounds of evening out recalls."""


@register
@dataclass(frozen=True)
class Thresholds(Strategy):
    """Predict the class of largest `z_c + b_c`, with offsets b that are tuned on validation data for a metric.

    From b = 0, each class in turn gets the offset that is best given those of the others, found exactly among all cuts of its
    margins (the nearest to 0 of equally good ones), until no class improves. So the metric on validation is never lower than
    that of the raw logits; for two classes it is the best possible, for more it may be a local optimum. For the worst class's
    recall, recalls are first evened out in small steps, all classes at once, because one class alone can seldom raise it.

    Parameters
    ----------
    objective : {"macro-f1", "balanced-accuracy", "worst-class-recall"}, default "macro-f1"
        The metric to tune for.

    References
    ----------
    Folklore for several classes. For one threshold of two classes:
    Lipton, Elkan and Narayanaswamy (2014), "Optimal thresholding of classifiers to maximize F1 measure", ECML PKDD.
    Esposito et al. (2021), "GHOST: adjusting the decision threshold to handle imbalanced data in machine learning", JCIM.

    Examples
    --------
    >>> logits, targets = torch.tensor([[3.0, 0.0], [2.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 0, 1])
    >>> from strategies import AdjustmentInputs, Head
    >>> inputs = AdjustmentInputs(
    ...     head=Head(torch.eye(2), torch.zeros(2)),
    ...     train_prior=None,
    ...     target_prior=torch.tensor([0.5, 0.5]),
    ...     valid_logits=logits,
    ...     valid_targets=targets,
    ... )
    >>> adjust = Thresholds().adjust(inputs)
    >>> adjust(logits).argmax(-1).tolist()
    [0, 0, 1]
    """

    objective: ThresholdMetric = "macro-f1"
    name: ClassVar[str] = "thresholds"
    title: ClassVar[str] = "an offset on each class's logit, tuned on validation data for macro-F1 or for recall"
    formula: ClassVar[str] = "argmax_c z_c + b_c, b by coordinate ascent on validation macro-F1"
    paper: ClassVar[str] = "Lipton et al. (2014), ECML PKDD"
    cost: ClassVar[str] = "after training: a few sorts of the validation logits for each class"
    folder: ClassVar[str] = "adjust"

    def adjust(self, inputs: AdjustmentInputs) -> Adjustment:
        logits, targets = inputs.valid_logits.detach().cpu(), inputs.valid_targets.cpu()
        usable = (targets != IGNORED) & ~logits.isnan().any(-1)
        return plus(tune_offsets(logits[usable], targets[usable], self.objective))


def tune_offsets(logits: Tensor, targets: Tensor, metric: ThresholdMetric = "macro-f1") -> Tensor:
    """Return the best offsets, `(C,)` float64, by coordinate ascent.

    Parameters
    ----------
    logits : Tensor
        `(L, C)` on the CPU, without NaN.
    targets : Tensor
        `(L,)` class ids on the CPU.
    metric : {"macro-f1", "balanced-accuracy", "worst-class-recall"}, default "macro-f1"
        What the offsets maximise.
    """
    classes = logits.shape[-1]
    offsets = torch.zeros(classes, dtype=torch.float64)
    if not len(targets):
        return offsets

    def score(offsets: Tensor) -> float:
        return score_predictions(metric, targets, plus(offsets)(logits).argmax(-1), classes)

    if metric == "worst-class-recall":
        offsets = max(even_out_recalls(logits, targets), key=score)
    clamped = logits.double().clamp(-FAR, FAR)
    best, unimproved = score(offsets), 0
    for turn in range(SWEEPS * classes):
        one = turn % classes
        changed = offsets.clone()
        changed[one] = best_offset(clamped, targets, offsets, one, metric)
        # Scored on the adjusted logits themselves: rounding of a cut must not lower the metric.
        reached = score(changed)
        unimproved = 0 if reached > best + EQUAL else unimproved + 1
        if not unimproved:
            offsets, best = changed, reached
        elif unimproved == classes:
            break
    return offsets


def even_out_recalls(logits: Tensor, targets: Tensor) -> Iterator[Tensor]:
    """Yield offsets `(C,)` on the way from 0 to equal recalls; in each round, classes gain as far as their recall is below the
    mean.

    The steps become smaller, as in the method of multiplicative weights, of which these are the logarithms.
    """
    offsets = torch.zeros(logits.shape[-1], dtype=torch.float64)
    for turn in range(ROUNDS):
        yield offsets
        by_class = recalls(targets, plus(offsets)(logits).argmax(-1), logits.shape[-1])
        offsets = offsets + (by_class.nanmean() - by_class).nan_to_num(0.0) / (1 + turn / 20)


def best_offset(
    logits: Tensor, targets: Tensor, offsets: Tensor, one: int, metric: ThresholdMetric = "macro-f1"
) -> float:
    """Return the best offset of class `one`, given the `offsets (C,)` of the others; the nearest to 0 of equally good ones."""
    others = logits + offsets
    others[:, one] = -torch.inf
    highest, rival = others.max(-1)
    margin = highest - logits[:, one]
    order = torch.from_numpy(margin.numpy().argsort())  # several times faster than torch's sort
    margin = margin[order]
    reached = METRIC_AFTER_MOVES[metric](targets[order], rival[order], one, logits.shape[-1])
    apart = torch.ones(len(reached), dtype=torch.bool)
    apart[1:-1] = margin[1:] > margin[:-1]  # items of equal margins move together
    below, above = torch.cat([margin[:1] - 2, margin]), torch.cat([margin, margin[-1:] + 2])
    middle = torch.where((below < 0) & (above > 0), 0.0, (below + above) / 2)
    best = apart & (reached >= reached[apart].max() - EQUAL)
    return float(middle[best][middle[best].abs().argmin()])
