"""Values of a metric as items move, one after another, from the classes they are predicted as to one class.

`targets (L,)` and `rival (L,)`, the class that an item is predicted as before it moves, are in the order of moving. Results
`(L + 1,)` float64 are the metric after no move, one move, and so on to all moves. A move changes the counts of its rival and
of the one class only, so running sums are enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from strategies.adjust.threshold_metric import ThresholdMetric


@dataclass(frozen=True)
class _Rivals:
    """Counts of the rivals' predictions before each move, all int64.

    `predicted (L,)` and `hits (L,)` are the labels that are predicted as the item's rival just before it moves, and those of
    them that are right; `is_hit (L,)` is whether the item is one of these. `all_predicted (C,)` and `all_hits (C,)` are the
    same counts per class before any move.
    """

    predicted: Tensor
    hits: Tensor
    is_hit: Tensor
    all_predicted: Tensor
    all_hits: Tensor

    @classmethod
    def of(cls, targets: Tensor, rival: Tensor, classes: int) -> _Rivals:
        """Count by running sums over the items of each rival, in the order of moving."""
        by_rival = rival.to(torch.uint8 if classes <= 256 else torch.int32).argsort(stable=True)
        rivals, is_hit = rival[by_rival], (targets == rival).long()
        all_predicted = torch.bincount(rival, minlength=classes)
        all_hits = torch.bincount(rival[is_hit.bool()], minlength=classes)
        first = all_predicted.cumsum(0) - all_predicted
        sorted_hits = is_hit[by_rival]
        before = sorted_hits.cumsum(0) - sorted_hits  # hits among the items sorted before this one
        predicted, hits = torch.empty_like(rivals), torch.empty_like(rivals)
        predicted[by_rival] = (all_predicted + first)[rivals] - torch.arange(len(rivals))
        hits[by_rival] = all_hits.cumsum(0)[rivals] - before
        return cls(predicted, hits, is_hit, all_predicted, all_hits)


def macro_f1_after(targets: Tensor, rival: Tensor, one: int, classes: int) -> Tensor:
    """Return macro-F1 after each number of moves."""
    actual, rivals = torch.bincount(targets, minlength=classes), _Rivals.of(targets, rival, classes)
    of_rival = actual[rival]
    before = _f1(rivals.hits, rivals.predicted, of_rival)
    after = _f1(rivals.hits - rivals.is_hit, rivals.predicted - 1, of_rival)
    of_others = _f1(rivals.all_hits, rivals.all_predicted, actual).sum() + _running_sum(after - before)
    moved = torch.arange(len(targets) + 1)
    return (_f1(_running_sum(targets == one), moved, actual[one]) + of_others) / classes


def balanced_accuracy_after(targets: Tensor, rival: Tensor, one: int, classes: int) -> Tensor:
    """Return the mean recall over the classes that occur after each number of moves."""
    actual = torch.bincount(targets, minlength=classes)
    counts = 1 / (actual.clamp_min(1).double() * (actual > 0).sum())[targets]
    right = targets == rival
    return counts[right].sum() + _running_sum(counts * ((targets == one).double() - right.double()))


def worst_recall_after(targets: Tensor, rival: Tensor, one: int, classes: int) -> Tensor:
    """Return the smallest recall of a class that occurs after each number of moves.

    The recalls of the other classes can only fall, so their smallest is the lowest value so far.
    """
    actual, rivals = torch.bincount(targets, minlength=classes), _Rivals.of(targets, rival, classes)
    before = (rivals.all_hits / actual.double()).nan_to_num(torch.inf)
    before[one] = torch.inf
    after = ((rivals.hits - rivals.is_hit) / actual[rival].double()).nan_to_num(torch.inf)
    of_others = torch.cat([before.min().unsqueeze(0), after]).cummin(0).values
    return torch.minimum(of_others, (_running_sum(targets == one) / actual[one].double()).nan_to_num(torch.inf))


METRIC_AFTER_MOVES: dict[ThresholdMetric, Callable[[Tensor, Tensor, int, int], Tensor]] = {
    "macro-f1": macro_f1_after,
    "balanced-accuracy": balanced_accuracy_after,
    "worst-class-recall": worst_recall_after,
}


def _running_sum(changes: Tensor) -> Tensor:
    """Return the sum of the first 0, 1, ..., L changes, `(L + 1,)`."""
    return torch.cat([changes.new_zeros(1), changes]).cumsum(0)


def _f1(hits: Tensor, predicted: Tensor, actual: Tensor) -> Tensor:
    """Return F1 from counts, float64; 0 where nothing is predicted and nothing occurs."""
    return 2 * hits.double() / (predicted + actual).clamp_min(1)
