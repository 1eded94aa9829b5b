"""The memory that stacks take, measured on small ones, and the memory that is free."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import torch

from bench.machine.memory import forget_peak, is_told, peak_resident_bytes, resident_bytes
from bench.planning.run import Run
from bench.train.clock import Clock
from bench.train.evaluation import compute_logits
from bench.train.step import StackRunner

Made = TypeVar("Made")

_MACHINE, _GROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")


def training_bytes(runs: Sequence[Run], device: torch.device) -> int | None:
    """Bytes that one training takes at its peak, from a stack of the first and the last of these; None if no one tells.

    On the CPU this process's resident size tells, which on other systems than Linux is not known. Takes a few steps and
    one evaluation.
    """
    if device.type == "cpu" and not is_told():
        return None
    pair = [runs[0], runs[-1]]
    _begin(pair[:1], device)  # what a first stack imports and sets up is no training's memory
    _, taken = at_most(lambda: _begin(pair, device), device)
    return None if taken is None else max(1, taken // len(pair))


def at_most(run: Callable[[], Made], device: torch.device) -> tuple[Made, int | None]:
    """What `run()` returns, and the most memory held meanwhile beyond what was held before; None if no one tells."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        return run(), torch.cuda.max_memory_allocated(device) - before
    if not is_told():
        return run(), None
    forget_peak()
    before = resident_bytes()
    return run(), max(0, peak_resident_bytes() - before)


def _begin(runs: Sequence[Run], device: torch.device) -> None:
    """All that a stack holds at once: its program after some steps, a checkpoint of each training, logits of a part."""
    program = StackRunner(runs, device)
    for _ in range(3):
        program.step(Clock())
    checkpoints = [program.stack.snapshot(row) for row in range(len(runs))]
    logits = compute_logits(program.stack, [task.valid for task in program.tasks])
    del checkpoints, logits


def process_bytes(device: torch.device) -> int | None:
    """What a worker holds without a stack, as this process does: its libraries and tasks; on a GPU what is no stack's counts
    as taken already."""
    if device.type == "cuda":
        return 0
    return resident_bytes() if is_told() else None


def free_bytes(device: torch.device) -> int | None:
    """What programs can still take of the device's memory; None if the system does not tell."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if not _MACHINE.is_file():
        return None
    lines = dict(line.split(":", 1) for line in _MACHINE.read_text().splitlines())
    machine = int(lines["MemAvailable"].split()[0]) * 1024
    limit = _GROUP / "memory.max"  # of the control group that holds this process, in a container for instance
    bound = limit.read_text().strip() if limit.is_file() else "max"
    if bound == "max":
        return machine
    return max(0, min(machine, int(bound) - int((_GROUP / "memory.current").read_text())))
