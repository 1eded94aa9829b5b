"""Worker processes that raise, die or hang: only the run at fault fails, and no process outlives its parent."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from command_line import is_alive, on_linux, time_limit, wait_until, workers_of, write_digits_suite
from numpy.random import Generator

import bench
from bench.engine.events import Finished, WorkerTime
from bench.engine.local_workers import _Worker, run_stacks
from bench.errors import InputError
from bench.planning.protocol import ROWS
from bench.planning.run import Run
from bench.records.record import Failure, Record
from bench.tasks import find_task
from bench.tasks.task import Task, TaskSpec
from bench.terminal.progress import Progress
from bench.train.clock import Clock
from bench.train.loop import train
from strategies import parse

pytestmark = pytest.mark.usefixtures("ctrl_c_is_heard")


@dataclass(frozen=True)
class TroubledDigits(TaskSpec):
    """Digits that cannot be loaded: loading raises, kills the process, kills it the first time, or never ends."""

    trouble: str
    directory: str = ""
    label: ClassVar[str] = "digits-lt"
    kind: ClassVar[str] = "rows"

    def load(self, rng: Generator) -> Task:
        if self.trouble == "raises":
            raise RuntimeError("these digits are cursed")
        if self.trouble == "sleeps":
            Path(self.directory, "asleep").touch()
            time.sleep(600)
        first = Path(self.directory, "was here")
        if self.trouble == "kills" or not first.exists():
            if self.trouble == "kills once":
                first.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return find_task("digits-lt").load(rng)


def digits(strategy: str, seed: int = 0, task: object = None) -> Run:
    protocol = dataclasses.replace(ROWS, steps=40, validate_every=20)
    return Run(task or find_task("digits-lt"), parse(strategy), protocol, seed, f"data {task}")


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[list[Run]], list[object]]:
    """Stacks, some runs of which are in trouble, and the events of two workers that trained them."""
    once = str(tmp_path_factory.mktemp("once"))
    stacks = [
        [digits("none", 0), digits("loss-weights", 0, TroubledDigits("raises")), digits("ignore-index", 0)],
        [digits("none", 1), digits("loss-weights", 1, TroubledDigits("kills once", once)), digits("ignore-index", 1)],
        [digits("loss-weights", 2, TroubledDigits("kills"))],
        [digits("none", 3, TroubledDigits("raises"))],
        [digits("none", 4)],
    ]
    with time_limit():
        return stacks, list(run_stacks(stacks, workers=2, device="cpu"))


def outcomes_of(events: list[object]) -> list[Record | Failure]:
    return [outcome for event in events if isinstance(event, Finished) for outcome in event.outcomes]


def test_every_run_ends_once_and_every_worker_reports_where_its_time_went(troubled):
    stacks, events = troubled
    outcomes = outcomes_of(events)
    assert Counter(each.id for each in outcomes) == Counter(each.id for stack in stacks for each in stack)
    assert [type(each) for each in events[-2:]] == [WorkerTime, WorkerTime]
    assert not multiprocessing.active_children()


def test_a_run_that_raises_or_kills_its_process_is_a_failure_with_its_reason(troubled):
    failures = {(each.strategy, each.seed): each for each in outcomes_of(troubled[1]) if isinstance(each, Failure)}
    assert set(failures) == {("loss-weights", 0), ("loss-weights", 2), ("none", 3)}
    for place in (("loss-weights", 0), ("none", 3)):
        assert failures[place].reason.startswith("RuntimeError: these digits are cursed (")
    assert failures["loss-weights", 2].reason == (
        "its process was killed (SIGKILL), as the system does when memory runs out: try fewer --workers"
    )


def test_neighbours_of_a_broken_run_and_a_run_that_broke_once_have_the_numbers_of_a_run_alone(troubled):
    stacks, events = troubled
    records = {each.id: each for each in outcomes_of(events) if isinstance(each, Record)}
    assert {(each.strategy, each.seed) for each in records.values()} == {
        *(("none", seed) for seed in (0, 1, 4)),
        *(("ignore-index", seed) for seed in (0, 1)),
        ("loss-weights", 1),
    }
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for run in (run for stack in stacks for run in stack if run.id in records):
        (alone,) = train([run], device=torch.device("cpu"), clock=Clock())
        assert dataclasses.replace(records[run.id], times={}) == dataclasses.replace(alone, times={})
    torch.set_num_threads(threads)


def test_at_the_end_the_progress_counts_no_run_as_running(troubled):
    stacks, events = troubled
    progress = Progress([run for stack in stacks for run in stack], done_before=0)
    for event in events:
        progress.update(event)
    assert (progress.running, progress.done, progress.failed) == (0, 6, 3)
    assert "6 of 9 runs done, 0 running, 3 failed" in progress.line()


def test_without_stacks_no_worker_is_started():
    assert list(run_stacks([], workers=2, device="cpu")) == []


@dataclass(frozen=True)
class LastWords(TaskSpec):
    """A task that ends the process that unpickles it or loads it, each in its own way."""

    trouble: str
    label: ClassVar[str] = "last words"
    kind: ClassVar[str] = "rows"

    def __setstate__(self, state: dict[str, str]) -> None:
        self.__dict__.update(state)
        if self.trouble == "cannot be unpickled":
            raise ImportError("no module of this name here")

    def load(self, rng: Generator) -> Task:
        if self.trouble == "leaves":
            sys.exit("bye")
        if self.trouble == "leaves at once":
            print("the last\nwords ", file=sys.stderr, flush=True)
            os._exit(7)
        if self.trouble == "leaves without a word":
            os._exit(7)
        if self.trouble == "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        raise MemoryError("no room")


REASONS = {
    "cannot be unpickled": "ImportError: no module of this name here (test_worker_failures.py:",
    "leaves": "SystemExit: bye (test_worker_failures.py:",
    "leaves at once": "its process ended with exit code 7: words",
    "leaves without a word": "its process ended with exit code 7 and without a message",
    "segfault": "its process was ended by SIGSEGV",
    "raises": "MemoryError: no room (test_worker_failures.py:",
}


def test_the_reason_of_a_failure_tells_errors_exits_and_signals_apart_by_their_last_words():
    runs = {trouble: digits("none", 0, LastWords(trouble)) for trouble in REASONS}
    with time_limit():
        failures = outcomes_of(list(run_stacks([[run] for run in runs.values()], workers=2, device="cpu")))
    reasons = {failure.id: failure.reason for failure in failures}
    assert len(reasons) == len(REASONS)
    for trouble, reason in REASONS.items():
        assert reasons[runs[trouble].id].startswith(reason)


def test_where_every_worker_dies_alike_no_other_run_is_tried():
    strategies = ("none", "focal", "ignore-index", "loss-weights")
    stack = [digits(name, seed, LastWords("segfault")) for name in strategies for seed in range(3)]
    events = []
    with time_limit(), pytest.raises(InputError, match="every worker dies in the same way, under focal and none too"):
        events.extend(run_stacks([stack], workers=1, device="cpu"))
    assert not multiprocessing.active_children()


def test_where_no_worker_can_start_the_user_gets_one_line_with_the_reason(imbench, tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("raise ImportError('libtorch.so: cannot open shared object file')")
    monkeypatch.syspath_prepend(tmp_path)  # this process has imported torch already, its workers find this one
    options = ["--out", tmp_path / "out", "--strategy", "none", "--workers", 2]
    with time_limit():
        answer = imbench("run", write_digits_suite(tmp_path), *options)
    why = "exit code 1: ImportError: libtorch.so: cannot open shared object file"
    assert (answer.code, answer.err) == (2, f"imbench: no worker process can start: its process ended with {why}\n")
    assert not list(tmp_path.glob("out/failures/*"))


PARENT = """
import os, sys
sys.path.insert(0, sys.argv[1])
from test_worker_failures import TroubledDigits, digits
from bench.engine.local_workers import run_stacks
if __name__ == "__main__":
    list(run_stacks([[digits("none", 0, TroubledDigits("sleeps", sys.argv[2]))]], workers=1, device="cpu"))
