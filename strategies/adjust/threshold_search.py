"""What an objective comes to as items are moved, one after the other, from the classes they are predicted as to one class.

`targets (L,)` and `rival (L,)`, what an item is predicted as before, stand in the order of moving; results `(L + 1,)` float64
are of none moved, one, and so on to all. A move changes the measures of its rival and of the one class alone, so running sums
are enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from strategies.adjust.threshold_metric import Objective


@dataclass(frozen=True)
class _Rivals:
    """Of each item, as it is moved: labels and hits that its rival still has, and whether it is one of these hits, `(L,)` each.

    Of each class before any move: labels predicted and hits, `(C,)` each.
    """

    held: Tensor
    hits: Tensor
    right: Tensor
    all_held: Tensor
    all_hits: Tensor

    @classmethod
    def of(cls, targets: Tensor, rival: Tensor, classes: int) -> _Rivals:
        by_rival = rival.to(torch.uint8 if classes <= 256 else torch.int32).argsort(stable=True)
        rivals, right = rival[by_rival], (targets == rival).long()
        all_held = torch.bincount(rival, minlength=classes)
        all_hits = torch.bincount(rival[right.bool()], minlength=classes)
        first = all_held.cumsum(0) - all_held
        of_rival = right[by_rival]
        before = of_rival.cumsum(0) - of_rival  # hits among what stands before, of this rival and the ones before it
        held, hits = torch.empty_like(rivals), torch.empty_like(rivals)
        held[by_rival] = (all_held + first)[rivals] - torch.arange(len(rivals))
        hits[by_rival] = all_hits.cumsum(0)[rivals] - before
        return cls(held, hits, right, all_held, all_hits)


def macro_f1_after(targets: Tensor, rival: Tensor, one: int, classes: int) -> Tensor:
    """Macro-F1."""
    actual, rivals = torch.bincount(targets, minlength=classes), _Rivals.of(targets, rival, classes)
    of_rival = actual[rival]
    before = _f1(rivals.hits, rivals.held, of_rival)
    after = _f1(rivals.hits - rivals.right, rivals.held - 1, of_rival)
    of_others = _f1(rivals.all_hits, rivals.all_held, actual).sum() + _running(after - before)
    moved = torch.arange(len(targets) + 1)
    return (_f1(_running(targets == one), moved, actual[one]) + of_others) / classes


def balanced_accuracy_after(targets: Tensor, rival: Tensor, one: int, classes: int) -> Tensor:
    """Mean recall over the classes that occur."""
    actual = torch.bincount(targets, minlength=classes)
    counts = 1 / (actual.clamp_min(1).double() * (actual > 0).sum())[targets]
    right = targets == rival
    return counts[right].sum() + _running(counts * ((targets == one).double() - right.double()))


def worst_recall_after(targets: Tensor, rival: Tensor, one: int, classes: int) -> Tensor:
    """The smallest recall of a class that occurs; the others' only fall, so their smallest is the lowest yet."""
    actual, rivals = torch.bincount(targets, minlength=classes), _Rivals.of(targets, rival, classes)
    before = (rivals.all_hits / actual.double()).nan_to_num(torch.inf)
    before[one] = torch.inf
    after = ((rivals.hits - rivals.right) / actual[rival].double()).nan_to_num(torch.inf)
    of_others = torch.cat([before.min().unsqueeze(0), after]).cummin(0).values
    return torch.minimum(of_others, (_running(targets == one) / actual[one].double()).nan_to_num(torch.inf))


AFTER: dict[Objective, Callable[[Tensor, Tensor, int, int], Tensor]] = {
    "macro-f1": macro_f1_after,
    "balanced-accuracy": balanced_accuracy_after,
    "worst-class-recall": worst_recall_after,
}


def _running(changes: Tensor) -> Tensor:
    """Their sum after none, one, and so on to all."""
    return torch.cat([changes.new_zeros(1), changes]).cumsum(0)


def _f1(hits: Tensor, predicted: Tensor, actual: Tensor) -> Tensor:
    """F1 from counts, float64; 0 where nothing is predicted and nothing occurs."""
    return 2 * hits.double() / (predicted + actual).clamp_min(1)
