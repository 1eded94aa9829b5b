"""The files of a measurement: Markdown, CSV, JSON and a figure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import matplotlib
import pandas as pd
from matplotlib.figure import Figure
from pydantic import TypeAdapter

from bench.plotting.style import STYLE, save
from bench.speed.measurement import Measurement
from bench.text.files import write_texts

AnyMeasurement = TypeVar("AnyMeasurement", bound=Measurement)


def write_measurement(
    measurement: AnyMeasurement, stem: Path, page: str, draw_figure: Callable[[AnyMeasurement], Figure]
) -> list[Path]:
    """Write `stem` with the suffixes .md, .csv, .json, .png and .svg, and return the paths in this order."""
    frame = pd.DataFrame([dataclasses.asdict(row) for row in measurement.rows])
    texts = write_texts(stem, page, frame, measurement)
    with matplotlib.rc_context(STYLE):
        return [*texts, *save(draw_figure(measurement), stem)]


def read_measurement(kind: type[AnyMeasurement], path: Path) -> AnyMeasurement:
    """Read a measurement's JSON file, also an earlier version's, so that its page and figure can be rendered again."""
    return TypeAdapter(kind).validate_json(path.read_bytes())
