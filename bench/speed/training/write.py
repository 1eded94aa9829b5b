"""A measurement as files: tables, figure, and all of it as JSON."""

from __future__ import annotations

from pathlib import Path

from bench.speed.training.figure import write_figure
from bench.speed.training.result import Result
from bench.speed.training.table import frame, page
from bench.text.files import write_texts


def write(result: Result, folder: Path) -> list[Path]:
    """`train-bench.md`, `.csv`, `.json`, `.png` and `.svg`; their paths."""
    stem = folder / "train-bench"
    return [*write_texts(stem, page(result), frame(result), result), *write_figure(result, stem)]
