"""A measurement as files: tables, figure, and all of it as JSON."""

from __future__ import annotations

from pathlib import Path

from bench.speed.samplers.figure import write_figure
from bench.speed.samplers.result import Result
from bench.speed.samplers.table import frame, page
from bench.text.files import write_texts


def write(result: Result, folder: Path) -> list[Path]:
    """`samplers.md`, `.csv`, `.json`, `.png` and `.svg`; their paths."""
    stem = folder / "samplers"
    return [*write_texts(stem, page(result), frame(result), result), *write_figure(result, stem)]
