"""Which checkpoint of a run is kept: the best on validation by the run's metric, the last of equals."""

import dataclasses
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from bench.metrics.selection_metric import parse_metric
from bench.models.model import Shape
from bench.planning.protocol import reference_protocol
from bench.planning.run import Run
from bench.records.record import Record
from bench.tasks import Task, TaskSpec, find_task
from bench.tasks.part import Rows
from bench.train.clock import Clock
from bench.train.loop import train
from strategies import Labels, parse

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_last_of_equally_good_checkpoints_is_kept_and_a_plateau_counts_as_converged():
    task = find_task("digits-lt")
    protocol = dataclasses.replace(reference_protocol(task), steps=400, validate_every=20)
    runs = [Run(task, parse(strategy), protocol, seed, "") for strategy in ("none", "focal") for seed in range(4)]
    records = train(runs, device=torch.device("cpu"), clock=Clock())
    plateaus = 0
    for record in records:
        assert isinstance(record, Record)
        highest = max(score for _, score in record.curve)
        best_steps = [step for step, score in record.curve if score == highest]
        assert record.chosen_step == best_steps[-1]
        assert record.converged == (best_steps[0] < 400)
        plateaus += len(best_steps) > 1
    assert plateaus  # ties are common with so few validation labels


@dataclasses.dataclass(frozen=True)
class Frauds(TaskSpec):
    """Two overlapping clouds of points, 1 in 20 of the second one."""

    label: ClassVar[str] = "frauds"
    kind: ClassVar[str] = "rows"

    def load(self, rng: np.random.Generator) -> Task:
        parts = []
        for size in (600, 400, 400):
            truth = (np.arange(size) % 20 == 0).astype(int)
            x = rng.normal(size=(size, 6)).astype(np.float32) + 0.6 * truth[:, None].astype(np.float32)
            parts.append(Rows(torch.from_numpy(x), Labels.of(truth, ["genuine", "fraud"])))
        return Task("made up", "rows", "natural", Shape(2, features=6), *parts, fingerprint="made up")


def metrics_of_frauds(folder: Path) -> list[str]:
    costs = folder / "costs.csv"
    costs.write_text(",genuine,fraud\ngenuine,0,1\nfraud,30,0\n")
    return ["macro-f1", "balanced-accuracy", "positive-f1", "average-precision", "recall-at-precision(0.4)", str(costs)]


def test_each_run_keeps_the_best_checkpoint_by_its_own_metric_and_its_id_tells_the_metric(tmp_path: Path):
    task = Frauds()
    protocol = dataclasses.replace(reference_protocol(task), steps=300, validate_every=10, learning_rate=1e-2)
    metrics = [parse_metric(text, ["genuine", "fraud"]) for text in metrics_of_frauds(tmp_path)]
    runs = [Run(task, parse("none"), protocol, 1, "", metric=metric) for metric in metrics]
    records = train(runs, device=torch.device("cpu"), clock=Clock())
    for metric, record in zip(metrics, records, strict=True):
        assert isinstance(record, Record)
        best = (max if metric.direction == "up" else min)(score for _, score in record.curve)
        assert record.chosen_step == [step for step, score in record.curve if score == best][-1]
        assert metric.value(record.evaluation("chosen", "valid")) == pytest.approx(best)
        assert record.chosen_by == metric.identity
    assert len({run.id for run in runs}) == len(runs)
    assert runs[0].id == Run(task, parse("none"), protocol, 1, "").id
    assert "metric" not in runs[0].identity()
    assert len({record.chosen_step for record in records}) > 1  # metrics disagree on this task


def test_entity_f1_chooses_checkpoints_too():
    task = find_task("synthetic-conll(scale=0.02)")
    protocol = dataclasses.replace(reference_protocol(task), steps=60, validate_every=20)
    metric = parse_metric("entity-f1", task.load(np.random.default_rng(0)).train.labels.class_names)
    (record,) = train(
        [Run(task, parse("none"), protocol, 0, "", metric=metric)], device=torch.device("cpu"), clock=Clock()
    )
    assert isinstance(record, Record)
    assert metric.value(record.evaluation("chosen", "valid")) == max(score for _, score in record.curve)
