"""Commands run as a user runs them: real processes of `imbench`, what they answer, and the files they leave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch

import bench
from bench.engine.events import Finished, StackEvent
from bench.engine.stack_execution import train_stack
from bench.planning.run import Run
from bench.records.record import Failure
from bench.train.clock import Clock

SUITE = """\
title = "Small, on two tasks"
seeds = 3

[[block]]
task = "digits-lt"
protocol = { steps = 200, validate_every = 20 }
strategies = ["none", "smote", "sentence-weights"]

[[block]]
task = "synthetic-conll(scale=0.01)"
protocol = { steps = 40, validate_every = 10 }
strategies = ["none", "weighted-random-sampler"]
"""
ROWS_OF_SUITE = [
    ("digits-lt", "none"),
    ("digits-lt", "smote"),
    ("digits-lt", "sentence-weights"),
    ("synthetic-conll(scale=0.01)", "none"),
    ("synthetic-conll(scale=0.01)", "weighted-random-sampler"),
]
RUNS = 12
STOPPED = "imbench: stopped; run the same command again to resume\n"
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
PATIENCE_SECONDS = 120.0
"""Longer than anything here takes, even on a busy machine: more is a hang."""


def wait_until(condition: Callable[[], bool], what: str, process: subprocess.Popen[str] | None = None) -> float:
    """Wait until the condition holds, while the process runs; return the seconds that took."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < PATIENCE_SECONDS, f"waited in vain for {what}"
        assert process is None or process.poll() is None, f"the process ended before {what}: {process.communicate()}"
        time.sleep(0.005)
    return time.monotonic() - begin


@contextmanager
def time_limit() -> Iterator[None]:
    """Fail where the block hangs."""

    def fail(*_: object) -> None:
        raise TimeoutError(f"not done after {PATIENCE_SECONDS:.0f} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@dataclass(frozen=True)
class Place:
    """A directory with the suite's file and an empty cache."""

    directory: Path

    @property
    def suite(self) -> Path:
        return self.directory / "small.toml"

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """Start `python -m bench` in a process group of its own, as a shell would."""
        return subprocess.Popen(
            [sys.executable, "-m", "bench", *map(str, arguments)],
            cwd=self.directory,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("IMBENCH")},
                "PYTHONPATH": str(Path(bench.__file__).parents[1]),
                "IMBENCH_CACHE": str(self.directory / "empty"),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, out: str, *options: object, workers: int = 2) -> subprocess.Popen[str]:
        """Start `imbench run` of the suite; `out` is a results directory below this one."""
        return self.start("run", self.suite, "--workers", workers, "--out", self.directory / out, *options)


@dataclass(frozen=True)
class Answer:
    """The exit code of a command, and what it printed."""

    code: int
    out: str
    err: str


def wait_for_answer(process: subprocess.Popen[str]) -> Answer:
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    return Answer(process.returncode, out, err)


def write_times(directory: Path, folder: str = "runs") -> dict[str, int]:
    """Return when each complete file was written."""
    return {path.name: path.stat().st_mtime_ns for path in (directory / folder).glob("[!.]*.json")}


def quality_tables(directory: Path) -> dict[str, bytes]:
    tables = {path.name: path.read_bytes() for path in (directory / "tables").glob("quality.*")}
    assert set(tables) >= {"quality.md", "quality.csv"}
    return tables


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """Return the pids of its worker processes, the oldest first."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return sorted(int(pid) for pid in children if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text())


def is_alive(pid: int) -> bool:
    """Return whether there is such a process, other than a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def all_files(directory: Path) -> dict[Path, tuple[int, bytes]]:
    """Return the write time and the content of every file."""
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in directory.rglob("*") if path.is_file()}


@dataclass
class InProcessEngine:
    """Trains in this process, and lets some runs fail."""

    fails: Callable[[Run], bool] = lambda run: False
    trained: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, stacks: list[list[Run]], *, workers: int, device: str) -> Iterator[StackEvent]:
        for stack in stacks:
            self.trained += [(str(run.strategy), run.seed) for run in stack]
            yield Finished(
                [
                    Failure(run.id, run.label, str(run.strategy), run.seed, "out of luck")
                    if self.fails(run)
                    else train_stack([run], torch.device(device), Clock()).outcomes[0]
                    for run in stack
                ]
            )


def write_digits_suite(directory: Path) -> Path:
    """Write the suite's first block, with fewer steps, as a suite."""
    (directory / "one.toml").write_text(SUITE.partition('[[block]]\ntask = "synth')[0].replace("200", "20"))
    return directory / "one.toml"


def assert_refused(answer: Answer, why: str) -> None:
    """Check that a command ended with exit code 2 and one line on standard error that holds `why`.

    On standard output there is at most what was being done.
    """
    assert answer.code == 2
    assert all(line.endswith(" ...") for line in answer.out.splitlines())
    assert answer.err.startswith("imbench: ")
    assert answer.err.count("\n") == 1, answer.err
    assert answer.err.endswith("\n")
    assert "Traceback" not in answer.err
    assert why in answer.err


Imbench = Callable[..., Answer]
"""Runs a command in this process."""
