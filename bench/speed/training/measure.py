"""All measurements of one model: every variant timed in turn with the others, then each alone for its memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median

import torch

from bench.machine.fresh_process import in_fresh_process
from bench.speed.training.memory import peak_bytes
from bench.speed.training.result import Row, well_written
from bench.speed.training.tasks import SMALL
from bench.speed.training.timing import Runs, in_turn
from bench.speed.training.variants import Variant, variants
from bench.tasks.task import TaskSpec


def measure(
    model: str, task: TaskSpec, widths: Sequence[int], device: torch.device, say: Callable[[str], None]
) -> list[Row]:
    """A row for every variant."""
    compared = variants(task, widths)
    say("building")
    runs = in_turn({each.name: each.build(task, device) for each in compared}, device, say)
    rows = rows_of(model, compared, runs)
    say("memory, each in a process of its own")
    return [
        replace(row, peak_bytes=in_fresh_process(peak_bytes, each, task, SMALL[model], device))
        for row, each in zip(rows, compared, strict=True)
    ]


def rows_of(model: str, compared: Sequence[Variant], runs: dict[str, Runs]) -> list[Row]:
    """The timed columns of each variant's row."""
    each = {v.name: [seconds * 1e3 / v.width for seconds in runs[v.name].seconds] for v in compared}
    rows = [
        Row(
            model,
            v.name,
            v.kind,
            v.width,
            step_ms=median(each[v.name]),
            fastest_ms=min(each[v.name]),
            slowest_ms=max(each[v.name]),
            naive_ratio=_ratio(each["naive"], each[v.name]),
            well_written_ratio=1.0,
            steps_timed=runs[v.name].steps,
        )
        for v in compared
    ]
    reference = each[well_written(rows, model).variant]
    return [replace(row, well_written_ratio=_ratio(reference, each[row.variant])) for row in rows]


def _ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """The median over rounds of each round's ratio."""
    return median(a / b for a, b in zip(above, below, strict=True))
