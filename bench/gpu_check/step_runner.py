"""Run the steps of the check one after the other, each as a process of its own that is stopped at its limit."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Literal

from bench.gpu_check.check_steps import CheckStep
from bench.text.lines import last_line

LIMIT_SECONDS = 460
"""The seconds that all steps may take together."""
_LEAST_SECONDS = 5
"""A step is not started with less time left."""

Status = Literal["ok", "failed", "cut off", "not run"]


@dataclass(frozen=True)
class StepResult:
    """How a step ended, and the last line that it printed."""

    name: str
    status: Status
    seconds: float = 0.0
    last_line: str = ""


def run_steps(steps: Sequence[CheckStep], logs: Path, limit_seconds: float = LIMIT_SECONDS) -> Iterator[StepResult]:
    """Run the steps in order and yield each one's result as soon as it has ended; what they print goes to files in `logs`.

    A step that fails or is cut off does not stop the others.
    """
    logs.mkdir(parents=True, exist_ok=True)
    end = monotonic() + limit_seconds
    for number, step in enumerate(steps, 1):
        left = end - monotonic()
        if left < _LEAST_SECONDS:
            yield StepResult(step.name, "not run", last_line="no time was left")
            continue
        log = logs / f"{number:02d}-{step.name.replace(', ', '-').replace(' ', '-')}.txt"
        yield _run_step(step, log, min(step.limit_seconds, left))


def _run_step(step: CheckStep, log: Path, limit_seconds: float) -> StepResult:
    begin = monotonic()
    with log.open("wb") as file:
        # In a session of its own, so that its worker processes are stopped with it.
        process = subprocess.Popen(step.command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            code: int | None = process.wait(limit_seconds)
        except subprocess.TimeoutExpired:
            code = None
        except KeyboardInterrupt:
            _stop(process)
            raise
    if code is None:
        _stop(process)
    status: Status = "cut off" if code is None else "ok" if code == 0 else "failed"
    printed = log.read_text(encoding="utf-8", errors="replace")
    return StepResult(step.name, status, monotonic() - begin, last_line(printed))


def _stop(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
