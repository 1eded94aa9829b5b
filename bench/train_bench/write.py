"""A measurement as files: tables, figure, and all of it as JSON."""

from __future__ import annotations

from pathlib import Path

from bench.text.files import write_texts
from bench.train_bench.figure import write_figure
from bench.train_bench.result import Result
from bench.train_bench.table import frame, page


def write(result: Result, folder: Path) -> list[Path]:
    """`train-bench.md`, `.csv`, `.json`, `.png` and `.svg`; their paths."""
    stem = folder / "train-bench"
    return [*write_texts(stem, page(result), frame(result), result), *write_figure(result, stem)]
