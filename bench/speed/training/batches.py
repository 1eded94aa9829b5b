"""Batches as an engineer draws them by hand: from a DataLoader, or straight from tensors."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator, Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, TensorDataset

from bench.planning.protocol import Protocol
from bench.tasks.part import PAD, Part, TaggedSentences
from strategies import IGNORED

Batches = Iterator[tuple[Tensor, ...]]
"""What a module reads, then its targets, batch after batch without end."""


def from_loader(part: Part, protocol: Protocol, device: torch.device) -> Batches:
    """`DataLoader(TensorDataset(...), batch_size, shuffle=True)`, epoch after epoch."""
    loader = DataLoader(
        TensorDataset(*tensors(part)),
        batch_size=protocol.batch_size,
        shuffle=True,
        drop_last=True,
        generator=_generator(),
    )
    while True:
        for batch in loader:
            yield _on(device, _cut(batch))


def from_grouping_loader(part: Part, protocol: Protocol, device: torch.device) -> Batches:
    """The same through a batch sampler whose sentences are of like length."""
    x, lengths, targets = tensors(part)
    sampler = (index.tolist() for index in _index_batches(part, protocol))
    loader = DataLoader(TensorDataset(x, lengths, targets), batch_sampler=sampler, generator=_generator())
    yield from (_on(device, _cut(batch)) for batch in loader)


def direct(part: Part, protocol: Protocol, device: torch.device) -> Batches:
    """Rows of tensors that lie on the device, put in order once an epoch; sentences in batches of like length."""
    held = _on(device, tensors(part))
    if protocol.length_group > 1:
        for index in _index_batches(part, protocol):
            yield _cut([each.index_select(0, index.to(each.device)) for each in held])
    generator, whole = _generator(), len(part.labels) // protocol.batch_size * protocol.batch_size
    while True:
        drawn = torch.randperm(len(part.labels), generator=generator)[:whole].to(device)
        epoch = [each.index_select(0, drawn).split(protocol.batch_size) for each in held]
        yield from zip(*epoch, strict=True)


def tensors(part: Part) -> tuple[Tensor, ...]:
    """A part as a TensorDataset's tensors: `x (N, ...)`, of sentences `lengths (N,)` too, then the targets."""
    if not isinstance(part, TaggedSentences):
        return part.x, part.labels.values
    lengths = part.labels.positions
    cut = lengths.tolist()
    x, targets = (list(values.split(cut)) for values in (part.words, part.labels.values))
    return (
        pad_sequence(x, batch_first=True, padding_value=PAD),
        lengths,
        pad_sequence(targets, batch_first=True, padding_value=IGNORED),
    )


def _cut(batch: list[Tensor]) -> tuple[Tensor, ...]:
    """Sentences, no longer than the longest of their batch."""
    if len(batch) == 2:
        return tuple(batch)
    x, lengths, targets = batch
    longest = int(lengths.max())
    return x[:, :longest], lengths, targets[:, :longest]


def _on(device: torch.device, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """On the device, but for lengths, which packing reads on the CPU."""
    first, *lengths, targets = batch
    return first.to(device), *lengths, targets.to(device)


def _index_batches(part: Part, protocol: Protocol) -> Iterator[Tensor]:
    """Shuffled epochs in whole batches; of sentences, `length_group` batches are sorted by length, and come in random order."""
    generator, group = _generator(), protocol.length_group
    together = group * protocol.batch_size
    while True:
        drawn = torch.randperm(len(part.labels), generator=generator)
        for items in drawn[: len(drawn) // together * together].split(together):
            if group == 1:
                yield items
            else:
                batches = items[part.labels.positions[items].argsort()].split(protocol.batch_size)
                yield from (batches[place] for place in torch.randperm(group, generator=generator).tolist())


def _generator() -> Generator:
    return Generator().manual_seed(0)
