"""Mistakes in the weights of a sampler."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.utils.data import Subset

from strategies.class_mix import expected_mix
from strategies.labels import ClassCounts
from strategies.loader_audit.context import Wiring
from strategies.loader_audit.finding import Finding
from strategies.loader_audit.mix_test import compare

FLOAT32_ITEMS = 1_000_000
"""Items from which float32 weights lose some of them."""
MULTINOMIAL_ITEMS = 2**24
"""Weights that `torch.multinomial` takes at most."""
CLOSE = 1e-3
"""Relative difference within which weights are taken for the inverse of counts."""
POWERS = (1.0, 0.5)
"""Of the inverse counts that a user's weights may be."""

BALANCED = "sampler = WeightedRandomSampler(sample_weights, len(sample_weights), replacement=True)"


def per_class(wiring: Wiring) -> Finding | None:
    """One weight a class, where one a sample is needed: only the first C items of the data set are ever drawn."""
    weights = wiring.source.weights
    present = int((wiring.given.counts().values > 0).sum())
    if weights is None or len(weights) == wiring.items or len(weights) not in (wiring.given.num_classes, present):
        return None
    classes = len(weights)
    return Finding(
        "weights-per-class",
        f"the {wiring.sampler_name} has {classes} weights, one a class, for {wiring.items:,} items: "
        f"it only draws the items 0 to {classes - 1}.",
        f"sample_weights = class_weights[labels]  # {wiring.items:,} weights, one an item\n{BALANCED}",
        moves_mix=True,
    )


def of_a_subset(wiring: Wiring) -> Finding | None:
    """Weights or indices of one part of the data where the loader reads another: the parent, or a Subset of it."""
    made_for, dataset = wiring.source.made_for, wiring.source.dataset
    if isinstance(dataset, Subset):
        return _parents_for_a_subset(wiring, len(dataset.dataset))  # type: ignore[arg-type]
    if made_for is None or dataset is None or made_for[1] >= wiring.items or per_class(wiring) or in_order(wiring):
        return None
    sampler, items = made_for
    part, drawn_by = (
        ("valid_indices", "") if wiring.role == "validation" else ("train_indices", ", sampler=train_sampler")
    )
    return Finding(
        "subset-against-parent",
        f"the {type(sampler).__name__} has {items:,} weights, those of a part of the data, but the loader reads the whole "
        f"{type(dataset).__name__} of {wiring.items:,} items: weight i meets the wrong item.",
        f"DataLoader(Subset(dataset, {part}){drawn_by}{wiring.batch_argument})\n"
        f"# {part}: the {items:,} items of the {type(dataset).__name__} that the weights are of, in their order",
        moves_mix=True,
    )


def _parents_for_a_subset(wiring: Wiring, parent: int) -> Finding | None:
    made_for = wiring.source.made_for
    drawn = -1 if wiring.draws is None or not wiring.draws.index else max(wiring.draws.index)
    if made_for is not None and made_for[1] == parent != wiring.items:
        what, mend = f"{parent:,} weights", "weights = weights[torch.as_tensor(dataset.indices)]"
        if wiring.source.weights is None:
            mend = f"sampler = {type(made_for[0]).__name__}(labels[torch.as_tensor(dataset.indices)], seed=0)"
    elif made_for is None and wiring.items <= drawn < parent:
        what, mend = f"indices up to {drawn:,}", "DataLoader(dataset.dataset, ...)"
    else:
        return None
    return Finding(
        "subset-against-parent",
        f"the sampler has {what}, those of the parent data set, but the loader reads a Subset of {wiring.items:,} items.",
        mend,
        moves_mix=True,
    )


def number(wiring: Wiring) -> Finding | None:
    """More or fewer weights than items."""
    made_for = wiring.source.made_for
    if made_for is None or made_for[1] == wiring.items or per_class(wiring) or of_a_subset(wiring):
        return None
    sampler, items = made_for
    what = f"the last {wiring.items - items:,} are never drawn" if items < wiring.items else "some indices are no item"
    ours = f"sampler = {type(sampler).__name__}(labels, seed=0)  # the {wiring.items:,} labels of this data set"
    return Finding(
        "weights-number",
        f"the {type(sampler).__name__} has {items:,} weights, the data set {wiring.items:,} items: {what}.",
        f"sample_weights = class_weights[labels]  # the {wiring.items:,} labels of this data set\n{BALANCED}"
        if wiring.source.weights is not None
        else ours,
        moves_mix=True,
    )


