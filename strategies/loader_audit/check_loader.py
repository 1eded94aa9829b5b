"""Checks of a loader's sampler: whether it fits its purpose, survived the trainer, and is shared among processes."""

from __future__ import annotations

from strategies.loader_audit.context import AuditContext
from strategies.loader_audit.finding import AuditFinding
from strategies.loader_audit.mix_names import fit_power, name_sampled_mix


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
    return AuditFinding(
        "validation-resampled",
        f"This validation loader does not read every item exactly once: {detail}. Its metrics are those of another data set.",
        f"DataLoader(valid_dataset{context.batch_argument}, shuffle=False)  # no sampler: every item once",
        explains_mix=True,
    )


def find_sampler_dropped(context: AuditContext) -> AuditFinding | None:
    """Report a DistributedSampler that samples the natural mix: it has replaced the balancing sampler."""
    sampler = context.source.distributed_sampler
    if sampler is None or not context.mix_test.rejects or context.natural_mix_test.rejects:
        return None
    return AuditFinding(
        "sampler-dropped",
        f"The loader samples with a {type(sampler).__name__} for {sampler.num_replicas} processes, in the natural class mix of "
        "the data set: it has replaced the balancing sampler. Some trainers do that by themselves.",
        f"sampler = strategies.ClassBalancedSampler(labels, num_replicas={sampler.num_replicas}, rank=rank, seed=0)\n"
        "# and keep the trainer from replacing it: use_distributed_sampler=False (Lightning)",
        explains_mix=True,
    )


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
        f"sampler = strategies.ClassBalancedSampler(labels, num_replicas={context.num_replicas}, rank=rank, seed=0)",
    )


def _is_shared(context: AuditContext) -> bool:
    """Whether some sampler knows the number of processes, and which of them this one is."""
    return any(
        getattr(sampler, "num_replicas", None) == context.num_replicas
        and context.rank in (None, getattr(sampler, "rank", None))
        for sampler in context.source.samplers
    )


def find_not_resampled(context: AuditContext) -> AuditFinding | None:
    """Report that nothing rebalances: the classes are sampled in their natural mix."""
    if not context.mix_test.rejects or context.natural_mix_test.rejects:
        return None
    most_sampled = int(context.sampled_mix.argmax())
    sampler = (
        _intended_sampler(context) if context.labels.single_label else "strategies.SentenceSampler(labels, seed=0)"
    )
    loop = f"for index in {sampler}.batches(batch_size):\n    batch = [train_data[i] for i in index]"
    loader = f"DataLoader(dataset, sampler={sampler}{context.batch_argument})"
    return AuditFinding(
        "not-resampled",
        f"Nothing rebalances the classes: they are sampled as often as they occur in the data, "
        f"{context.sampled_mix[most_sampled]:.0%} {context.describe_class(most_sampled)}. "
        "Pass intended='natural' to audit() if that is what you want.",
        loop if context.source.loader is None else loader,
        explains_mix=True,
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
    if context.labels.single_label:
        fix = f"sampler = {_intended_sampler(context)}\n# or, if this mix is what you want: audit(loader, labels, {argument})"
    else:
        fix = "audit(loader, labels, intended=item_weights)  # or another description of the mix that you want"
    return AuditFinding(
        "mix-differs",
        f"The sampled class mix is not the intended one: {context.describe_class(c)} is {context.sampled_mix[c]:.1%} of the "
        f"sampled labels, {context.intended_mix[c]:.1%} was intended. {advice}",
        fix,
    )


def _intended_sampler(context: AuditContext) -> str:
    """Return the code of a sampler of the intended mix."""
    power = fit_power(context.intended_mix, context.counts.values)
    if power is None:
        return "strategies.WeightedSampler((shares / counts)[labels], seed=0)"
    return f"strategies.ClassBalancedSampler(labels{f', power={power:g}' if power else ''}, seed=0)"
