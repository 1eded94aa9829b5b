"""Checks of the weights of a sampler, and of class weights in a loss."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.utils.data import Subset

from strategies.class_mix import expected_mix
from strategies.labels import ClassCounts
from strategies.loader_audit.context import CLOSE, AuditContext
from strategies.loader_audit.finding import AuditFinding, Subject
from strategies.loader_audit.mix_significance import chi_square_test

FLOAT32_ITEMS = 1_000_000
"""Number of items from which float32 weights lose some of them."""
MULTINOMIAL_ITEMS = 2**24
"""Largest number of weights that `torch.multinomial` accepts."""
INVERSE_POWERS = (1.0, 0.5)
"""Powers of the inverse class counts that a user's weights are compared with."""

BALANCED_SAMPLER = "sampler = WeightedRandomSampler(sample_weights, len(sample_weights), replacement=True)"
WEIGHTED_LOSS = "loss_fn = nn.CrossEntropyLoss(weight=class_weights)"


def find_weights_per_class(context: AuditContext) -> AuditFinding | None:
    """Report one weight per class where one per item is needed: only the first C items of the data set are ever sampled."""
    weights = context.source.weights
    classes = context.given_labels.num_classes
    present_classes = int((context.given_labels.counts().values > 0).sum())
    if weights is None or len(weights) == context.items or len(weights) not in (classes, present_classes):
        return None
    count = len(weights)
    return AuditFinding(
        "weights-per-class",
        f"The {context.weighted_sampler_name} has {count} weights, one per class, but needs one per item: {context.items:,}. "
        f"It only samples items 0 to {count - 1}.",
        f"sample_weights = class_weights[labels]  # {context.items:,} weights, one per item\n{BALANCED_SAMPLER}",
        explains_mix=True,
    )


def find_subset_against_parent(context: AuditContext) -> AuditFinding | None:
    """Report weights or indices of one part of the data where the loader reads another: the parent, or a Subset of it."""
    sized_sampler, dataset = context.source.sized_sampler, context.source.dataset
    if isinstance(dataset, Subset):
        return _parent_against_subset(context, len(dataset.dataset))  # type: ignore[arg-type]
    if sized_sampler is None or dataset is None or sized_sampler[1] >= context.items:
        return None
    if find_weights_per_class(context) or _is_cut_short(context):
        return None
    items = sized_sampler[1]
    if context.role == "validation":
        part, sampler_argument = "valid_indices", ""
    else:
        part, sampler_argument = "train_indices", ", sampler=train_sampler"
    return AuditFinding(
        "subset-against-parent",
        f"The {_describe_size(context)}, those of a part of the data, but the loader reads the whole {type(dataset).__name__} "
        f"of {context.items:,} items: item i of the part is taken for item i of the whole.",
        f"DataLoader(Subset(dataset, {part}){sampler_argument}{context.batch_argument})\n"
        f"# {part}: the {items:,} items that the sampler was built for, in their order",
        explains_mix=True,
    )


def _parent_against_subset(context: AuditContext, parent_items: int) -> AuditFinding | None:
    sized_sampler = context.source.sized_sampler
    highest_index = -1 if context.observation is None else context.observation.highest_index
    if sized_sampler is not None and sized_sampler[1] == parent_items != context.items:
        what = _describe_size(context)
        if context.source.weights is None:
            sampler_class = type(sized_sampler[0]).__name__
            fix = f"sampler = strategies.{sampler_class}(labels[torch.as_tensor(dataset.indices)], seed=0)"
        else:
            fix = f"sample_weights = sample_weights[torch.as_tensor(dataset.indices)]\n{BALANCED_SAMPLER}"
    elif sized_sampler is None and context.items <= highest_index < parent_items:
        what = f"sampler returns indices up to {highest_index:,}"
        fix = f"DataLoader(dataset.dataset, sampler=sampler{context.batch_argument})"
    else:
        return None
    return AuditFinding(
        "subset-against-parent",
        f"The {what}, those of the parent data set, but the loader reads a Subset of {context.items:,} items.",
        fix,
        explains_mix=True,
    )