def out_of_range(wiring: Wiring) -> Finding | None:
    """Indices that are no item of the data set, from a sampler that does not say for how many it was made."""
    drawn = -1 if wiring.draws is None or not wiring.draws.index else max(wiring.draws.index)
    if wiring.source.made_for is not None or drawn < wiring.items or of_a_subset(wiring):
        return None
    return Finding(
        "index-out-of-range",
        f"the sampler draws index {drawn:,}, the data set has {wiring.items:,} items.",
        f"sampler = strategies.ClassBalancedSampler(labels, seed=0)  # the {wiring.items:,} labels of this data set",
        moves_mix=True,
    )


def not_finite(wiring: Wiring) -> Finding | None:
    """A weight that is infinite, not a number or negative, as 1 / 0 is for a class without items."""
    for weights, whose in ((wiring.source.weights, "sampler"), (wiring.loss.weights, "loss")):
        if weights is None or not bool((wrong := ~(weights.isfinite() & (weights >= 0))).any()):
            continue
        at = int(wrong.nonzero()[0])
        counts = wiring.given.counts().values
        of_class = len(weights) == len(counts) and whose == "loss"
        where = f"weights[{at}] = {float(weights[at])}, of {int(wrong.sum()):,} such"
        empty = f": {wiring.name_of(at)} has no items, and 1 / 0 is infinite" if of_class and not counts[at] else ""
        return Finding(
            "weights-not-finite",
            f"the {whose}'s weights are not all finite and positive: {where}{empty}.",
            f"counts = torch.bincount(labels, minlength={wiring.given.num_classes})\n"
            "class_weights = torch.where(counts > 0, 1.0 / counts.clamp_min(1), 0.0)"
            + (f"\nsample_weights = class_weights[labels]\n{BALANCED}" if whose == "sampler" else ""),
            moves_mix=whose == "sampler",
        )
    return None


def no_op(wiring: Wiring) -> Finding | None:
    """Without replacement, as many draws as items: every item comes once, whatever its weight."""
    sampler, weights = wiring.source.weighted, wiring.source.weights
    if sampler is None or weights is None or getattr(sampler, "replacement", True) is not False:
        return None
    drawable = int((weights > 0).sum())
    does = "every item comes once, and the weights do nothing"
    if len(sampler) != drawable:
        if (short := _short_of_the_weights(wiring)) is None:
            return None
        does = f"the rare classes run out, and {short}"
    return Finding(
        "replacement-false",
        f"the {wiring.sampler_name} draws {len(sampler):,} of {drawable:,} items without replacement: {does}.",
        f"{wiring.sampler_name}(sample_weights, {len(sampler)}, replacement=True)",
        moves_mix=True,
    )


def _short_of_the_weights(wiring: Wiring) -> str | None:
    """What comes where items that are drawn but once hold the mix between the data set's and the weights' own."""
    weights = wiring.source.weights
    if weights is None or not len(weights) == wiring.items == len(wiring.labels) or wiring.drawn is None:
        return None
    if not wiring.test.rejects or not bool((weights.isfinite() & (weights >= 0)).all()):
        return None
    wanted = expected_mix(wiring.labels, weights)
    way, gone = wanted - wiring.natural, wiring.realised - wiring.natural
    part = float((way * gone).sum() / (way * way).sum().clamp_min(1e-300))
    if not 0 <= part < 1 or not compare(wiring.drawn, wanted).rejects:
        return None
    most = int((wanted - wiring.realised).argmax())
    return (
        f"{wiring.name_of(most)} is {wiring.realised[most]:.1%} of the labels drawn, {wanted[most]:.1%} by the weights, "
        f"{wiring.natural[most]:.1%} of the data"
    )


def class_order(wiring: Wiring) -> Finding | None:
    """Weights of the right size in the order of other classes: a permutation makes them the inverse counts."""
    counts = wiring.given.counts()
    weights, loss = wiring.source.weights, wiring.loss.weights
    if weights is not None and len(weights) == wiring.items == len(wiring.given) and wiring.given.one_each:
        mean, least, most = wiring.mean_by_class(weights)
        if bool(((most - least) <= CLOSE * mean)[counts.values > 0].all()) and (order := permutation(mean, counts)):
            return _wrong_order("sampler", order, wiring)
    if loss is not None and len(loss) == counts.num_classes and (order := permutation(loss, counts)):
        return _wrong_order("loss", order, wiring)
    return None


