"""What a strategy costs: measured apart, in rounds interleaved with the baseline, because the runs of a stack share its time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from statistics import median
from time import perf_counter

import torch

from bench.machine.device import synchronize
from bench.machine.memory import measure_peak
from bench.planning.run import Run
from bench.records.record import Cost, Record
from bench.train.batches import BatchLoader
from bench.train.clock import Clock
from bench.train.evaluation import evaluate_parts
from bench.train.run_sampler import RunSampler
from bench.train.step import StackRunner
from strategies import get

ROUNDS, STEPS, SAMPLING_SECONDS = 7, 8, 0.05
"""Rounds of each strategy, alternating with rounds of the baseline; training steps per round; the least seconds of sampling
per round."""


def measure_cost(run: Run, device: torch.device) -> Cost:
    """Measure the cost of a run's strategy next to the baseline on the same task, seed and protocol, each as a stack of one."""
    # The baseline first, so that what it imports and sets up is not counted as the strategy's memory.
    baseline = _start(replace(run, strategy=get("none")), device)
    measured, peak_bytes = measure_peak(lambda: _start(run, device), device)
    baseline_seconds, seconds = _time_steps((baseline, measured), device)
    batch_size = run.protocol.batch_size
    baseline_sampling, sampling = _time_sampling((baseline.loader.samplers[0], measured.loader.samplers[0]), batch_size)
    baseline_sample, sample, gather = median(baseline_sampling), median(sampling), _gather_seconds(measured.loader)
    ratios = [
        (step_seconds + sample) / (baseline_step_seconds + baseline_sample)
        for baseline_step_seconds, step_seconds in zip(baseline_seconds, seconds, strict=True)
    ]
    return Cost(
        task=run.label,
        strategy=str(run.strategy),
        setup_seconds=_time(lambda: RunSampler(run, measured.tasks[0]), 1, device),
        draws_per_second=batch_size / sample,
        slowest_draws_per_second=batch_size / max(sampling),
        fastest_draws_per_second=batch_size / min(sampling),
        batches_per_second=1 / (sample + gather),
        items_per_second=batch_size / (median(seconds) + sample),
        step_ratio=median(ratios),
        lowest_step_ratio=min(ratios),
        highest_step_ratio=max(ratios),
        evaluation_seconds=_time(
            lambda: evaluate_parts(measured.stack, [measured.tasks[0].valid], [run.metric]), 1, device
        ),
        identity=run.identity(),
        peak_bytes=peak_bytes,
    )


def cost_of_fits(run: Run, records: Mapping[int, Record], baseline: Mapping[int, Record]) -> Cost | None:
    """Return the cost of a run's strategy from records by seed, its own and those of plain training; None without a pair.

    Every run of an estimator is fitted alone, so that its own seconds are known, and nothing is fitted anew to measure them.
    """
    seeds = sorted(records.keys() & baseline.keys())
    if not seeds:
        return None
    ratios = [_fit_seconds(records[seed]) / _fit_seconds(baseline[seed]) for seed in seeds]
    return Cost(
        task=run.label,
        strategy=str(run.strategy),
        setup_seconds=median(records[seed].times["stack_draw_seconds"] for seed in seeds),
        draws_per_second=None,
        slowest_draws_per_second=None,
        fastest_draws_per_second=None,
        batches_per_second=None,
        items_per_second=None,
        step_ratio=median(ratios),
        lowest_step_ratio=min(ratios),
        highest_step_ratio=max(ratios),
        evaluation_seconds=median(records[seed].times["stack_evaluate_seconds"] for seed in seeds),
        identity=run.identity(),
    )


def _fit_seconds(record: Record) -> float:
    """Return the seconds of resampling and fitting; times are stored in milliseconds, and no fit takes less than one."""
    return max(record.times["stack_draw_seconds"] + record.times["stack_step_seconds"], 1e-3)


def _start(run: Run, device: torch.device) -> StackRunner:
    """Return a stack of one run after its first steps."""
    runner = StackRunner([run], device)
    _time(partial(runner.step, Clock()), STEPS, device)
    return runner


def _time_steps(runners: tuple[StackRunner, StackRunner], device: torch.device) -> tuple[list[float], list[float]]:
    """Return the seconds per step of each stack, sampling left out, by round; rounds of the two alternate."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for runner, seconds in zip(runners, taken, strict=True):
            clock = Clock()
            whole = _time(partial(runner.step, clock), STEPS, device)
            seconds.append((whole - clock.seconds["draw"]) / STEPS)
    return taken


def _time_sampling(samplers: tuple[RunSampler, RunSampler], batch_size: int) -> tuple[list[float], list[float]]:
    """Return the seconds per batch of sampling alone, by round; rounds of the two samplers alternate.

    A round is whole epochs of the pool, since some strategies sample an epoch at once; an untimed epoch warms up.
    """
    batches = [math.ceil(len(sampler.pool) / batch_size) for sampler in samplers]
    cpu = torch.device("cpu")
    epochs = [
        math.ceil(SAMPLING_SECONDS / _time(sampler.sample_items, count, cpu))
        for sampler, count in zip(samplers, batches, strict=True)
    ]
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for sampler, count, times, seconds in zip(samplers, batches, epochs, taken, strict=True):
            seconds.append(_time(sampler.sample_items, count * times, cpu) / (count * times))
    return taken


def _gather_seconds(loader: BatchLoader) -> float:
    """Return the seconds per batch of gathering alone."""
    batches = [loader.sample_items() for _ in range(50)]
    begin = perf_counter()
    for items in batches:
        loader.gather(loader.plan_batch(items))
    return (perf_counter() - begin) / len(batches)


def _time(function: Callable[[], object], times: int, device: torch.device) -> float:
    """Return the seconds that so many calls take, until the device has finished."""
    synchronize(device)
    begin = perf_counter()
    for _ in range(times):
        function()
    synchronize(device)
    return perf_counter() - begin
