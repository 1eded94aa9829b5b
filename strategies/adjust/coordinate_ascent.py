"""Offsets that are best for a metric on given labels, one class after another."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from strategies.adjust.offsets import reorder
from strategies.adjust.threshold_metric import ThresholdMetric, recalls, score_predictions
from strategies.adjust.threshold_search import METRIC_AFTER_MOVES

SWEEPS = 20
"""Most passes over the classes; a few are usually enough."""
FAR = 1e30
"""Value that replaces infinite logits."""
EQUAL = 1e-9
"""Values of a metric that differ by less are equal, because sums of many steps round."""
ROUNDS = 200
"""Rounds of evening out recalls."""


def tune_offsets(
    logits: Tensor,
    targets: Tensor,
    metric: ThresholdMetric = "macro-f1",
    weights: Tensor | None = None,
    neutral: Tensor | None = None,
) -> Tensor:
    """Return the best offsets, `(C,)` float64, by coordinate ascent.

    Parameters
    ----------
    logits : Tensor
        `(L, C)` on the CPU, without NaN.
    targets : Tensor
        `(L,)` class ids on the CPU.
    metric : {"macro-f1", "balanced-accuracy", "worst-class-recall"}, default "macro-f1"
        What the offsets maximise.
    weights : Tensor, optional
        `(L,)` float64 above 0; by default, all labels count alike.
    neutral : Tensor, optional
        `(C,)` bool, classes whose offset stays 0; see `strategies.adjust.offsets.reorder`.
    """
    classes = logits.shape[-1]
    offsets = torch.zeros(classes, dtype=torch.float64)
    neutral = torch.zeros(classes, dtype=torch.bool) if neutral is None else neutral
    tuned: list[int] = (~neutral).nonzero().flatten().tolist()
    if not len(targets) or len(tuned) < 2:
        return offsets
    weights = torch.ones(len(targets), dtype=torch.float64) if weights is None else weights

    def score(offsets: Tensor) -> float:
        return score_predictions(metric, targets, reorder(offsets, neutral)(logits).argmax(-1), classes, weights)

    if metric == "worst-class-recall":
        offsets = max(even_out_recalls(logits, targets, weights, neutral), key=score)
    clamped = _out_of_reach(logits.double().clamp(-FAR, FAR), logits.argmax(-1), neutral)
    best, unimproved = score(offsets), 0
    for turn in range(SWEEPS * len(tuned)):
        one = tuned[turn % len(tuned)]
        changed = offsets.clone()
        changed[one] = best_offset(clamped, targets, offsets, one, metric, weights)
        # Scored on the adjusted logits themselves: rounding of a cut must not lower the metric.
        reached = score(changed)
        unimproved = 0 if reached > best + EQUAL else unimproved + 1
        if not unimproved:
            offsets, best = changed, reached
        elif unimproved == len(tuned):
            break
    return offsets


def _out_of_reach(logits: Tensor, predicted: Tensor, neutral: Tensor) -> Tensor:
    """Return the logits `(L, C)` with those of neutral classes so high where they are predicted, and elsewhere so low, that no
    offset of another class changes it."""
    logits[:, neutral] = -FAR
    kept = neutral[predicted].nonzero().flatten()
    logits[kept, predicted[kept]] = FAR
    return logits


def even_out_recalls(logits: Tensor, targets: Tensor, weights: Tensor, neutral: Tensor) -> Iterator[Tensor]:
    """Yield offsets `(C,)` on the way from 0 to equal recalls; in each round, classes gain as far as their recall is below the
    mean.

    The steps become smaller, as in the method of multiplicative weights, of which these are the logarithms.
    """
    offsets = torch.zeros(logits.shape[-1], dtype=torch.float64)
    for turn in range(ROUNDS):
        yield offsets
        predicted = reorder(offsets, neutral)(logits).argmax(-1)
        by_class = recalls(targets, predicted, logits.shape[-1], weights).masked_fill(neutral, torch.nan)
        offsets = offsets + (by_class.nanmean() - by_class).nan_to_num(0.0) / (1 + turn / 20)


def best_offset(
    logits: Tensor,
    targets: Tensor,
    offsets: Tensor,
    one: int,
    metric: ThresholdMetric = "macro-f1",
    weights: Tensor | None = None,
) -> float:
    """Return the best offset of class `one`, given the `offsets (C,)` of the others; the nearest to 0 of equally good ones.

    Labels at which a finite offset changes nothing, because a logit is infinite, keep their prediction.
    """
    weights = torch.ones(len(targets), dtype=torch.float64) if weights is None else weights
    others = logits + offsets
    others[:, one] = -torch.inf
    highest, rival = others.max(-1)
    margin = highest - logits[:, one]
    order = torch.from_numpy(margin.numpy().argsort())  # several times faster than torch's sort
    margin = margin[order]
    reached = METRIC_AFTER_MOVES[metric](targets[order], rival[order], one, logits.shape[-1], weights[order])
    always, moving = int((margin <= -FAR / 2).sum()), int((margin < FAR / 2).sum())
    if always == moving:
        return float(offsets[one])
    margin, reached = margin[always:moving], reached[always : moving + 1]
    apart = torch.ones(len(reached), dtype=torch.bool)
    apart[1:-1] = margin[1:] > margin[:-1]  # items of equal margins move together
    below, above = torch.cat([margin[:1] - 2, margin]), torch.cat([margin, margin[-1:] + 2])
    middle = torch.where((below < 0) & (above > 0), 0.0, (below + above) / 2)
    best = apart & (reached >= reached[apart].max() - EQUAL)
    return float(middle[best][middle[best].abs().argmin()])