def find_weights_number(context: AuditContext) -> AuditFinding | None:
    """Report more or fewer weights than items."""
    sized_sampler = context.source.sized_sampler
    if sized_sampler is None or sized_sampler[1] == context.items:
        return None
    if find_weights_per_class(context) or find_subset_against_parent(context):
        return None
    sampler, weights = sized_sampler
    if weights < context.items:
        consequence = f"the last {context.items - weights:,} are never sampled"
    else:
        consequence = "some indices do not exist"
    if context.source.weights is not None:
        fix = f"sample_weights = class_weights[labels]  # the {context.items:,} labels of this data set\n{BALANCED_SAMPLER}"
    else:
        fix = f"sampler = strategies.{type(sampler).__name__}(labels, seed=0)  # the {context.items:,} labels of this data set"
    return AuditFinding(
        "weights-number",
        f"The {_describe_size(context)}, but the data set has {context.items:,} items: {consequence}.",
        fix,
        explains_mix=True,
    )


def _describe_size(context: AuditContext) -> str:
    """Return the name of the sampler and for how many items it was built."""
    if context.source.sized_sampler is None:
        return "sampler does not say for how many items it was built"
    sampler, items = context.source.sized_sampler
    if context.source.weights is not None:
        return f"{type(sampler).__name__} has {items:,} weights"
    return f"{type(sampler).__name__} was built for {items:,} items"


def find_index_out_of_range(context: AuditContext) -> AuditFinding | None:
    """Report indices beyond the data set, from a sampler that does not say for how many items it was built."""
    highest_index = -1 if context.observation is None else context.observation.highest_index
    if context.source.sized_sampler is not None or highest_index < context.items:
        return None
    if find_subset_against_parent(context):
        return None
    return AuditFinding(
        "index-out-of-range",
        f"The sampler returns index {highest_index:,}, the data set has {context.items:,} items.",
        f"sampler = strategies.ClassBalancedSampler(labels, seed=0)  # the {context.items:,} labels of this data set",
        explains_mix=True,
    )


def find_weights_not_finite(context: AuditContext) -> AuditFinding | None:
    """Report a weight that is infinite, not a number or negative; 1 / 0, for a class without items, is infinite."""
    owners: tuple[tuple[Tensor | None, Subject], ...] = (
        (context.source.weights, "sampler"),
        (context.loss.weights, "loss"),
    )
    for weights, owner in owners:
        if weights is None:
            continue
        invalid = ~(weights.isfinite() & (weights >= 0))
        if not bool(invalid.any()):
            continue
        first = int(invalid.nonzero()[0])
        counts = context.given_labels.counts().values
        is_empty_class = owner == "loss" and len(weights) == len(counts) and not counts[first]
        reason = f": {context.describe_class(first)} has no items, and 1 / 0 is infinite" if is_empty_class else ""
        fix = (
            f"counts = torch.bincount(labels, minlength={context.given_labels.num_classes})\n"
            "class_weights = torch.where(counts > 0, 1.0 / counts.clamp_min(1), 0.0)"
        )
        fix += (
            f"\nsample_weights = class_weights[labels]\n{BALANCED_SAMPLER}"
            if owner == "sampler"
            else f"\n{WEIGHTED_LOSS}"
        )
        return AuditFinding(
            "weights-not-finite",
            f"{int(invalid.sum()):,} of the {owner}'s weights are negative or not finite; the first is "
            f"weights[{first}] = {float(weights[first])}{reason}.",
            fix,
            explains_mix=owner == "sampler",
            subject=owner,
        )
    return None


