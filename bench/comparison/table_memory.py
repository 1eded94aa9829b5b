"""Whether the rows of a table fit into memory, for this process and for the workers that train on them."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from bench.engine.stack_memory import available_bytes
from bench.errors import InputError
from bench.tasks.task import TaskSpec
from bench.text.numbers import plural
from bench.user_data.table_task import TableTask

PROCESS_BYTES = 450_000_000
"""Of a process with its libraries."""
SLACK = 1.5
"""By how much memory exceeds what arrays add up to: measured 1.45, on 2 million rows of 47 numbers with two workers."""
_GB = 1e9


@dataclass(frozen=True)
class MemoryNeed:
    """The size of a table as the learners see it."""

    rows: int
    numbers: int
    """Features of a row."""
    pooled_share: float
    """Rows that random oversampling trains on, for each row of the table."""

    @property
    def bytes_per_row(self) -> tuple[float, float]:
        """What a row takes in this process, and in a worker at its peak: boosted trees on rows that are oversampled.

        The row itself is held in float32, next to labels and numbers of rows; this process holds the rows of two seeds, and makes
        those of one at a time. A worker holds those of one seed, the rows that it trains on in float32, in float64 and in bins,
        and those that it predicts in float64.
        """
        held = 62 + 4 * self.numbers
        return SLACK * (2 * held + 170), SLACK * (held + 1.6 * self.numbers + 13 * self.numbers * self.pooled_share)

    def total(self, workers: int) -> float:
        """Return the bytes that this process and so many workers take."""
        here, worker = self.bytes_per_row
        return PROCESS_BYTES * (1 + workers) + self.rows * (here + workers * worker)


def measure_need(table: TableTask) -> MemoryNeed:
    """Return the size of a table; only its first rows are transformed."""
    prepared = table.prepare()
    counts = prepared.count_classes()
    pooled = 0.6 * len(counts) * int(counts.max())  # training has 60% of the rows
    return MemoryNeed(int(counts.sum()), prepared.count_numbers(), pooled / int(counts.sum()))


def choose_workers(spec: TaskSpec, workers: int, available: int | None) -> tuple[int, str]:
    """Return how many workers fit into the available bytes, and a note where these are fewer than wanted.

    Raises an InputError, with the number of rows that do fit, if not even one worker fits.
    """
    if available is None or not isinstance(spec, TableTask):
        return workers, ""
    need = measure_need(spec)
    fitting = next((count for count in range(workers, 0, -1) if need.total(count) <= available), 0)
    free, size = f"{available / _GB:.1f} GB are free", f"{need.rows:,} rows of {need.numbers} numbers"
    if not fitting:
        here, worker = need.bytes_per_row
        rows = int((available - 2 * PROCESS_BYTES) / (here + worker))
        step = 10 ** max(0, len(str(rows)) - 2)
        fix = f"about {rows // step * step:,} rows fit: --sample-by-class {rows // step * step}, which keeps the class mix"
        if rows < 1000:
            fix = "free memory, or use a larger machine"
        raise InputError(f"{spec.label}: {size} need about {need.total(1) / _GB:.1f} GB of memory, and {free}; {fix}")
    if fitting == workers:
        return workers, ""
    note = f"{plural(fitting, 'run')} at a time, not {workers}: {size} would need {need.total(workers) / _GB:.1f} GB, and {free}"
    return fitting, note


def available_memory() -> int | None:
    """Return the bytes of main memory that programs can still take; None if the system does not report it."""
    return available_bytes(torch.device("cpu"))
