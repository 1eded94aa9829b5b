"""Where in a suite's text a complaint belongs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TomlLocation:
    """A block of a suite's text, or what stands before the first (None): where a complaint is looked for."""

    path: Path
    text: str
    block: int | None = None
    key: str = ""
    """Where it is given: nothing above the first line with this key."""

    def of(self, *culprits: str) -> str:
        """`FILE:LINE` of the first culprit found as a whole word; of the block's own line if none is."""
        lines = self.text.splitlines()
        heads = [number for number, line in enumerate(lines) if line.strip() == "[[block]]"]
        begin, end = 0, (heads or [len(lines)])[0]
        if self.block is not None and self.block < len(heads):
            begin, end = heads[self.block], [*heads[1:], len(lines)][self.block]
        if self.key:
            begin = next(_holding(lines, self.key, begin, end), begin)
        found = (number for culprit in culprits for number in _holding(lines, culprit, begin, end))
        return f"{self.path}:{next(found, begin) + 1}"


def _holding(lines: list[str], culprit: str, begin: int, end: int) -> Iterator[int]:
    """The lines that hold it as a whole word, comments aside."""
    word = re.compile(rf"(?<![\w-]){re.escape(culprit)}(?![\w-])")
    return (number for number in range(begin, end) if word.search(lines[number].partition("#")[0]))