"""


@on_linux
def test_a_worker_that_is_busy_when_its_parent_is_killed_is_gone_within_seconds(tmp_path: Path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    search_path = os.pathsep.join(map(str, (Path(bench.__file__).parents[1], Path(__file__).parents[1])))
    environment = {**os.environ, "PYTHONPATH": search_path}
    command = [sys.executable, str(script), str(Path(__file__).parent), str(tmp_path)]
    with subprocess.Popen(command, env=environment, text=True) as parent:
        wait_until((tmp_path / "asleep").exists, "a busy worker", parent)
        (worker,) = workers_of(parent)
        parent.kill()
    deadline = time.monotonic() + 3
    while is_alive(worker) and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        assert not is_alive(worker)
    finally:
        if is_alive(worker):
            os.kill(worker, signal.SIGKILL)


@on_linux
def test_a_worker_ignores_ctrl_c_from_its_first_moment_on():
    worker = _Worker("cpu")
    status = Path(f"/proc/{worker.process.pid}/status").read_text()
    worker.stop()
    ignored = next(line for line in status.splitlines() if line.startswith("SigIgn:"))
    assert int(ignored.split()[1], 16) & (1 << signal.SIGINT - 1)


def dead_worker(pipe: object) -> _Worker:
    """Return the parent's end of a worker that has died."""
    process = type("Dead", (), {"exitcode": -9, "join": lambda self: None, "kill": lambda self: None})()
    worker = _Worker.__new__(_Worker)
    worker.pipe, worker.process, worker.stack, worker.ended = pipe, process, None, False
    worker.standard_error = BytesIO()
    return worker


def test_a_worker_that_died_after_its_last_stack_can_be_dismissed():
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    theirs.close()
    assert dead_worker(ours).dismiss() == WorkerTime(0.0)


def test_a_worker_that_died_in_the_middle_of_a_message_is_noticed():
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    os.write(theirs.fileno(), (1000).to_bytes(4, "big") + b"the first of a thousand bytes")
    theirs.close()
    worker = dead_worker(ours)
    assert "was killed (SIGKILL)" in worker.receive().reason
    assert worker.ended
