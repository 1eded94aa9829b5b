"""The line of a suite's text that an error message names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TomlLocation:
    """The part of a suite's text that an error is about: one of its blocks, or the lines before the first block (None)."""

    path: Path
    text: str
    block: int | None = None
    key: str = ""
    """The key that the error is about; lines above the first one that holds it are not searched."""

    def of(self, *culprits: str) -> str:
        """Return `FILE:LINE` of the first culprit that is there as a whole word, or else of the first line of this part."""
        lines = self.text.splitlines()
        block_starts = [number for number, line in enumerate(lines) if line.strip() == "[[block]]"]
        begin, end = 0, (block_starts or [len(lines)])[0]
        if self.block is not None and self.block < len(block_starts):
            begin, end = block_starts[self.block], [*block_starts[1:], len(lines)][self.block]
        if self.key:
            begin = next(_lines_with(lines, self.key, begin, end), begin)
        matches = (number for culprit in culprits for number in _lines_with(lines, culprit, begin, end))
        return f"{self.path}:{next(matches, begin) + 1}"


def _lines_with(lines: list[str], word: str, begin: int, end: int) -> Iterator[int]:
    """Yield the numbers of the lines that hold a whole word outside of comments."""
    pattern = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
    return (number for number in range(begin, end) if pattern.search(lines[number].partition("#")[0]))
