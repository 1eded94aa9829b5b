"""Whether a GPU gives the CPU's numbers: the same runs trained on both, compared one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.metrics.classification import macro_f1
from bench.records.record import Record
from bench.records.store import Store, drop_none

RUN_TOLERANCE, MEAN_TOLERANCE = 0.06, 0.015
"""The largest difference in macro-F1 on test that passes, of one run and of the mean over a task's runs.

Both devices sample the same items and start from the same weights, but round differently, and training amplifies last bits.
Two processors round differently too: between an Intel and an AMD one, means over five seeds differed by up to .003.
"""


@dataclass(frozen=True)
class TaskAgreement:
    """The runs of one task on both devices: differences are GPU minus CPU, in macro-F1 on test."""

    task: str
    planned: int
    compared: int
    same_items: int
    """Runs that sampled exactly as many labels of each class on both devices."""
    largest_difference: float
    mean_difference: float

    @property
    def ok(self) -> bool:
        """Whether every planned run was compared, sampled the same items, and lies within the tolerances."""
        return (
            self.planned == self.compared == self.same_items
            and abs(self.largest_difference) <= RUN_TOLERANCE
            and abs(self.mean_difference) <= MEAN_TOLERANCE
        )


def compare_devices(cpu: Store, gpu: Store) -> tuple[pd.DataFrame, list[TaskAgreement]]:
    """Return one row per run that both directories hold, and the agreement of each task."""
    planned = {
        id: (strategy.task, strategy.strategy, seed)
        for strategy in cpu.study().strategies
        for seed, id, _ in strategy.planned_runs()
    }
    rows = [
        _compare_runs(on_cpu, on_gpu)
        for on_cpu in drop_none(map(cpu.record, planned))
        if (on_gpu := gpu.record(on_cpu.id)) is not None
    ]
    columns = ["task", "strategy", "seed", "macro_f1_cpu", "macro_f1_gpu", "nll_cpu", "nll_gpu", "same_items"]
    frame = pd.DataFrame(rows, columns=columns)
    tasks = dict.fromkeys(task for task, _, _ in planned.values())
    return frame, [
        _summarise(task, sum(other == task for other, _, _ in planned.values()), frame[frame["task"] == task])
        for task in tasks
    ]


def _compare_runs(on_cpu: Record, on_gpu: Record) -> dict[str, object]:
    cpu, gpu = (record.evaluation("chosen", "test") for record in (on_cpu, on_gpu))
    return {
        "task": on_cpu.task,
        "strategy": on_cpu.strategy,
        "seed": on_cpu.seed,
        "macro_f1_cpu": macro_f1(cpu.confusion),
        "macro_f1_gpu": macro_f1(gpu.confusion),
        "nll_cpu": cpu.nll,
        "nll_gpu": gpu.nll,
        "same_items": on_cpu.sampling.by_class == on_gpu.sampling.by_class,
    }


def _summarise(task: str, planned: int, runs: pd.DataFrame) -> TaskAgreement:
    differences = (runs["macro_f1_gpu"] - runs["macro_f1_cpu"]).to_numpy(dtype=float)
    largest = differences[np.abs(differences).argmax()] if len(differences) else np.nan
    mean = differences.mean() if len(differences) else np.nan
    return TaskAgreement(task, planned, len(runs), int(runs["same_items"].sum()), float(largest), float(mean))
