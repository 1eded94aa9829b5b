"""Tune a threshold a class on validation data, for macro-F1 or for recall."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from strategies.adjust.offsets import plus
from strategies.adjust.threshold_metric import Objective, measured, recalls
from strategies.adjust.threshold_search import AFTER
from strategies.labels import IGNORED
from strategies.registry import register
from strategies.strategy import Adjustment, AdjustmentInputs, Strategy

SWEEPS = 20
"""Most passes over the classes; a few are enough as a rule."""
FAR = 1e30
"""What infinite logits count as."""
EQUAL = 1e-9
"""Measures nearer than this are equal: sums of many steps round."""
ROUNDS = 200
"""Of evening out recalls."""


@register
@dataclass(frozen=True)
class Thresholds(Strategy):
    """The class of largest `z_c + b_c` is predicted, where the offsets b are tuned on validation data for an objective.

    As folklore tunes one threshold of two classes for F1 (Lipton, Elkan & Narayanaswamy 2014, ECML; Esposito et al. 2021,
    JCIM): from b = 0, each class in turn gets the offset that is best given the others', found exactly among all cuts
    of its margins, the nearest to 0 of equals, until none improves. So the objective is never lower on validation than of
    the raw logits, and for two classes it is the largest there is; for more it may be a local optimum. Where the worst
    recall counts, one class alone can seldom raise it, so recalls are first evened out in small steps, all at once.

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

    objective: Objective = "macro-f1"
    name: ClassVar[str] = "thresholds"
    title: ClassVar[str] = "an offset on each class's logit, tuned on validation data for macro-F1 or for recall"
    formula: ClassVar[str] = "argmax_c z_c + b_c, b by coordinate ascent on validation macro-F1"
    paper: ClassVar[str] = "Lipton et al. (2014), ECML PKDD"
    cost: ClassVar[str] = "after training: a few sorts of the validation logits for each class"
    folder: ClassVar[str] = "adjust"

    def adjust(self, inputs: AdjustmentInputs) -> Adjustment:
        logits, targets = inputs.valid_logits.detach().cpu(), inputs.valid_targets.cpu()
        usable = (targets != IGNORED) & ~logits.isnan().any(-1)
        return plus(tuned(logits[usable], targets[usable], self.objective))


def tuned(logits: Tensor, targets: Tensor, objective: Objective = "macro-f1") -> Tensor:
    """The offsets `(C,)` float64, by coordinate ascent: `logits (L, C)` without NaN, `targets (L,)`, both on the CPU."""
    classes = logits.shape[-1]
    offsets = torch.zeros(classes, dtype=torch.float64)
    if not len(targets):
        return offsets

    def score(offsets: Tensor) -> float:
        return measured(objective, targets, plus(offsets)(logits).argmax(-1), classes)

    if objective == "worst-class-recall":
        offsets = max(evened_out(logits, targets), key=score)
    clamped = logits.double().clamp(-FAR, FAR)
    best, unimproved = score(offsets), 0
    for turn in range(SWEEPS * classes):
        tried, one = offsets.clone(), turn % classes
        tried[one] = best_offset(clamped, targets, offsets, one, objective)
        # Measured on the adjusted logits themselves: what rounding does to a cut must not lower the score.
        found = score(tried)
        unimproved = 0 if found > best + EQUAL else unimproved + 1
        if not unimproved:
            offsets, best = tried, found
        elif unimproved == classes:
            break
    return offsets


def evened_out(logits: Tensor, targets: Tensor) -> Iterator[Tensor]:
    """Offsets `(C,)` on the way from 0 to equal recalls: in each round classes gain as far as their recall is below the mean.

    The steps become smaller, as in the method of multiplicative weights, of which these are the logarithms.
    """
    offsets = torch.zeros(logits.shape[-1], dtype=torch.float64)
    for turn in range(ROUNDS):
        yield offsets
        found = recalls(targets, plus(offsets)(logits).argmax(-1), logits.shape[-1])
        offsets = offsets + (found.nanmean() - found).nan_to_num(0.0) / (1 + turn / 20)


def best_offset(logits: Tensor, targets: Tensor, offsets: Tensor, one: int, objective: Objective = "macro-f1") -> float:
    """The offset of class `one` that is best given the others' `offsets (C,)`; the nearest to 0 of equals."""
    others = logits + offsets
    others[:, one] = -torch.inf
    highest, rival = others.max(-1)
    margin = highest - logits[:, one]
    order = torch.from_numpy(margin.numpy().argsort())  # some times as fast as torch's
    margin = margin[order]
    reached = AFTER[objective](targets[order], rival[order], one, logits.shape[-1])
    apart = torch.ones(len(reached), dtype=torch.bool)
    apart[1:-1] = margin[1:] > margin[:-1]  # equal margins are taken together
    below, above = torch.cat([margin[:1] - 2, margin]), torch.cat([margin, margin[-1:] + 2])
    middle = torch.where((below < 0) & (above > 0), 0.0, (below + above) / 2)
    best = apart & (reached >= reached[apart].max() - EQUAL)
    return float(middle[best][middle[best].abs().argmin()])
