"""The code of a sampler or loader of the intended class mix, for the fixes that the audit prints."""

from __future__ import annotations

import torch
from torch import Tensor, distributed

from strategies.loader_audit.context import AuditContext
from strategies.loader_audit.mix_names import fit_power
from strategies.loader_audit.mix_significance import intended_mix


def intended_sampler(context: AuditContext, place: str | None = None) -> str:
    """Return the code of a sampler of the stated mix.

    `place` is the argument for the number of processes; by default that of the audit, if there are several.
    """
    place = _place(context) if place is None else place
    if bool(context.intended_mix.isnan().any()):  # a sampler of this package that is configured for another mix
        return f"strategies.{type(context.source.project_sampler).__name__}(labels, ...{place}, seed=0)"
    return _sampler(context, context.stated_mix, place)


def balancing_sampler(context: AuditContext) -> str:
    """Return the code of a sampler that balances the classes, whatever mix is stated."""
    return _sampler(context, intended_mix(None, context.labels)[1], _place(context))


def _sampler(context: AuditContext, mix: Tensor, place: str) -> str:
    power = fit_power(mix, context.counts.values)
    if power == 1:
        several = context.num_replicas > 1 and "num_replicas=1" not in place
        return f"DistributedSampler(dataset{_place(context)})" if several else "RandomSampler(dataset)"
    if not context.labels.single_label:
        is_default = torch.allclose(mix, intended_mix(None, context.labels)[1])
        return (
            f"strategies.{'SentenceSampler(labels' if is_default else 'WeightedSampler(item_weights'}{place}, seed=0)"
        )
    if power is None:
        return f"strategies.WeightedSampler((shares / counts)[labels]{place}, seed=0)"
    return f"strategies.ClassBalancedSampler(labels{f', power={power:g}' if power else ''}{place}, seed=0)"


def shuffled_loader(context: AuditContext) -> str:
    """Return the code of a loader that reads every item once per epoch, in random order."""
    if context.num_replicas == 1:
        return f"DataLoader(dataset{context.batch_argument}, shuffle=True)"
    return f"DataLoader(dataset, sampler=DistributedSampler(dataset{_place(context)}){context.batch_argument})"


def sampling_loader(context: AuditContext) -> str:
    """Return the code of a loader of the intended mix, in place of one of the natural mix."""
    if not context.source.is_stream:
        return f"DataLoader(dataset, sampler={intended_sampler(context)}{context.batch_argument})"
    return (
        "# a stream takes no sampler= or shuffle=; if its items fit in memory:\n"
        "items = list(dataset)\n"
        'labels = torch.tensor([item[-1] for item in items])  # of dictionaries: item["label"]\n'
        f"DataLoader(items, sampler={intended_sampler(context)}{context.batch_argument})\n"
        '# if not, correct in the loss: strategies.get("logit-adjustment").loss(strategies.ClassCounts.of(labels))'
    )


def _place(context: AuditContext) -> str:
    """Return the arguments for the number of processes; none where a sampler finds it by itself."""
    if context.num_replicas == 1 or (distributed.is_available() and distributed.is_initialized()):
        return ""
    return f", num_replicas={context.num_replicas}, rank=rank"
