"""The memory that a run takes, measured on a small stack, and the memory that is available."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import torch

from bench.machine.memory import forget_peak, is_told, peak_resident_bytes, resident_bytes
from bench.planning.run import Run
from bench.train.clock import Clock
from bench.train.evaluation import finished_logits
from bench.train.step import StackRunner

Value = TypeVar("Value")

_MEMINFO, _CGROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")


def measure_run_bytes(runs: Sequence[Run], device: torch.device) -> int | None:
    """Return the bytes that one run takes at its peak, from a stack of the first and the last run; None if unknown.

    Trains a few steps and evaluates once. On the CPU the resident size of this process is measured, which only Linux reports.
    """
    if device.type == "cpu" and not is_told():
        return None
    pair = [runs[0], runs[-1]]
    _train_briefly(pair[:1], device)  # what a first stack imports and sets up is no run's memory
    _, taken = measure_peak(lambda: _train_briefly(pair, device), device)
    return None if taken is None else max(1, taken // len(pair))


def measure_peak(function: Callable[[], Value], device: torch.device) -> tuple[Value, int | None]:
    """Call a function; return its value and the peak bytes beyond those in use before, None if the system does not report."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        return function(), torch.cuda.max_memory_allocated(device) - before
    if not is_told():
        return function(), None
    forget_peak()
    before = resident_bytes()
    return function(), max(0, peak_resident_bytes() - before)


def _train_briefly(runs: Sequence[Run], device: torch.device) -> None:
    """Allocate all that a stack holds at once: its parameters after some steps, a checkpoint of each run, logits of a part."""
    runner = StackRunner(runs, device)
    for _ in range(3):
        runner.step(Clock())
    checkpoints = [runner.stack.snapshot(row) for row in range(len(runs))]
    logits = finished_logits(runner.stack, [task.valid for task in runner.tasks])
    del checkpoints, logits


def process_bytes(device: torch.device) -> int | None:
    """Return the bytes that a worker takes without a stack, its libraries and tasks, measured on this process; None if unknown.

    On a GPU it is 0: what other programs take there is not among the available bytes.
    """
    if device.type == "cuda":
        return 0
    return resident_bytes() if is_told() else None


def available_bytes(device: torch.device) -> int | None:
    """Return the bytes of the device's memory that programs can still take; None if the system does not report it."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if not _MEMINFO.is_file():
        return None
    lines = dict(line.split(":", 1) for line in _MEMINFO.read_text().splitlines())
    machine = int(lines["MemAvailable"].split()[0]) * 1024
    # A container limits the memory of its control group.
    limit_file = _CGROUP / "memory.max"
    limit = limit_file.read_text().strip() if limit_file.is_file() else "max"
    if limit == "max":
        return machine
    return max(0, min(machine, int(limit) - int((_CGROUP / "memory.current").read_text())))
