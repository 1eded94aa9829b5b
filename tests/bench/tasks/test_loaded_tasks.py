"""A process loads a task once per seed; a strategy that writes into it does no harm to the runs after it."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from bench.planning.protocol import ROWS
from bench.planning.run import Run
from bench.tasks import loaded_tasks
from bench.tasks.digits_lt import DigitsLT
from bench.tasks.loaded_tasks import forget_loaded_tasks
from strategies import get

LOADS: list[int] = []


@dataclass(frozen=True)
class Counted(DigitsLT):
    """Digits that count how often they are loaded."""

    extra: list[int] | None = field(default=None)

    def load(self, rng: np.random.Generator):
        LOADS.append(1)
        return super().load(rng)


@pytest.fixture(autouse=True)
def nothing_loaded():
    forget_loaded_tasks()
    LOADS.clear()
    yield
    forget_loaded_tasks()


def run(strategy="none", seed=0, fingerprint="a", **fields):
    return Run(Counted(**fields), get(strategy), ROWS, seed, fingerprint)


def test_runs_of_a_seed_share_a_task_and_other_seeds_or_data_do_not():
    task = run().load_task()
    assert run("focal").load_task() is task
    assert len(LOADS) == 1
    assert run(seed=1).load_task() is not task
    assert run(fingerprint="b").load_task() is not task
    assert len(LOADS) == 3


def test_old_tasks_are_let_go_where_memory_is_short(monkeypatch):
    monkeypatch.setattr(loaded_tasks, "MOST_BYTES", 1)
    for seed in (0, 1, 1, 0):
        run(seed=seed).load_task()
    assert len(LOADS) == 3


def test_a_task_that_cannot_be_hashed_is_loaded_every_time():
    for _ in range(2):
        run(extra=[1]).load_task()
    assert len(LOADS) == 2
