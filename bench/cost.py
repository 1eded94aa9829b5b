"""What a strategy costs: measured alone, in rounds interleaved with plain training, because a stack's time belongs to all."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from statistics import median
from time import perf_counter

import torch

from bench.record import Cost
from bench.train.clock import Clock
from bench.train.evaluation import predict
from bench.train.feed import Feed
from bench.train.program import Program
from bench.training import Training
from strategies import get

ROUNDS, STEPS, BATCHES = 7, 8, 400
"""Rounds of each strategy, taken in turn with rounds of `none`; training steps in a round; batches drawn at least."""


def measure_cost(training: Training, device: torch.device) -> Cost:
    """The cost of a training's strategy beside `none` on the same task, seed and protocol, each as a stack of one."""
    plain, measured = (Program.of([each], device) for each in (replace(training, strategy=get("none")), training))
    plain_seconds, seconds = _rounds((plain, measured), device)
    batch_size = training.protocol.batch_size
    (plain_draw, _), (draw, gather) = (_batch_seconds(each.feeds[0], batch_size) for each in (plain, measured))
    return Cost(
        task=training.task.label,
        strategy=str(training.strategy),
        setup_seconds=_timed(lambda: Feed(training, measured.tasks[0]), 1, device),
        draws_per_second=batch_size / draw,
        batches_per_second=1 / (draw + gather),
        items_per_second=batch_size / (median(seconds) + draw),
        step_ratio=median(
            (ours + draw) / (plains + plain_draw) for plains, ours in zip(plain_seconds, seconds, strict=True)
        ),
        evaluation_seconds=_timed(lambda: predict(measured.stack, [measured.tasks[0].valid]), 1, device),
        identity=training.identity(),
    )


def _rounds(programs: tuple[Program, Program], device: torch.device) -> tuple[list[float], list[float]]:
    """Seconds a step of each program without its draw, in rounds taken in turn."""
    for program in programs:
        _timed(partial(program.step, Clock()), STEPS, device)  # warm-up
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for program, seconds in zip(programs, taken, strict=True):
            clock = Clock()
            whole = _timed(partial(program.step, clock), STEPS, device)
            seconds.append((whole - clock.seconds["draw"]) / STEPS)
    return taken


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
