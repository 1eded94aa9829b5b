"""Batches for loops by hand: from a DataLoader, or indexed straight from tensors."""

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
"""An endless iterator of batches: a module's inputs, then the targets."""


def loader_batches(part: Part, protocol: Protocol, device: torch.device) -> Batches:
    """Yield batches of `DataLoader(TensorDataset(...), batch_size, shuffle=True)`, epoch after epoch."""
    loader = DataLoader(
        TensorDataset(*padded_tensors(part)),
        batch_size=protocol.batch_size,
        shuffle=True,
        drop_last=True,
        generator=_seeded_generator(),
    )
    while True:
        for batch in loader:
            yield _move_to_device(device, _cut_to_longest(batch))


def length_grouped_loader_batches(part: Part, protocol: Protocol, device: torch.device) -> Batches:
    """Yield batches of a DataLoader whose batch sampler puts sentences of similar length together."""
    x, lengths, targets = padded_tensors(part)
    batch_sampler = (index.tolist() for index in _batch_indices(part, protocol))
    loader = DataLoader(TensorDataset(x, lengths, targets), batch_sampler=batch_sampler, generator=_seeded_generator())
    yield from (_move_to_device(device, _cut_to_longest(batch)) for batch in loader)


def indexed_batches(part: Part, protocol: Protocol, device: torch.device) -> Batches:
    """Yield batches indexed from tensors on the device.

    The tensors are permuted once per epoch and then split. Sentences are indexed batch by batch instead, where the protocol
    puts those of similar length together.
    """
    whole_part = _move_to_device(device, padded_tensors(part))
    if protocol.length_group > 1:
        for index in _batch_indices(part, protocol):
            yield _cut_to_longest([tensor.index_select(0, index.to(tensor.device)) for tensor in whole_part])
    generator, items = _seeded_generator(), len(part.labels) // protocol.batch_size * protocol.batch_size
    while True:
        order = torch.randperm(len(part.labels), generator=generator)[:items].to(device)
        epoch = [tensor.index_select(0, order).split(protocol.batch_size) for tensor in whole_part]
        yield from zip(*epoch, strict=True)


def padded_tensors(part: Part) -> tuple[Tensor, ...]:
    """Return a part as the tensors of a TensorDataset: `x (N, ...)`, for sentences their `lengths (N,)`, and the targets."""
    if not isinstance(part, TaggedSentences):
        return part.x, part.labels.values
    lengths = part.labels.positions
    split_at = lengths.tolist()
    x, targets = (list(values.split(split_at)) for values in (part.words, part.labels.values))
    return (
        pad_sequence(x, batch_first=True, padding_value=PAD),
        lengths,
        pad_sequence(targets, batch_first=True, padding_value=IGNORED),
    )


def _cut_to_longest(batch: list[Tensor]) -> tuple[Tensor, ...]:
    """Cut the padding of sentences to the longest of their batch; leave rows as they are."""
    if len(batch) == 2:
        return tuple(batch)
    x, lengths, targets = batch
    longest = int(lengths.max())
    return x[:, :longest], lengths, targets[:, :longest]


def _move_to_device(device: torch.device, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Move inputs and targets; lengths stay on the CPU, where packing reads them."""
    x, *lengths, targets = batch
    return x.to(device), *lengths, targets.to(device)


def _batch_indices(part: Part, protocol: Protocol) -> Iterator[Tensor]:
    """Yield the indices of batches, in shuffled epochs of whole groups of `length_group` batches.

    The sentences of a group are sorted by length and split into batches, and its batches come in random order.
    """
    generator, group = _seeded_generator(), protocol.length_group
    items_per_group = group * protocol.batch_size
    while True:
        order = torch.randperm(len(part.labels), generator=generator)
        for items in order[: len(order) // items_per_group * items_per_group].split(items_per_group):
            if group == 1:
                yield items
                continue
            by_length = items[part.labels.positions[items].argsort()]
            batches = by_length.split(protocol.batch_size)
            yield from (batches[number] for number in torch.randperm(group, generator=generator).tolist())


def _seeded_generator() -> Generator:
    return Generator().manual_seed(0)
