"""The memory that training needs."""

from __future__ import annotations

import torch
from numpy.random import default_rng

from bench.speed.peak_memory import can_measure_memory, peak_bytes
from bench.speed.training.step_timing import Step
from bench.speed.training.variants import TrainingVariant
from bench.tasks.task import TaskSpec

STEPS = 48


def training_peak_bytes(
    variant: TrainingVariant, task: TaskSpec, small_task: TaskSpec, device: torch.device
) -> int | None:
    """Return the bytes that a variant holds at the peak of training, without the data; on a CPU call it in a fresh process.

    The variant first trains on `small_task`, a task of the same kind, so that memory of what is imported and set up once does
    not count. None where memory cannot be measured.
    """
    if not can_measure_memory(device):
        return None
    torch.set_num_threads(1)
    _train(variant.build(small_task, device))
    task.load(default_rng(0))  # cached: building the variant then makes no data
    return peak_bytes(lambda: variant.build(task, device), _train, device)


def _train(step: Step) -> None:
    for _ in range(STEPS):
        step()
