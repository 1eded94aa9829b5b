"""The files of a measurement of samplers."""

from __future__ import annotations

from pathlib import Path

from bench.speed.measurement_files import write_measurement
from bench.speed.samplers.figure import draw_figure
from bench.speed.samplers.sampler_measurement import SamplerMeasurement
from bench.speed.samplers.table import render_page


def write_files(measurement: SamplerMeasurement, folder: Path) -> list[Path]:
    """Write `samplers.md`, `.csv`, `.json`, `.png` and `.svg`, and return their paths."""
    return write_measurement(measurement, folder / "samplers", render_page(measurement), draw_figure)
