"""The files of a measurement of training."""

from __future__ import annotations

from pathlib import Path

from bench.speed.measurement_files import write_measurement
from bench.speed.training.figure import draw_figure
from bench.speed.training.table import render_page
from bench.speed.training.training_measurement import TrainingMeasurement


def write_files(measurement: TrainingMeasurement, folder: Path) -> list[Path]:
    """Write `train-bench.md`, `.csv`, `.json`, `.png` and `.svg`, and return their paths."""
    return write_measurement(measurement, folder / "train-bench", render_page(measurement), draw_figure)
