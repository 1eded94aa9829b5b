"""What a strategy costs: measured alone, in rounds interleaved with plain training, because a stack's time belongs to all."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from statistics import median
from time import perf_counter

import torch

from bench.engine.stack_memory import at_most
from bench.planning.run import Run
from bench.records.record import Cost
from bench.train.batches import BatchLoader
from bench.train.clock import Clock
from bench.train.evaluation import score_parts
from bench.train.run_sampler import RunSampler
from bench.train.step import StackRunner
from strategies import get

ROUNDS, STEPS, DRAW_SECONDS = 7, 8, 0.05
"""Rounds of each strategy, taken in turn with rounds of `none`; training steps in a round; seconds of drawing in one at least."""


def measure_cost(training: Run, device: torch.device) -> Cost:
    """The cost of a training's strategy beside `none` on the same task, seed and protocol, each as a stack of one."""
    # First, so that what it imports and sets up is not taken for the strategy's memory.
    plain = _begun(replace(training, strategy=get("none")), device)
    measured, peak = at_most(lambda: _begun(training, device), device)
    plain_seconds, seconds = _rounds((plain, measured), device)
    batch_size = training.protocol.batch_size
    plain_draws, draws = _draw_rounds((plain.loader.samplers[0], measured.loader.samplers[0]), batch_size)
    plain_draw, draw, gather = median(plain_draws), median(draws), _gather_seconds(measured.loader)
    ratios = [(ours + draw) / (plains + plain_draw) for plains, ours in zip(plain_seconds, seconds, strict=True)]
    return Cost(
        task=training.task.label,
        strategy=str(training.strategy),
        setup_seconds=_timed(lambda: RunSampler(training, measured.tasks[0]), 1, device),
        draws_per_second=batch_size / draw,
        slowest_draws_per_second=batch_size / max(draws),
        fastest_draws_per_second=batch_size / min(draws),
        batches_per_second=1 / (draw + gather),
        items_per_second=batch_size / (median(seconds) + draw),
        step_ratio=median(ratios),
        lowest_step_ratio=min(ratios),
        highest_step_ratio=max(ratios),
        evaluation_seconds=_timed(lambda: score_parts(measured.stack, [measured.tasks[0].valid]), 1, device),
        identity=training.identity(),
        peak_bytes=peak,
    )


def _begun(training: Run, device: torch.device) -> StackRunner:
    """A stack of one after its first steps."""
    program = StackRunner([training], device)
    _timed(partial(program.step, Clock()), STEPS, device)
    return program


def _rounds(programs: tuple[StackRunner, StackRunner], device: torch.device) -> tuple[list[float], list[float]]:
    """Seconds a step of each program, which has taken its first steps, without its draw, in rounds taken in turn."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for program, seconds in zip(programs, taken, strict=True):
            clock = Clock()
            whole = _timed(partial(program.step, clock), STEPS, device)
            seconds.append((whole - clock.seconds["draw"]) / STEPS)
    return taken


def _draw_rounds(feeds: tuple[RunSampler, RunSampler], batch_size: int) -> tuple[list[float], list[float]]:
    """Seconds a batch of drawing alone, in rounds taken in turn.

    A round is whole epochs of the pool, since some strategies draw an epoch at once; the first one, untimed, warms up.
    """
    batches = [math.ceil(len(feed.pool) / batch_size) for feed in feeds]
    on = torch.device("cpu")
    epochs = [
        math.ceil(DRAW_SECONDS / _timed(feed.sample_items, each, on)) for feed, each in zip(feeds, batches, strict=True)
    ]
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for feed, each, times, seconds in zip(feeds, batches, epochs, taken, strict=True):
            seconds.append(_timed(feed.sample_items, each * times, on) / (each * times))
    return taken


def _gather_seconds(feeds: BatchLoader) -> float:
    """Seconds a batch of gathering alone."""
    drawn = [feeds.sample_items() for _ in range(50)]
    begin = perf_counter()
    for items in drawn:
        feeds.gather(feeds.plan_batch(items))
    return (perf_counter() - begin) / len(drawn)


def _timed(run: Callable[[], object], times: int, device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    begin = perf_counter()
    for _ in range(times):
        run()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return perf_counter() - begin