def find_replacement_false(context: AuditContext) -> AuditFinding | None:
    """Report sampling without replacement of so many items that the weights lose their effect."""
    sampler, weights = context.source.weighted_sampler, context.source.weights
    if sampler is None or weights is None or getattr(sampler, "replacement", True) is not False:
        return None
    eligible_items = int((weights > 0).sum())
    consequence = "every item comes once, and the weights have no effect"
    if len(sampler) != eligible_items:
        shortfall = _shortfall_of_rare_classes(context)
        if shortfall is None:
            return None
        consequence = f"the rare classes run out, and {shortfall}"
    return AuditFinding(
        "replacement-false",
        f"The {context.weighted_sampler_name} samples {len(sampler):,} of {eligible_items:,} items without replacement: "
        f"{consequence}.",
        f"{context.weighted_sampler_name}(sample_weights, {len(sampler)}, replacement=True)",
        explains_mix=True,
    )


def _shortfall_of_rare_classes(context: AuditContext) -> str | None:
    """Describe a sampled mix that is between the natural one and that of the weights; None if it is not, or not clearly."""
    weights = context.source.weights
    if weights is None or not len(weights) == context.items == len(context.labels) or context.sampled_labels is None:
        return None
    if not context.mix_test.rejects or not bool((weights.isfinite() & (weights >= 0)).all()):
        return None
    mix_of_weights = expected_mix(context.labels, weights)
    # How far the samples have come on the way from the natural mix, at 0, to that of the weights, at 1.
    whole_way = mix_of_weights - context.natural_mix
    sampled_way = context.sampled_mix - context.natural_mix
    part = float((whole_way * sampled_way).sum() / (whole_way * whole_way).sum().clamp_min(1e-300))
    if not 0 <= part < 1 or not chi_square_test(context.sampled_labels, mix_of_weights).rejects:
        return None
    c = int((mix_of_weights - context.sampled_mix).argmax())
    return (
        f"{context.describe_class(c)} is {context.sampled_mix[c]:.1%} of the sampled labels; it would be {mix_of_weights[c]:.1%} "
        f"by the weights, and is {context.natural_mix[c]:.1%} of the data"
    )


def find_weights_class_order(context: AuditContext) -> AuditFinding | None:
    """Report class weights that are inverse counts, but in another order of the classes."""
    counts = context.given_labels.counts()
    weights, loss_weights = context.source.weights, context.loss.weights
    if weights is not None and context.has_weight_per_item:
        class_weights = context.class_weights(weights, counts.values > 0)
        if class_weights is not None and (order := fit_class_order(class_weights, counts)):
            return _wrong_order("sampler", order, context)
    if loss_weights is None or len(loss_weights) != counts.num_classes:
        return None
    order = fit_class_order(loss_weights, counts)
    return None if order is None else _wrong_order("loss", order, context)


def find_weights_item_order(context: AuditContext) -> AuditFinding | None:
    """Report the right weights on the wrong items, as after a shuffle of either."""
    weights = context.source.weights
    if weights is None or not context.has_weight_per_item:
        return None
    counts = context.given_labels.counts()
    if context.class_weights(weights, counts.values > 0) is not None:
        return None
    classes = context.given_labels.values.clamp_min(0)
    for power in INVERSE_POWERS:
        correct = counts.inverse(power)[classes]
        if _is_proportional(weights.double().sort().values, correct.sort().values):
            difference = (_normalise(weights) - _normalise(correct)).abs()
            misplaced = int(difference.gt(CLOSE * _normalise(correct)).sum())
            return AuditFinding(
                "weights-item-order",
                f"The weights are right for these classes, but {misplaced:,} of {context.items:,} belong to an item of another "
                "class: weights and data set are in different orders.",
                "# labels[i]: the class of item i of the data set that the loader reads\n"
                f"sample_weights = class_weights[labels]\n{BALANCED_SAMPLER}",
                explains_mix=True,
            )
    return None


