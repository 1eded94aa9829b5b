"""Tune a threshold a class on validation data, for macro-F1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from strategies.adjust.macro_f1 import macro_f1
from strategies.adjust.offsets import plus
from strategies.labels import IGNORED
from strategies.registry import register
from strategies.strategy import Adjustment, Head, Strategy

SWEEPS = 20
"""Most passes over the classes; a few are enough as a rule."""
FAR = 1e30
"""What infinite logits count as."""
EQUAL = 1e-9
"""Macro-F1s nearer than this are equal: sums of many steps round."""


@register
@dataclass(frozen=True)
class Thresholds(Strategy):
    """The class of largest `z_c + b_c` is predicted, where the offsets b are tuned on validation data for macro-F1.

    As folklore tunes one threshold of two classes for F1 (Lipton, Elkan & Narayanaswamy 2014, ECML; Esposito et al. 2021,
    JCIM): from b = 0, each class in turn gets the offset that is best given the others', found exactly among all cuts
    of its margins, the nearest to 0 of equals, until none improves. So validation macro-F1 is never lower than of the
    raw logits, and for two classes it is the largest there is; for more it may be a local optimum.

    >>> logits, targets = torch.tensor([[3.0, 0.0], [2.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 0, 1])
    >>> adjust = Thresholds().adjust(Head(torch.eye(2), torch.zeros(2)), train_prior=None, target_prior=torch.ones(2) / 2,
    ...     valid_logits=logits, valid_targets=targets)
    >>> adjust(logits).argmax(-1).tolist()
    [0, 0, 1]
    """

    name: ClassVar[str] = "thresholds"
    title: ClassVar[str] = "an offset on each class's logit, tuned on validation data for macro-F1"
    formula: ClassVar[str] = "argmax_c z_c + b_c, b by coordinate ascent on validation macro-F1"
    paper: ClassVar[str] = "Lipton et al. (2014), ECML PKDD"
    cost: ClassVar[str] = "a sort of the validation logits a class, some times"
    folder: ClassVar[str] = "adjust"

    def adjust(
        self,
        head: Head,
        *,
        train_prior: Tensor | None,
        target_prior: Tensor,
        valid_logits: Tensor,
        valid_targets: Tensor,
    ) -> Adjustment:
        usable = (valid_targets != IGNORED) & ~valid_logits.isnan().any(-1)
        return plus(tuned(valid_logits[usable], valid_targets[usable]))


def tuned(logits: Tensor, targets: Tensor) -> Tensor:
    """The offsets `(C,)` float64, by coordinate ascent: `logits (L, C)` without NaN, `targets (L,)`."""
    classes = logits.shape[-1]
    offsets = torch.zeros(classes, dtype=torch.float64, device=logits.device)
    if not len(targets):
        return offsets

    def score(offsets: Tensor) -> float:
        return macro_f1(targets, plus(offsets)(logits).argmax(-1), classes)

    clamped = logits.double().clamp(-FAR, FAR)
    best, unimproved = score(offsets), 0
    for turn in range(SWEEPS * classes):
        tried, one = offsets.clone(), turn % classes
        tried[one] = best_offset(clamped, targets, offsets, one)
        # Measured on the adjusted logits themselves: what rounding does to a cut must not lower the score.
        found = score(tried)
        unimproved = 0 if found > best + EQUAL else unimproved + 1
        if not unimproved:
            offsets, best = tried, found
        elif unimproved == classes:
            break
    return offsets


def best_offset(logits: Tensor, targets: Tensor, offsets: Tensor, one: int) -> float:
    """The offset of class `one` of the largest macro-F1 given the others' `offsets (C,)`; the nearest to 0 of equals."""
    others = logits + offsets
    others[:, one] = -torch.inf
    highest, rival = others.max(-1)
    margin, order = (highest - logits[:, one]).sort(stable=True)
    f1 = f1_after_cuts(targets[order], rival[order], one, logits.shape[-1])
    apart = torch.ones(len(f1), dtype=torch.bool, device=f1.device)
    apart[1:-1] = margin[1:] > margin[:-1]  # equal margins are taken together
    below, above = torch.cat([margin[:1] - 2, margin]), torch.cat([margin, margin[-1:] + 2])
    middle = torch.where((below < 0) & (above > 0), 0.0, (below + above) / 2)
    best = apart & (f1 >= f1[apart].max() - EQUAL)
    return float(middle[best][middle[best].abs().argmin()])


def f1_after_cuts(targets: Tensor, rival: Tensor, one: int, classes: int) -> Tensor:
    """Macro-F1 `(L + 1,)` where the first 0, 1, ..., L items are predicted as class `one`, the rest as their `rival (L,)`.

    Moving an item to `one` changes the F1s of `one` and of its rival alone, so a running sum of these changes is enough.
    """
    items = len(targets)
    actual = torch.bincount(targets, minlength=classes)
    moved = torch.arange(items + 1, device=targets.device)
    hits = torch.cat([moved[:1], (targets == one).cumsum(0)])
    of_one = f1_of(hits, moved, actual[one])

    by_rival = rival.argsort(stable=True)
    rivals, right = rival[by_rival], (targets == rival)[by_rival].long()
    held = torch.bincount(rival, minlength=classes)
    first = (held.cumsum(0) - held)[rivals]
    rank = moved[:-1] - first  # items of this rival that were moved before
    right_before = right.cumsum(0) - right
    right_of_rival = torch.zeros_like(held).index_add_(0, rivals, right)
    hits_before = right_of_rival[rivals] - (right_before - right_before[first])
    before = f1_of(hits_before, held[rivals] - rank, actual[rivals])
    after = f1_of(hits_before - right, held[rivals] - rank - 1, actual[rivals])
    change = torch.empty_like(before)
    change[by_rival] = after - before
    of_others = f1_of(right_of_rival, held, actual).sum() + torch.cat([change.new_zeros(1), change.cumsum(0)])
    return (of_one + of_others) / classes


def f1_of(hits: Tensor, predicted: Tensor, actual: Tensor) -> Tensor:
    """F1 from counts, float64; 0 where nothing is predicted and nothing occurs."""
    return 2 * hits.double() / (predicted + actual).clamp_min(1)
