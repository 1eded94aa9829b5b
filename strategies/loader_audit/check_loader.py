"""Mistakes in what a loader is for, and in how processes share it."""

from __future__ import annotations

from strategies.loader_audit.context import AuditContext
from strategies.loader_audit.finding import AuditFinding
from strategies.loader_audit.mix_names import explained, power_of


def validation_resampled(wiring: AuditContext) -> AuditFinding | None:
    """A validation loader that draws some items again and leaves others out: its measures are of another data set."""
    if wiring.role != "validation" or wiring.draws is None:
        return None
    seen = wiring.draws.epoch_index
    repeated = len(seen) - len(seen.unique())
    if wiring.source.weighted is None and not repeated and not wiring.natural_test.rejects:
        return None
    missed = wiring.items - len(seen.unique())
    what = (
        f"{repeated:,} of {len(seen):,} draws repeat an item, {missed:,} items do not come"
        if len(seen)
        else "resampled"
    )
    return AuditFinding(
        "validation-resampled",
        f"this validation loader does not read its data as it is: {what}.",
        f"DataLoader(valid_dataset{wiring.batch_argument}, shuffle=False)  # no sampler: every item once",
        moves_mix=True,
    )


def sampler_dropped(wiring: AuditContext) -> AuditFinding | None:
    """A DistributedSampler draws, and the mix is the data set's: the balancing sampler is not there any more."""
    distributed = wiring.source.distributed
    if distributed is None or not wiring.test.rejects or wiring.natural_test.rejects:
        return None
    return AuditFinding(
        "sampler-dropped",
        f"a {type(distributed).__name__} of {distributed.num_replicas} processes is what draws, in the data set's own mix: "
        "it took the place of the balancing sampler (some trainers put it there by themselves).",
        f"sampler = strategies.ClassBalancedSampler(labels, num_replicas={distributed.num_replicas}, rank=rank, seed=0)\n"
        "# and tell the trainer to leave it: use_distributed_sampler=False (Lightning)",
        moves_mix=True,
    )


def sampler_repeated(wiring: AuditContext) -> AuditFinding | None:
    """Several processes, and a sampler that does not know: each draws a whole epoch, with equal seeds the same one."""
    sampler = wiring.source.samplers[-1] if wiring.source.samplers else None
    if wiring.num_replicas < 2 or wiring.role == "validation" or sampler is None or _shares(wiring):
        return None
    draws = len(wiring.draws.epoch_index) if wiring.draws is not None else 0
    if getattr(sampler, "generator", None) is not None and draws * wiring.num_replicas <= 1.5 * wiring.items:
        return None  # a share of the epoch each, from a generator of its own
    return AuditFinding(
        "sampler-repeated",
        f"{wiring.num_replicas} processes share the work, but the {type(sampler).__name__} is not sharded: each process draws "
        f"{draws:,} of {wiring.items:,} items, and under the same seed all draw the same.",
        f"sampler = strategies.ClassBalancedSampler(labels, num_replicas={wiring.num_replicas}, rank=rank, seed=0)",
    )


def _shares(wiring: AuditContext) -> bool:
    """Whether some sampler knows of the other processes, and of its place among them."""
    return any(
        getattr(each, "num_replicas", None) == wiring.num_replicas
        and wiring.rank in (None, getattr(each, "rank", None))
        for each in wiring.source.samplers
    )


def natural_mix(wiring: AuditContext) -> AuditFinding | None:
    """Nothing rebalances: the classes come as they are in the data set."""
    if not wiring.test.rejects or wiring.natural_test.rejects:
        return None
    top = int(wiring.realised.argmax())
    line = _sampler(wiring) if wiring.labels.single_label else "strategies.SentenceSampler(labels, seed=0)"
    loop = f"for index in {line}.batches(batch_size):\n    batch = [train_data[i] for i in index]"
    loader = f"DataLoader(dataset, sampler={line}{wiring.batch_argument})"
    return AuditFinding(
        "not-resampled",
        f"the classes come as they are in the data, {wiring.realised[top]:.0%} {wiring.name_of(top)}: nothing rebalances. "
        "Pass intended='natural' if that is meant.",
        loop if wiring.source.loader is None else loader,
        moves_mix=True,
    )


def other_mix(wiring: AuditContext) -> AuditFinding | None:
    """A mix that is neither the intended one nor explained by another finding."""
    if not wiring.test.rejects:
        return None
    name, argument = explained(wiring) or ("", "intended=...")
    this = f"This is {name}: pass {argument} if it is meant." if name else f"Pass {argument} if this mix is meant."
    off = (wiring.realised - wiring.intended).abs()
    most = int(off.argmax())
    return AuditFinding(
        "mix-differs",
        f"the classes do not come as intended: {wiring.name_of(most)} is {wiring.realised[most]:.1%} of the labels drawn, "
        f"{wiring.intended[most]:.1%} was intended. {this}",
        f"sampler = {_sampler(wiring)}\n# or, if this mix is meant: audit(loader, labels, {argument})"
        if wiring.labels.single_label
        else "audit(loader, labels, intended=item_weights)  # or the mix that you do intend",
    )


def _sampler(wiring: AuditContext) -> str:
    """The sampler that draws the intended mix."""
    power = power_of(wiring.intended, wiring.counts.values)
    if power is None:
        return "strategies.WeightedSampler((shares / counts)[labels], seed=0)"
    return f"strategies.ClassBalancedSampler(labels{f', power={power:g}' if power else ''}, seed=0)"
