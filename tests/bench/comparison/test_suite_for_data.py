"""The learners, remedies and steps that are compared on data of each kind."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from bench.comparison.suite_for_data import LARGE_TABLE, MOST_STEPS, REMEDIES, suite_for_data
from bench.errors import InputError
from bench.planning.plan import make_plan
from bench.planning.protocol import ROWS
from bench.tasks import find_task
from bench.tasks.task import Task, TaskSpec
from strategies import parse


@dataclass(frozen=True)
class Table(TaskSpec):
    rows: int = 300

    @property
    def label(self) -> str:
        return "small.csv"

    @property
    def kind(self) -> str:
        return "rows"

    def load(self, rng: np.random.Generator) -> Task:
        source = np.random.default_rng(0)
        x = source.normal(size=(self.rows, 3))
        return Task.from_arrays(x, (x[:, 0] > 1).astype(int), rng=rng)


def suite_of(spec, **options):
    return suite_for_data(spec, spec.load(np.random.default_rng(0)), seeds=3, **options)


def test_tables_have_two_learners_and_corpora_one():
    table, corpus = suite_of(Table()), suite_of(find_task("synthetic-conll(kind=sentences, scale=0.01)"))
    assert [block.label for block in table.blocks] == ["small.csv with mlp", "small.csv with hist-gradient-boosting"]
    assert [block.protocol.model for block in corpus.blocks] == ["bilstm-tagger"]


def test_every_remedy_of_every_kind_exists_and_can_be_used():
    for spec in (
        Table(),
        *(find_task(f"synthetic-conll(kind={kind}, scale=0.01)") for kind in ("windows", "sentences")),
    ):
        study = make_plan(suite_of(spec), torch.device("cpu")).study
        assert [(row.strategy, row.skipped) for row in study.strategies if row.skipped] == []
    assert all(parse(name) for names in REMEDIES.values() for name in names)


@pytest.mark.parametrize(
    ("rows", "steps"), [(300, ROWS.steps), (LARGE_TABLE * 2, 1600), (400_000, 12_800), (10**7, MOST_STEPS)]
)
def test_large_tables_get_steps_for_ten_epochs_within_bounds(rows, steps, monkeypatch):
    spec = Table()
    task = spec.load(np.random.default_rng(0))
    labels = type("Labels", (), {"__len__": lambda self: int(0.6 * rows)})()
    suite = suite_for_data(spec, type("Task", (), {"train": type("Part", (), {"labels": labels})()})(), seeds=3)
    protocol = suite.blocks[0].protocol
    assert protocol.steps == steps
    assert protocol.steps % protocol.validate_every == 0
    assert task.shape.features == 3


def test_what_is_asked_for_replaces_the_usual_and_plain_training_stays():
    suite = suite_of(Table(), models=["random-forest"], strategies=["focal", "none"])
    assert [block.label for block in suite.blocks] == ["small.csv with random-forest"]
    assert list(map(str, suite.blocks[0].strategies)) == ["none", "focal"]


@pytest.mark.parametrize("options", [{"models": ["forest"]}, {"strategies": ["fokal"]}])
def test_what_does_not_exist_is_refused_with_what_does(options):
    with pytest.raises(InputError, match=r"random-forest|focal"):
        suite_of(Table(), **options)
