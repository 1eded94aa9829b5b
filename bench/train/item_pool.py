"""All items that the runs of a stack can sample, held once on the device: their training parts and their synthetic rows."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bench.tasks.part import PAD, Part, Rows, TaggedSentences
from strategies import IGNORED


class ItemPool:
    """Gathers items of a whole stack at once.

    Run s samples from `parts[s]`, which begins with the items of its task's training part, `bases[s]`; what comes behind
    them are its own synthetic rows. All rows (of a text: all words) lie in one tensor, and runs of the same base share it:

        [ base of runs 0 and 1 | base of run 2 | ... | synthetic rows of run 0 | synthetic rows of run 2 | ... | padding row ]

    Sentences are stored word by word; only then is there a padding row.
    """

    def __init__(self, bases: Sequence[Part], parts: Sequence[Part], device: torch.device) -> None:
        tables = _RowTables()
        base_starts = torch.tensor([tables.add_base(base) for base in bases])
        synthetic_starts = torch.tensor(
            [tables.add_synthetic(base, part) for base, part in zip(bases, parts, strict=True)]
        )
        sizes = torch.tensor([len(base.labels) for base in bases])
        self._base_start, self._base_size = base_starts.unsqueeze(1), sizes.unsqueeze(1)
        # How far the synthetic rows of a run lie behind the end of its base.
        self._gap = (synthetic_starts - base_starts - sizes).unsqueeze(1)
        self._sentences = None
        if isinstance(bases[0], TaggedSentences):
            self._sentences = torch.cat(tables.sentence_starts), torch.cat(tables.sentence_lengths)
            tables.x.append(torch.tensor([PAD]))
            tables.targets.append(torch.tensor([IGNORED]))
        x, self._targets = torch.cat(tables.x), torch.cat(tables.targets)
        self._on_device = x.to(device), self._targets.to(device)
        self.row_shape = x.shape[1:]
        """Shape of one row of x: `(F,)` numbers, `(W,)` words of a window, `()` for a word of a sentence."""

    def row_ids(self, items: Tensor) -> Tensor:
        """Return the rows of the items `(S, B)` of each run's part: `(S, B)`, or word by word `(S, T, B)` for sentences.

        Behind the end of a sentence stands the id of the padding row, the pool's last.
        """
        items = items + self._base_start + (items >= self._base_size) * self._gap
        if self._sentences is None:
            return items
        starts, lengths = (table[items].unsqueeze(1) for table in self._sentences)
        time = torch.arange(int(lengths.max())).view(1, -1, 1)
        return torch.where(time < lengths, starts + time, len(self._targets) - 1)

    def longest_sentences(self, row_ids: Tensor) -> list[int]:
        """Return the words of each run's longest sentence, which may be shorter than those of its neighbours."""
        lengths: list[int] = (row_ids < len(self._targets) - 1).any(2).sum(1).tolist()
        return lengths

    def gather(self, row_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return x and targets of these rows on the device, `(*row_ids.shape, ...)` each."""
        flat = row_ids.flatten()
        x, targets = (table.index_select(0, flat).unflatten(0, row_ids.shape) for table in self._on_device)
        return x, targets

    def targets(self, row_ids: Tensor) -> Tensor:
        """Return the targets of these rows on the host."""
        targets: Tensor = self._targets.index_select(0, row_ids.flatten()).unflatten(0, row_ids.shape)
        return targets


class _RowTables:
    """Rows, or words, of several parts, one behind the other."""

    def __init__(self) -> None:
        self.x: list[Tensor] = []
        self.targets: list[Tensor] = []
        self.sentence_starts: list[Tensor] = []
        self.sentence_lengths: list[Tensor] = []
        self._first_item_of: dict[int, int] = {}
        """By the `id` of a part that was added."""
        self._items = self._words = 0

    def add_base(self, part: Part) -> int:
        """Add a part unless it was added before, and return the number of its first item."""
        if id(part) not in self._first_item_of:
            self._first_item_of[id(part)] = self._items
            if isinstance(part, TaggedSentences):
                self.sentence_starts.append(part.labels.offsets[:-1] + self._words)
                self.sentence_lengths.append(part.labels.positions)
                self._words += len(part.words)
                self._add(part.words, part.labels.values, len(part.labels))
            else:
                self._add(part.x, part.targets, len(part.labels))
        return self._first_item_of[id(part)]

    def add_synthetic(self, base: Part, part: Part) -> int:
        """Add the rows that a part has beyond its base, and return the number of the first of them."""
        first, size = self._items, len(base.labels)
        if isinstance(part, Rows) and len(part.labels) > size:
            self._add(part.x[size:], part.targets[size:], len(part.labels) - size)
        return first

    def _add(self, x: Tensor, targets: Tensor, items: int) -> None:
        self.x.append(x)
        self.targets.append(targets)
        self._items += items


def copy_to(device: torch.device, tensor: Tensor) -> Tensor:
    """Return the tensor on the device; the host does not wait until the copy is done."""
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)
