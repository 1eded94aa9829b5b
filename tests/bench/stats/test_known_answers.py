"""Experiments whose answer is known: plain training equals itself, and half the training is worse."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import pytest
import torch
from numpy.random import default_rng
from torch import Tensor

from bench.metrics.classification import macro_f1
from bench.planning.protocol import reference_protocol
from bench.planning.run import Run
from bench.planning.seeds import sub_seed
from bench.records.record import Record
from bench.stats import BETTER, WORSE, Comparison, Resplit, compare
from bench.tasks import find_task
from bench.train.clock import Clock
from bench.train.loop import train
from bench.train.step import StackRunner
from strategies import ClassCounts, Labels, Strategy
from strategies.draw.epochs import shuffled_epochs

CPU = torch.device("cpu")
DIGITS = find_task("digits-lt")
PROTOCOL = dataclasses.replace(reference_protocol(DIGITS), steps=400, validate_every=100)
SEEDS = range(10)


@dataclass(frozen=True)
class Again(Strategy):
    """Plain training under another name: its epochs are shuffled by another seed."""

    number: int
    name: ClassVar[str] = "again"

    def index_stream(
        self, labels: Labels, counts: ClassCounts, *, batch_size: int, steps: int, seed: int
    ) -> Iterator[Tensor]:
        return shuffled_epochs(len(labels), batch_size=batch_size, seed=sub_seed("again", self.number, seed))


pytestmark = pytest.mark.usefixtures("one_thread")


def trained(protocol, *numbers: int) -> pd.DataFrame:
    """Macro-F1 on test, name x seed."""
    members = [Run(DIGITS, Again(number), protocol, seed, "made") for number in numbers for seed in SEEDS]
    values: dict[str, dict[int, float]] = {}
    for record in train(members, device=CPU, clock=Clock()):
        assert isinstance(record, Record)
        values.setdefault(record.strategy, {})[record.seed] = macro_f1(record.evaluation("chosen", "test").confusion)
    return pd.DataFrame.from_dict(values, orient="index")


@pytest.fixture(scope="module")
def same() -> pd.DataFrame:
    return trained(PROTOCOL, *range(6))


def compared(table: pd.DataFrame) -> Comparison:
    """All rows against the first, as the report compares them: each seed splits the digits anew."""
    baseline, *others = map(str, table.index)
    return compare(table, baseline=baseline, primary=others, split=Resplit(*DIGITS.load(default_rng(0)).resplit))


def test_plain_training_under_six_names_starts_alike_and_samples_differently(same):
    program = StackRunner([Run(DIGITS, Again(number), PROTOCOL, 0, "made") for number in range(6)], CPU)
    assert all(torch.equal(row, program.stack.leaf[0]) for row in program.stack.leaf)
    assert all(torch.equal(task.train.x, program.tasks[0].train.x) for task in program.tasks)
    assert same.nunique().min() > 1


def test_plain_training_compared_with_itself_is_neither_better_nor_worse(same):
    verdicts = compared(same).verdicts
    assert len(verdicts) == 5
    assert not {each.outcome for each in verdicts} & {BETTER, WORSE}


def test_half_the_training_steps_are_worse(same):
    half = trained(dataclasses.replace(PROTOCOL, steps=PROTOCOL.steps // 2), 6)
    (verdict,) = compared(pd.concat([same.iloc[:1], half])).verdicts
    assert verdict.outcome == "worse"
    assert verdict.low < verdict.difference < verdict.high < 0
