"""All that the trainings of a stack can draw from, once, on the device: their parts, and behind them the rows that were made."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bench.tasks.part import PAD, Part, Rows, TaggedSentences
from strategies import IGNORED


class ItemPool:
    """Gathers items of a whole stack at once: `parts[s]`, beginning with the items of `bases[s]`, is what training s draws from.

    Trainings share the base that they have in common; a stack holds it once.
    """

    def __init__(self, bases: Sequence[Part], parts: Sequence[Part], device: torch.device) -> None:
        tables = _Tables()
        bases_first = [tables.first_of(base) for base in bases]
        made_first = [tables.first_of_made(*each) for each in zip(bases, parts, strict=True)]
        sizes = torch.tensor([len(base.labels) for base in bases])
        self._first, self._size = torch.tensor(bases_first).unsqueeze(1), sizes.unsqueeze(1)
        self._jump = (torch.tensor(made_first) - torch.tensor(bases_first) - sizes).unsqueeze(1)
        self._sentences = None
        if isinstance(bases[0], TaggedSentences):
            self._sentences = torch.cat(tables.begins), torch.cat(tables.lengths)
            tables.x.append(torch.tensor([PAD]))
            tables.targets.append(torch.tensor([IGNORED]))
        x, self._targets, self._device = torch.cat(tables.x), torch.cat(tables.targets), device
        self._tables = x.to(device), self._targets.to(device)
        self.inputs = x.shape[1:]
        """Of one place: the numbers of a row, the words of a window; a word of a sentence has none."""

    def places(self, items: Tensor) -> Tensor:
        """Where the items `(S, B)` of the trainings' parts lie: `(S, B)`, or of sentences, word by word, `(S, T, B)`.

        Where a sentence has ended lies the pool's last row, which is none.
        """
        items = items + self._first + (items >= self._size) * self._jump
        if self._sentences is None:
            return items
        begins, lengths = (each[items].unsqueeze(1) for each in self._sentences)
        time = torch.arange(int(lengths.max())).view(1, -1, 1)
        return torch.where(time < lengths, begins + time, len(self._targets) - 1)

    def lengths(self, places: Tensor) -> list[int]:
        """How many words the longest sentence of each training has: its neighbours' may be longer."""
        found: list[int] = (places < len(self._targets) - 1).any(2).sum(1).tolist()
        return found

    def take(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """x and targets at these places on the device, each `(*places.shape, ...)`."""
        flat = places.flatten()
        x, targets = (table.index_select(0, flat).unflatten(0, places.shape) for table in self._tables)
        return x, targets

    def targets(self, places: Tensor) -> Tensor:
        """The targets at these places, on the host."""
        found: Tensor = self._targets.index_select(0, places.flatten()).unflatten(0, places.shape)
        return found


class _Tables:
    """Rows, or words, of several parts behind each other."""

    def __init__(self) -> None:
        self.x: list[Tensor] = []
        self.targets: list[Tensor] = []
        self.begins: list[Tensor] = []
        self.lengths: list[Tensor] = []
        self._known: dict[int, int] = {}
        self._items = self._words = 0

    def first_of(self, part: Part) -> int:
        """The number of a part's first item; a part that is there already is not added again."""
        if id(part) not in self._known:
            self._known[id(part)] = self._items
            if isinstance(part, TaggedSentences):
                self.begins.append(part.labels.offsets[:-1] + self._words)
                self.lengths.append(part.labels.positions)
                self._words += len(part.words)
                self._add(part.words, part.labels.values, len(part.labels))
            else:
                self._add(part.x, part.targets, len(part.labels))
        return self._known[id(part)]

    def first_of_made(self, base: Part, part: Part) -> int:
        """The number of the first item that a part has beyond its base."""
        first, size = self._items, len(base.labels)
        if isinstance(part, Rows) and len(part.labels) > size:
            self._add(part.x[size:], part.targets[size:], len(part.labels) - size)
        return first

    def _add(self, x: Tensor, targets: Tensor, items: int) -> None:
        self.x.append(x)
        self.targets.append(targets)
        self._items += items


def moved(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on the device; the host does not wait until it is there."""
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)
