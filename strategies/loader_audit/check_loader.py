"""Checks of a loader's sampler: whether it fits its purpose, survived the trainer, and is shared among processes."""

from __future__ import annotations

import math
from typing import Any

from torch.utils.data import DistributedSampler, Subset

from strategies.loader_audit.context import AuditContext
from strategies.loader_audit.finding import AuditFinding
from strategies.loader_audit.mix_names import name_sampled_mix
from strategies.loader_audit.replacement_code import intended_sampler, sampling_loader


def find_validation_resampled(context: AuditContext) -> AuditFinding | None:
    """Report a validation loader that repeats some items and leaves out others: its metrics are those of another data set."""
    if context.role != "validation" or context.observation is None:
        return None
    index = context.observation.first_epoch_indices
    distinct = len(index.unique())
    repeated, missing = len(index) - distinct, context.items - distinct
    if context.source.weighted_sampler is None and not repeated and not context.natural_mix_test.rejects:
        return None
    detail = (
        f"{repeated:,} of {len(index):,} samples repeat an item, and {missing:,} items are missing"
        if len(index)
        else "it is resampled"
    )
    if context.source.is_stream:
        fix = f"# let the stream yield every item once:\nDataLoader(valid_dataset{context.batch_argument})"
    else:
        fix = f"DataLoader(valid_dataset{context.batch_argument}, shuffle=False)  # no sampler: every item once"
    return AuditFinding(
        "validation-resampled",
        f"This validation loader does not read every item exactly once: {detail}. Its metrics are those of another data set.",
        fix,
        explains_mix=True,
    )


def find_sampler_dropped(context: AuditContext) -> AuditFinding | None:
    """Report a DistributedSampler that samples the natural mix: it has replaced the balancing sampler."""
    sampler = context.source.samplers[-1] if context.source.samplers else None
    if not isinstance(sampler, DistributedSampler) or not context.mix_test.rejects or context.natural_mix_test.rejects:
        return None
    if find_sharded_twice(context) is not None:
        return None
    place = "" if context.num_replicas > 1 else f", num_replicas={sampler.num_replicas}, rank=rank"
    return AuditFinding(
        "sampler-dropped",
        f"The loader samples with a {type(sampler).__name__} for {sampler.num_replicas} processes, in the natural class mix of "
        "the data set: it has replaced the balancing sampler. Some trainers do that by themselves.",
        f"sampler = {intended_sampler(context, place or None)}",
        explains_mix=True,
    )


def find_sharded_twice(context: AuditContext) -> AuditFinding | None:
    """Report samples that are shared out among the processes twice, so that together they read a part of an epoch."""
    sharings = [(sharing.name, sharing.processes) for sharing in context.source.sharings]
    if (sampler := _of_sampled_indices(context)) is not None:
        sharings.append(("what sampled the indices of the Subset", sampler.num_replicas))
    shares = math.prod(processes for _, processes in sharings)
    processes = max([context.num_replicas, *(processes for _, processes in sharings)])
    if shares <= processes:
        return None
    by = " and again by ".join(f"{name} among {number} processes" for name, number in sharings)
    return AuditFinding(
        "sharded-twice",
        f"The samples are shared out by {by}: all processes together read 1/{shares // processes} of an epoch.",
        f"sampler = {intended_sampler(context, ', num_replicas=1, rank=0')}  # {sharings[0][0]} shares out its samples",
        explains_mix=True,
    )


def _of_sampled_indices(context: AuditContext) -> DistributedSampler[Any] | None:
    """Return the DistributedSampler of a Subset of a share of an epoch: indices that repeat, too few to be the whole of one."""
    sampler, dataset = context.source.distributed_sampler, context.source.dataset
    if sampler is None or sampler.num_replicas < 2 or not isinstance(dataset, Subset):
        return None
    parent_items = len(dataset.dataset)  # type: ignore[arg-type]
    repeats = len(set(map(int, dataset.indices))) < len(dataset)
    return sampler if repeats and len(dataset) <= -(-parent_items // sampler.num_replicas) else None


def find_sampler_repeated(context: AuditContext) -> AuditFinding | None:
    """Report a sampler that is not shared among processes: each samples a whole epoch, with equal seeds the same one."""
    sampler = context.source.samplers[-1] if context.source.samplers else None
    if context.num_replicas < 2 or context.role == "validation" or sampler is None or _is_shared(context):
        return None
    samples = len(context.observation.first_epoch_indices) if context.observation is not None else 0
    has_generator = getattr(sampler, "generator", None) is not None
    if has_generator and samples * context.num_replicas <= 1.5 * context.items:
        return None  # each process samples its share of the epoch, from a generator of its own
    return AuditFinding(
        "sampler-repeated",
        f"{context.num_replicas} processes share the training, but the {type(sampler).__name__} does not know: each process "
        f"samples {samples:,} of {context.items:,} items, and with equal seeds all sample the same ones.",
        f"sampler = {intended_sampler(context)}",
    )


def _is_shared(context: AuditContext) -> bool:
    """Whether something gives each of the processes a share, and this process its own."""
    sharings = context.source.sharings
    if math.prod(sharing.processes for sharing in sharings) < context.num_replicas:
        return False
    alone = sharings[0] if len(sharings) == 1 else None
    return alone is None or None in (context.rank, alone.rank) or context.rank == alone.rank


def find_not_resampled(context: AuditContext) -> AuditFinding | None:
    """Report that nothing rebalances: the classes are sampled in their natural mix."""
    if not context.mix_test.rejects or context.natural_mix_test.rejects:
        return None
    most_sampled = int(context.sampled_mix.argmax())
    loop = f"for index in {intended_sampler(context)}.batches(batch_size):\n    batch = [train_data[i] for i in index]"
    return AuditFinding(
        "not-resampled",
        f"Nothing rebalances the classes: they are sampled as often as they occur in the data, "
        f"{context.sampled_mix[most_sampled]:.0%} {context.describe_class(most_sampled)}. "
        "Pass intended='natural' to audit() if that is what you want.",
        loop if context.source.loader is None else sampling_loader(context),
        explains_mix=True,
        subject="class mix",
    )


def find_mix_differs(context: AuditContext) -> AuditFinding | None:
    """Report a mix that is not the intended one and that no other finding explains."""
    if not context.mix_test.rejects:
        return None
    name, argument = name_sampled_mix(context) or ("", "intended=...")
    if name:
        advice = f"This is {name}: pass {argument} to audit() if that is what you want."
    else:
        advice = f"Pass {argument} to audit() if this mix is what you want."
    difference = (context.sampled_mix - context.intended_mix).abs()
    c = int(difference.argmax())
    if context.source.is_stream:
        fix = sampling_loader(context)
    elif context.labels.single_label:
        fix = f"sampler = {intended_sampler(context)}\n# or, if this mix is what you want: audit(loader, labels, {argument})"
    else:
        fix = "audit(loader, labels, intended=item_weights)  # or another description of the mix that you want"
    return AuditFinding(
        "mix-differs",
        f"The sampled class mix is not the intended one: {context.describe_class(c)} is {context.sampled_mix[c]:.1%} of the "
        f"sampled labels, {context.intended_mix[c]:.1%} was intended. {advice}",
        fix,
        subject="class mix",
    )