def item_order(wiring: Wiring) -> Finding | None:
    """The right weights on the wrong items, as after a shuffle of one of the two."""
    weights = wiring.source.weights
    if weights is None or not len(weights) == wiring.items == len(wiring.given) or not wiring.given.one_each:
        return None
    counts = wiring.given.counts()
    classes = wiring.given.values.clamp_min(0)
    mean, least, most = wiring.mean_by_class(weights)
    if bool(((most - least) <= CLOSE * mean)[counts.values > 0].all()):
        return None
    for power in POWERS:
        right = counts.inverse(power)[classes]
        if _proportional(weights.double().sort().values, right.sort().values):
            wrong = int((_scaled(weights) - _scaled(right)).abs().gt(CLOSE * _scaled(right)).sum())
            return Finding(
                "weights-item-order",
                f"the weights are right for these classes, but {wrong:,} of {wiring.items:,} stand at an item of another "
                "class: weights and data set are in different orders.",
                "# labels[i]: the class of item i of the data set that the loader reads\n"
                f"sample_weights = class_weights[labels]\n{BALANCED}",
                moves_mix=True,
            )
    return None


def precision(wiring: Wiring) -> Finding | None:
    """Weights too many for their precision, or for `torch.multinomial`."""
    weights = wiring.source.weights
    if weights is None:
        return None
    if len(weights) > MULTINOMIAL_ITEMS:
        what = f"torch.multinomial takes at most 2**24 weights; given: {len(weights):,}"
    elif weights.dtype != torch.float64 and len(weights) > FLOAT32_ITEMS:
        what = (
            f"{len(weights):,} weights of type {str(weights.dtype).removeprefix('torch.')} leave items that never come"
        )
    else:
        return None
    return Finding("weights-precision", f"{what}.", "sampler = strategies.ClassBalancedSampler(labels, seed=0)")


def in_order(wiring: Wiring) -> bool:
    """Whether weights, cut short, still follow the labels: one value for each class."""
    weights = wiring.source.weights
    if weights is None or not len(weights) <= len(wiring.given) == wiring.items or not wiring.given.one_each:
        return False
    padded = torch.full((len(wiring.given),), torch.nan, dtype=torch.float64)
    padded[: len(weights)] = weights
    mean, least, most = wiring.mean_by_class(padded)
    return bool(((most - least) <= CLOSE * mean)[mean.isfinite()].all())


def permutation(weights: Tensor, counts: ClassCounts) -> tuple[int, ...] | None:
    """For each class the class whose inverse count its weight is, None unless that explains the weights and some differ.

    >>> permutation(torch.tensor([1.0, 0.5, 0.25]), ClassCounts(torch.tensor([4, 2, 1]), ("a", "b", "c")))
    (2, 1, 0)
    """
    present = (counts.values > 0).nonzero().squeeze(1)
    given, right = weights.double()[present], counts.values[present].double()
    if len(present) < 2 or not bool(given.isfinite().all()) or len(set(right.tolist())) == 1:
        return None
    for power in POWERS:
        inverse = right**-power
        if _proportional(given, inverse) or not _proportional(given.sort().values, inverse.sort().values):
            continue
        order = torch.empty_like(present)
        order[given.argsort(stable=True)] = present[inverse.argsort(stable=True)]
        whole = torch.arange(counts.num_classes)
        whole[present] = order
        return tuple(whole.tolist())
    return None


def _wrong_order(whose: str, order: Sequence[int], wiring: Wiring) -> Finding:
    moved = [c for c, other in enumerate(order) if c != other]
    first = moved[0]
    keys = next((f" They are in the order of {name}." for name, each in _orders(wiring) if each == tuple(order)), "")
    return Finding(
        "weights-class-order",
        f"the {whose}'s weights are inverse class counts in another order: {wiring.name_of(first)} has the weight of "
        f"{wiring.name_of(order[first])}, {len(moved)} classes have another's.{keys}",
        f"counts = torch.bincount(labels, minlength={wiring.given.num_classes})  # in the order of the ids\n"
        "class_weights = 1.0 / counts.clamp_min(1)"
        + (f"\nsample_weights = class_weights[labels]\n{BALANCED}" if whose == "sampler" else ""),
        moves_mix=whose == "sampler",
    )


def _orders(wiring: Wiring) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Orders in which programs come to list classes."""
    names, classes = wiring.given.class_names, range(wiring.given.num_classes)
    yield "the sorted class names", tuple(sorted(classes, key=lambda c: names[c]))
    seen = Counter(wiring.given.values[wiring.given.values >= 0].tolist())
    yield "first appearance, as a dict of counts keeps them", tuple(seen)
    yield "falling counts, as Counter.most_common gives them", tuple(c for c, _ in seen.most_common())


def _scaled(weights: Tensor) -> Tensor:
    return weights.double() / weights.double().sum()


def _proportional(a: Tensor, b: Tensor) -> bool:
    return bool(torch.allclose(_scaled(a), _scaled(b), rtol=CLOSE, atol=0.0))
