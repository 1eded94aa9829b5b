"""The committed measurements can still be read, and their pages and files hold the figures that were measured."""

from pathlib import Path

import pytest

from bench.speed.measurement_files import read_measurement
from bench.speed.regression import baseline
from bench.speed.samplers import write as samplers
from bench.speed.samplers.sampler_measurement import SamplerMeasurement
from bench.speed.training import write as training
from bench.speed.training.training_measurement import TrainingMeasurement

REFERENCE = Path(__file__).parents[3] / "results" / "reference"
MEASUREMENTS = [
    (REFERENCE / "samplers" / "samplers.json", SamplerMeasurement, samplers),
    (REFERENCE / "sampler-peers" / "samplers.json", SamplerMeasurement, samplers),
    (REFERENCE / "train-bench" / "train-bench.json", TrainingMeasurement, training),
]


def comparable_lines(page):
    """The lines of a page without the method, whose wording is the measurement's own, and with one kind of dash."""
    return [line for line in page.replace("\N{EN DASH}", "-").splitlines() if not line.startswith("Method: ")]


@pytest.mark.parametrize(("path", "kind", "write"), MEASUREMENTS, ids=lambda value: getattr(value, "name", ""))
def test_a_committed_measurement_is_read_and_written_again(path, kind, write, tmp_path, monkeypatch):
    monkeypatch.setattr("bench.speed.measurement_files.save", lambda figure, stem: [])  # pixels depend on matplotlib
    page, csv, json = write.write_files(read_measurement(kind, path), tmp_path)
    assert json.read_bytes() == path.read_bytes()
    assert csv.read_bytes() == path.with_suffix(".csv").read_bytes()
    assert comparable_lines(page.read_text()) == comparable_lines(path.with_suffix(".md").read_text())


def test_baselines_of_the_source_tree_are_found_and_read():
    paths = list(baseline.REFERENCE.glob("*.json"))
    assert paths
    for path in paths:
        assert set(baseline.read_baseline(path).ratios) == {"ClassBalancedSampler", "WeightedSampler"}