def find_weights_precision(context: AuditContext) -> AuditFinding | None:
    """Report more weights than their precision, or `torch.multinomial`, can deal with."""
    weights = context.source.weights
    if weights is None:
        return None
    if len(weights) > MULTINOMIAL_ITEMS:
        message = f"torch.multinomial accepts at most 2**24 weights; given: {len(weights):,}."
    elif weights.dtype != torch.float64 and len(weights) > FLOAT32_ITEMS:
        dtype = str(weights.dtype).removeprefix("torch.")
        message = f"With {len(weights):,} weights of type {dtype}, rounding leaves some items that are never sampled."
    else:
        return None
    return AuditFinding("weights-precision", message, "sampler = strategies.ClassBalancedSampler(labels, seed=0)")


def _is_cut_short(context: AuditContext) -> bool:
    """Whether weights are too few, but follow the labels as far as they go: one value for each class."""
    weights, labels = context.source.weights, context.given_labels
    if weights is None or not len(weights) <= len(labels) == context.items or not labels.single_label:
        return False
    padded = torch.full((len(labels),), torch.nan, dtype=torch.float64)
    padded[: len(weights)] = weights
    return context.class_weights(padded) is not None


def fit_class_order(weights: Tensor, counts: ClassCounts) -> tuple[int, ...] | None:
    """Return, for each class, the class whose inverse count its weight is.

    None if the weights are not inverse counts in any order, or are in the right one.

    >>> fit_class_order(torch.tensor([1.0, 0.5, 0.25]), ClassCounts(torch.tensor([4, 2, 1]), ("a", "b", "c")))
    (2, 1, 0)
    """
    present = (counts.values > 0).nonzero().squeeze(1)
    present_weights, present_counts = weights.double()[present], counts.values[present].double()
    if len(present) < 2 or not bool(present_weights.isfinite().all()) or len(set(present_counts.tolist())) == 1:
        return None
    for power in INVERSE_POWERS:
        inverse = present_counts**-power
        in_right_order = _is_proportional(present_weights, inverse)
        if in_right_order or not _is_proportional(present_weights.sort().values, inverse.sort().values):
            continue
        # The weight of rank k belongs to the class whose inverse count has rank k.
        order = torch.empty_like(present)
        order[present_weights.argsort(stable=True)] = present[inverse.argsort(stable=True)]
        all_classes = torch.arange(counts.num_classes)
        all_classes[present] = order
        return tuple(all_classes.tolist())
    return None


def _wrong_order(owner: Subject, order: Sequence[int], context: AuditContext) -> AuditFinding:
    moved = [c for c, other in enumerate(order) if c != other]
    first = moved[0]
    order_names = (name for name, usual_order in _usual_orders(context) if usual_order == tuple(order))
    explanation = next((f" They are in the order of {name}." for name in order_names), "")
    fix = (
        f"counts = torch.bincount(labels, minlength={context.given_labels.num_classes})  # in the order of the ids\n"
        "class_weights = 1.0 / counts.clamp_min(1)"
    )
    fix += (
        f"\nsample_weights = class_weights[labels]\n{BALANCED_SAMPLER}" if owner == "sampler" else f"\n{WEIGHTED_LOSS}"
    )
    return AuditFinding(
        "weights-class-order",
        f"The {owner}'s weights are inverse class counts, but not in the order of the class ids: "
        f"{context.describe_class(first)} has the weight of {context.describe_class(order[first])}; {len(moved)} classes have "
        f"the weight of another.{explanation}",
        fix,
        explains_mix=owner == "sampler",
        subject=owner,
    )


def _usual_orders(context: AuditContext) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the orders in which programs usually list classes, with a name."""
    labels = context.given_labels
    names, classes = labels.class_names, range(labels.num_classes)
    yield "the sorted class names", tuple(sorted(classes, key=lambda c: names[c]))
    counter = Counter(labels.values[labels.values >= 0].tolist())
    yield "first appearance, as in a dict of counts", tuple(counter)
    yield "falling counts, as in Counter.most_common", tuple(c for c, _ in counter.most_common())


def _normalise(weights: Tensor) -> Tensor:
    return weights.double() / weights.double().sum()


def _is_proportional(a: Tensor, b: Tensor) -> bool:
    return bool(torch.allclose(_normalise(a), _normalise(b), rtol=CLOSE, atol=0.0))
