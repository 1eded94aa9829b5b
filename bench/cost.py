"""What a strategy costs: measured alone, in rounds interleaved with plain training, because a stack's time belongs to all."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter

import torch

from bench.record import Cost
from bench.seeds import sub_seed
from bench.tasks.task import Task
from bench.train.clock import Clock
from bench.train.evaluation import predict
from bench.train.feed import Feed
from bench.train.loop import new_stack, train_step
from bench.train.objective import Objective
from bench.training import Training
from strategies import get

ROUNDS, STEPS, BATCHES = 7, 12, 400
"""Rounds of each strategy, taken in turn with rounds of `none`; training steps in a round; batches drawn at least."""


@dataclass(frozen=True)
class _Alone:
    """One training as a stack of one, ready to step."""

    feed: Feed
    step: Callable[[], None]
    evaluate: Callable[[], object]
    setup_seconds: float

    @classmethod
    def of(cls, training: Training, task: Task, device: torch.device) -> _Alone:
        Feed(training, task)  # once before the clock runs: what is imported on first use is no cost of the strategy
        begin = perf_counter()
        feed = Feed(training, task)
        setup_seconds = perf_counter() - begin
        stack = new_stack([training], [task], device)
        objective = Objective([training.strategy], [task.train.labels.counts()], device)
        clock = Clock()
        return cls(
            feed,
            lambda: train_step(stack, [feed], objective, clock),
            lambda: predict(stack, [task.valid]),
            setup_seconds,
        )


def measure_cost(training: Training, device: torch.device) -> Cost:
    """The cost of a training's strategy beside `none` on the same task, seed and protocol."""
    task = training.task.load(sub_seed("split", training.task.label, training.seed))
    plain, measured = (_Alone.of(each, task, device) for each in (replace(training, strategy=get("none")), training))
    seconds: tuple[list[float], list[float]] = ([], [])
    for alone in (plain, measured):
        _timed(alone.step, STEPS, device)  # warm-up
    for _ in range(ROUNDS):
        for alone, taken in zip((plain, measured), seconds, strict=True):
            taken.append(_timed(alone.step, STEPS, device) / STEPS)
    batch_size = training.protocol.batch_size
    (plain_draw, _), (draw, gather) = (_batch_seconds(alone.feed, batch_size) for alone in (plain, measured))
    return Cost(
        task=training.task.label,
        strategy=str(training.strategy),
        setup_seconds=measured.setup_seconds,
        draws_per_second=batch_size / draw,
        batches_per_second=1 / (draw + gather),
        items_per_second=batch_size / (median(seconds[1]) + draw),
        step_ratio=median((ours + draw) / (plains + plain_draw) for plains, ours in zip(*seconds, strict=True)),
        evaluation_seconds=_timed(measured.evaluate, 1, device),
        identity=training.identity(),
    )


def _batch_seconds(feed: Feed, batch_size: int) -> tuple[float, float]:
    """Seconds a batch of drawing alone, over whole epochs of the pool, and of gathering.

    Epochs are drawn whole, so rounds of a few steps seldom meet one: its share is added to each step.
    """
    epoch = math.ceil(len(feed.pool) / batch_size)
    batches = epoch * math.ceil(BATCHES / epoch)
    draw = _timed(feed.draw, batches, torch.device("cpu")) / batches
    drawn = [feed.draw() for _ in range(50)]
    begin = perf_counter()
    for items in drawn:
        feed.gather(items)
    return draw, (perf_counter() - begin) / len(drawn)


def _timed(run: Callable[[], object], times: int, device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    begin = perf_counter()
    for _ in range(times):
        run()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return perf_counter() - begin
