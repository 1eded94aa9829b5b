"""Values of a metric as items move, one after another, from the classes they are predicted as to one class.

`targets (L,)`, `rival (L,)`, the class that an item is predicted as before it moves, and `weights (L,)`, float64 above 0, are
in the order of moving. Results `(L + 1,)` float64 are the metric after no move, one move, and so on to all moves. A move
changes the weights that are predicted as its rival and as the one class only, so running sums are enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from strategies.adjust.threshold_metric import ThresholdMetric


@dataclass(frozen=True)
class _Rivals:
    """Weights of the rivals' predictions before each move, all float64.

    `predicted (L,)` and `hits (L,)` are the labels that are predicted as the item's rival just before it moves, and those of
    them that are right; `hit (L,)` is the item's own weight if it is one of these, otherwise 0. `all_predicted (C,)` and
    `all_hits (C,)` are the same per class before any move.
    """

    predicted: Tensor
    hits: Tensor
    hit: Tensor
    all_predicted: Tensor
    all_hits: Tensor

    @classmethod
    def of(cls, targets: Tensor, rival: Tensor, classes: int, weights: Tensor) -> _Rivals:
        """Sum over the items of each rival, in the order of moving."""
        by_rival = rival.to(torch.uint8 if classes <= 256 else torch.int32).argsort(stable=True)
        hit = weights * (targets == rival)
        predicted, all_predicted = _remaining(weights, rival, by_rival, classes)
        hits, all_hits = _remaining(hit, rival, by_rival, classes)
        return cls(predicted, hits, hit, all_predicted, all_hits)


def _remaining(weights: Tensor, rival: Tensor, by_rival: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Return the weight of each item and of those of the same rival that move after it `(L,)`, and each rival's sum `(C,)`."""
    total = torch.bincount(rival, weights, minlength=classes)
    in_order = weights[by_rival]
    remaining = torch.empty_like(weights)
    remaining[by_rival] = total.cumsum(0)[rival[by_rival]] - (in_order.cumsum(0) - in_order)
    return remaining, total


def macro_f1_after(targets: Tensor, rival: Tensor, one: int, classes: int, weights: Tensor) -> Tensor:
    """Return macro-F1 after each number of moves, over the classes that then occur in truth or prediction."""
    actual = torch.bincount(targets, weights, minlength=classes)
    rivals = _Rivals.of(targets, rival, classes, weights)
    of_rival = actual[rival]
    before = _f1(rivals.hits, rivals.predicted, of_rival)
    after = _f1(rivals.hits - rivals.hit, rivals.predicted - weights, of_rival)
    of_others = _f1(rivals.all_hits, rivals.all_predicted, actual).sum() + _running_sum(after - before)
    moved = _running_sum(weights)
    of_one = _f1(_running_sum(weights * (targets == one)), moved, actual[one])
    return (of_one + of_others) / _count_occurring(actual > 0, rival, one)


def _count_occurring(is_true: Tensor, rival: Tensor, one: int) -> Tensor | int:
    """Return how many classes occur in truth, `is_true (C,)`, or in prediction, after each number of moves."""
    if bool(is_true.all()):
        return len(is_true)
    last = torch.full((len(is_true),), -1).scatter_reduce(0, rival, torch.arange(len(rival)), "amax")
    change = torch.zeros(len(rival) + 1, dtype=torch.int64)
    only_predicted = ~is_true & (last >= 0)
    change[0] = is_true.sum() + only_predicted.sum()
    change.index_add_(0, last[only_predicted] + 1, torch.full_like(last[only_predicted], -1))
    if not is_true[one]:
        change[1:2] += 1
    return change.cumsum(0)


def balanced_accuracy_after(targets: Tensor, rival: Tensor, one: int, classes: int, weights: Tensor) -> Tensor:
    """Return the mean recall over the classes that occur after each number of moves."""
    actual = torch.bincount(targets, weights, minlength=classes)
    shares = weights / (actual * (actual > 0).sum())[targets]
    right = targets == rival
    return shares[right].sum() + _running_sum(shares * ((targets == one).double() - right.double()))


def worst_recall_after(targets: Tensor, rival: Tensor, one: int, classes: int, weights: Tensor) -> Tensor:
    """Return the smallest recall of a class that occurs after each number of moves.

    The recalls of the other classes can only fall, so their smallest is the lowest value so far.
    """
    actual = torch.bincount(targets, weights, minlength=classes)
    rivals = _Rivals.of(targets, rival, classes, weights)
    before = (rivals.all_hits / actual).nan_to_num(torch.inf)
    before[one] = torch.inf
    after = ((rivals.hits - rivals.hit) / actual[rival]).nan_to_num(torch.inf)
    of_others = torch.cat([before.min().unsqueeze(0), after]).cummin(0).values
    return torch.minimum(of_others, (_running_sum(weights * (targets == one)) / actual[one]).nan_to_num(torch.inf))


METRIC_AFTER_MOVES: dict[ThresholdMetric, Callable[[Tensor, Tensor, int, int, Tensor], Tensor]] = {
    "macro-f1": macro_f1_after,
    "balanced-accuracy": balanced_accuracy_after,
    "worst-class-recall": worst_recall_after,
}


def _running_sum(changes: Tensor) -> Tensor:
    """Return the sum of the first 0, 1, ..., L changes, `(L + 1,)`."""
    return torch.cat([changes.new_zeros(1), changes]).cumsum(0)


def _f1(hits: Tensor, predicted: Tensor, actual: Tensor) -> Tensor:
    """Return F1 from sums of weights, float64; 0 for a class that does not occur.

    Nothing of such a class is a hit; but differences of running sums leave a rounding error of weights there, in place of 0.
    """
    f1 = 2 * hits / (predicted + actual).clamp_min(torch.finfo(torch.float64).tiny)
    return torch.where(actual > 0, f1, 0.0)
