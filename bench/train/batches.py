"""The batches of a stack: each run samples its own items, and one gather reads the items of all runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from bench.models.variant import ModelVariant
from bench.planning.run import Run
from bench.tasks.part import PAD, UNK, Batch, MixedBatch, TaggedSentences
from bench.tasks.task import Task
from bench.train.item_pool import ItemPool, copy_to
from bench.train.run_sampler import RunSampler
from strategies import IGNORED


@dataclass(frozen=True)
class BatchPlan:
    """What a batch will hold, on the device: everything random about it is decided, but nothing is gathered yet.

    `row_ids` are rows of the pool, `(S, B)`, or `(S, T, B)` for sentences; `unk_mask` marks the words that become UNK, None
    where none does; `mixing` is the rest of a `MixedBatch`, None where items are not mixed.
    """

    row_ids: Tensor
    unk_mask: Tensor | None = None
    mixing: tuple[Tensor, ...] | None = None


class BatchLoader:
    """A sampler per run, and the pool that all of them gather from.

    A batch takes three steps: `sample_items` (host), `plan_batch` (host, then copied to the device), `gather` (device).
    """

    def __init__(self, runs: Sequence[Run], tasks: Sequence[Task], device: torch.device) -> None:
        self.samplers = [RunSampler(run, task) for run, task in zip(runs, tasks, strict=True)]
        self._pool = ItemPool([task.train for task in tasks], [sampler.pool.part for sampler in self.samplers], device)
        self._unk_rate, self._device = runs[0].protocol.unk_rate, device
        self.time_first = isinstance(tasks[0].train, TaggedSentences)
        """Whether items are sentences, laid out `(S, T, B)`: then a batch is as long as its longest sentence."""
        self._mixes = ModelVariant.of(runs[0].strategy).mixes

    def sample_items(self) -> Tensor:
        """Return the items `(S, B)` of the next batch."""
        return torch.stack([sampler.sample_items() for sampler in self.samplers])

    def plan_batch(self, items: Tensor) -> BatchPlan:
        """Decide what the batch of these items `(S, B)` holds, and send that to the device."""
        row_ids = self._pool.row_ids(items)
        unk_mask = copy_to(self._device, self._unk_mask(row_ids)) if self._unk_rate else None
        mixing = self._mixing(self._pool.targets(row_ids)) if self._mixes else None
        return BatchPlan(copy_to(self._device, row_ids), unk_mask, mixing)

    def gather(self, plan: BatchPlan) -> Batch:
        """Return the batch, `x (S, ...)` and `targets (S, ...)`, with words replaced by UNK and with pairs, as planned."""
        x, targets = self._pool.gather(plan.row_ids)
        if plan.unk_mask is not None:
            x = x.masked_fill_(plan.unk_mask & (x != PAD), UNK)
        return Batch(x, targets) if plan.mixing is None else MixedBatch(x, *plan.mixing)

    def _unk_mask(self, row_ids: Tensor) -> Tensor:
        """Sample the words that become UNK, `(*row_ids.shape, ...)`.

        Each run samples for its own longest sentence, so that what it samples does not depend on its neighbours' sentences.
        """
        shape = (*row_ids.shape, *self._pool.row_shape)
        if not self.time_first:
            return torch.stack([sampler.sample_unk_mask(*shape[1:]) for sampler in self.samplers])
        lengths = self._pool.longest_sentences(row_ids)
        masks = [
            sampler.sample_unk_mask(length, shape[2]) for sampler, length in zip(self.samplers, lengths, strict=True)
        ]
        return torch.stack([F.pad(mask, (0, 0, 0, shape[1] - len(mask))) for mask in masks])

    def _mixing(self, targets: Tensor) -> tuple[Tensor, ...]:
        """Return all fields of a `MixedBatch` but x, on the device."""
        targets_by_item = targets.mT if self.time_first else targets
        pairs = [
            sampler.sample_pairs(run_targets)
            for sampler, run_targets in zip(self.samplers, targets_by_item, strict=True)
        ]
        partner = torch.stack([mixed.partner for mixed in pairs])
        lambda_x = torch.stack([mixed.lambda_x for mixed in pairs])
        lambda_y = torch.stack([mixed.lambda_y for mixed in pairs])
        partner_targets = targets_by_item[torch.arange(len(partner)).unsqueeze(1), partner]
        # Nothing can be learnt where either item of a pair has no label.
        unlabelled = (targets_by_item == IGNORED) | (partner_targets == IGNORED)
        like_targets = (
            targets_by_item.masked_fill(unlabelled, IGNORED),
            partner_targets.masked_fill(unlabelled, IGNORED),
            lambda_y,
        )
        targets, partner_targets, lambda_y = (value.mT if self.time_first else value for value in like_targets)
        fields = (targets, partner, lambda_x, partner_targets, lambda_y)
        return tuple(copy_to(self._device, value.contiguous()) for value in fields)
