"""The estimated time: the workers' queue, and the time of a whole stack from its first steps."""

from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import Generator

from bench.engine.packing import pack
from bench.engine.time_estimate import Job, Probe, estimate_time, makespan
from bench.planning.protocol import ROWS, Protocol
from bench.planning.run import Run
from bench.tasks import find_task
from bench.tasks.task import Task, TaskSpec
from strategies import parse

JOBS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9)), max_size=7)
LOADS = st.fixed_dictionaries(dict.fromkeys("abc", st.integers(0, 4)))


def second_by_second(jobs, loads, workers: int, start: int) -> int:
    """Simulate the same queue second by second."""
    waiting, left = list(jobs), [start] * min(workers, len(jobs))
    known = [set() for _ in left]
    now = last = 0
    while waiting or any(left):
        for worker, seconds in enumerate(left):
            if seconds == 0 and waiting:
                task, long = waiting.pop(0)
                left[worker] = long + (0 if task in known[worker] else loads[task])
                known[worker].add(task)
        now += 1
        left = [max(0, seconds - 1) for seconds in left]
        last = now
    return last


@given(JOBS, LOADS, st.integers(1, 4), st.integers(0, 3))
def test_the_makespan_is_that_of_a_second_by_second_simulation(jobs, loads, workers, start):
    given = [Job(task, long, loads[task]) for task, long in jobs]
    assert makespan(given, workers, start) == second_by_second(jobs, loads, workers, start)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=6), st.integers(1, 3))
def test_longest_first_is_within_grahams_bound_of_the_best_assignment(seconds, workers):
    best = min(
        max(sum(each for each, to in zip(seconds, places, strict=True) if to == worker) for worker in range(workers))
        for places in product(range(workers), repeat=len(seconds))
    )
    found = makespan([Job("a", each, 0.0) for each in sorted(seconds, reverse=True)], workers, 0.0)
    assert best <= found <= (4 / 3 - 1 / (3 * workers)) * best + 1e-9


def test_the_time_of_a_stack_is_its_set_up_steps_validations_and_final_evaluations():
    protocol = Protocol("mlp", batch_size=64, steps=600, validate_every=100, learning_rate=1e-3)
    stack = [Run(find_task("digits-lt"), parse("none"), protocol, seed, "data") for seed in range(3)]
    probe = Probe(0.0, 50.0, setup_seconds=2.0, step_seconds=0.01, validation_seconds=0.5, final_seconds=4.0)
    assert probe.seconds(stack) == pytest.approx(3 * (2 + 600 * 0.01 + 6 * 0.5 + 4))


@dataclass(frozen=True)
class Cursed(TaskSpec):
    """A task that cannot be loaded."""

    label: ClassVar[str] = "cursed"
    protocol: ClassVar[Protocol] = ROWS

    def load(self, rng: Generator) -> Task:
        raise RuntimeError("this task is cursed")


def test_a_stack_that_cannot_be_trained_is_reported_and_the_others_are_estimated():
    cpu = torch.device("cpu")
    runs = [Run(task, parse("none"), ROWS, 0, "data") for task in (Cursed(), find_task("digits-lt"))]
    found = estimate_time(pack(runs, 2, cpu), runs[:1], 2, cpu)
    reason = "cursed: RuntimeError: this task is cursed"
    assert found.not_counted == [reason, f"costs of {reason}"]
    assert found.training_seconds > 0


def test_where_nothing_is_left_to_train_no_process_is_started_and_the_estimate_is_zero():
    found = estimate_time(pack([], 2, torch.device("cpu")), [], 2, torch.device("cpu"))
    assert (found.training_seconds, found.cost_seconds, found.not_counted) == (0.0, 0.0, [])


def test_where_no_process_can_start_the_estimate_says_why(tmp_path, monkeypatch, capfd):
    cpu, runs = torch.device("cpu"), [Run(find_task("digits-lt"), parse("none"), ROWS, 0, "data")]
    packing = pack(runs, 1, cpu)
    (tmp_path / "torch.py").write_text("raise ImportError('libtorch.so: cannot open shared object file')")
    monkeypatch.syspath_prepend(tmp_path)  # this process has imported torch already, others find this one
    found = estimate_time(packing, [], 1, cpu)
    assert found.not_counted == [
        "digits-lt: its process ended: ImportError: libtorch.so: cannot open shared object file"
    ]
    assert capfd.readouterr().err == ""
