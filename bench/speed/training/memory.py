"""The memory that training needs."""

from __future__ import annotations

import torch
from numpy.random import default_rng

from bench.machine.memory import forget_peak, is_told, peak_resident_bytes, resident_bytes
from bench.speed.training.variants import Step, Variant
from bench.tasks.task import TaskSpec

STEPS = 48


def peak_bytes(variant: Variant, task: TaskSpec, small: TaskSpec, device: torch.device) -> int | None:
    """The most that a variant holds while it trains, data not counted; call it in a fresh process.

    On the CPU the highest resident size during training, less that before building (None but on Linux); on a GPU the most
    that torch has allocated there. `small` is a task of the same kind, trained on before, so that what is imported and set
    up once is not counted.
    """
    torch.set_num_threads(1)
    on_gpu = device.type == "cuda"
    if not on_gpu and not is_told():
        return None
    _train(variant.build(small, device))
    task.load(default_rng(0))
    before = resident_bytes() if not on_gpu else 0
    step = variant.build(task, device)
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(device)
        _train(step)
        return torch.cuda.max_memory_allocated(device)
    forget_peak()
    _train(step)
    return max(0, peak_resident_bytes() - before)


def _train(step: Step) -> None:
    for _ in range(STEPS):
        step()
