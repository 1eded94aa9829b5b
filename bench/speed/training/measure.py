"""The measurement of training: all variants on all models, timed in turn, then each alone for its memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from statistics import median

import torch

from bench.machine.facts import facts
from bench.machine.fresh_process import in_fresh_process
from bench.speed.timing import ProgressCallback, measure_in_turn, median_ratio
from bench.speed.training.step_memory import STEPS, training_peak_bytes
from bench.speed.training.step_timing import ROUNDS, SHORTEST, STEPS_MULTIPLE, Step, count_steps, time_steps
from bench.speed.training.synthetic_tasks import SMALL_TASKS, TASKS
from bench.speed.training.training_measurement import TrainingMeasurement, TrainingTiming, fastest_well_written
from bench.speed.training.two_processes import compare_two_processes
from bench.speed.training.variants import TrainingVariant, list_variants
from bench.tasks.task import TaskSpec

METHOD = (
    f"one thread; all variants of a model take turns in one process for {ROUNDS} rounds after a warm-up; times are medians over "
    f"rounds, ratios are medians of each round's ratio; a timed run is a multiple of {STEPS_MULTIPLE} steps that takes "
    f"{SHORTEST * 1e3:.0f} ms or more, sampling and gathering of batches included; times are the process's own on a CPU, and "
    "wall-clock times on a GPU and of two processes; nothing is compiled; "
    f"memory: the peak of {STEPS} steps, on a CPU in a process of its own"
)
WIDTH_OF_TWO = 5
"""The runs in the stack of each of two processes."""


def measure_training(
    models: Sequence[str], widths: Sequence[int], device: torch.device, command: str, progress: ProgressCallback
) -> TrainingMeasurement:
    """Measure all variants on these models, on one thread.

    Parameters
    ----------
    models
        Names of models, keys of `TASKS`.
    widths
        Numbers of runs in a stack.
    device
        The device that is trained on.
    command
        The command line that repeats the measurement: it is kept in the result.
    progress
        Receives one line of text at each stage.
    """
    torch.set_num_threads(1)
    notes = [*_note_busy_machine(), *([] if device.type == "cuda" else ["GPU: not measured"])]
    rows, two_processes = [], []
    for model in models:
        model_progress = _prefix_progress(model, progress)
        rows += measure_model(model, TASKS[model], widths, device, model_progress)
        two_processes.append(compare_two_processes(model, TASKS[model], WIDTH_OF_TWO, device, model_progress))
    return TrainingMeasurement(command, facts(device, "torch"), METHOD, rows, two_processes, notes)


def measure_model(
    model: str, task: TaskSpec, widths: Sequence[int], device: torch.device, progress: ProgressCallback
) -> list[TrainingTiming]:
    """Return a row for every variant on one model."""
    variants = list_variants(task, widths)
    progress("building")
    steps = {variant.name: variant.build(task, device) for variant in variants}
    step_counts, seconds_per_step = time_in_turn(steps, device, progress)
    steps.clear()  # what they hold on a GPU must not count as memory of the others
    rows = make_rows(model, variants, step_counts, seconds_per_step)
    progress("memory")
    small = SMALL_TASKS[model]
    return [
        replace(row, peak_bytes=_peak_bytes(variant, task, small, device))
        for row, variant in zip(rows, variants, strict=True)
    ]


def _peak_bytes(variant: TrainingVariant, task: TaskSpec, small_task: TaskSpec, device: torch.device) -> int | None:
    if device.type == "cuda":  # exact in any process; starting one for each variant would take most of the time
        return training_peak_bytes(variant, task, small_task, device)
    return in_fresh_process(training_peak_bytes, variant, task, small_task, device)


def time_in_turn(
    steps: Mapping[str, Step], device: torch.device, progress: ProgressCallback, rounds: int = ROUNDS
) -> tuple[dict[str, int], dict[str, list[float]]]:
    """Return by variant the number of steps per round, found in a warm-up, and the seconds per step in each round."""
    progress("warm-up")
    step_counts = {name: count_steps(step, device) for name, step in steps.items()}

    def seconds_per_step(name: str) -> float:
        return time_steps(steps[name], step_counts[name], device) / step_counts[name]

    return step_counts, measure_in_turn({name: partial(seconds_per_step, name) for name in steps}, rounds, progress)


def make_rows(
    model: str,
    variants: Sequence[TrainingVariant],
    step_counts: Mapping[str, int],
    seconds_per_step: Mapping[str, Sequence[float]],
) -> list[TrainingTiming]:
    """Return the rows of variants with all figures but memory; the time of a stack's step is divided by its runs."""
    run_ms = {
        variant.name: [seconds * 1e3 / variant.width for seconds in seconds_per_step[variant.name]]
        for variant in variants
    }
    rows = [
        TrainingTiming(
            model,
            variant.name,
            variant.kind,
            variant.width,
            step_ms=median(run_ms[variant.name]),
            fastest_ms=min(run_ms[variant.name]),
            slowest_ms=max(run_ms[variant.name]),
            naive_ratio=median_ratio(run_ms["naive"], run_ms[variant.name]),
            well_written_ratio=1.0,  # replaced below, once the fastest well-written loop is known
            steps_timed=step_counts[variant.name],
        )
        for variant in variants
    ]
    reference = run_ms[fastest_well_written(rows, model).variant]
    return [replace(row, well_written_ratio=median_ratio(reference, run_ms[row.variant])) for row in rows]


def _note_busy_machine() -> Iterator[str]:
    """Yield a note if other processes use the machine, as far as the system reports its load."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load >= 1:
        yield f"the machine was busy before (load {load:.1f}): two processes may seem slower than they are"


def _prefix_progress(model: str, progress: ProgressCallback) -> ProgressCallback:
    return lambda message: progress(f"{model}: {message}")
