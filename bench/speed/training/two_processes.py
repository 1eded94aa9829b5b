"""Two processes on two cores, against one: the same stacks, without start-up."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from statistics import median
from time import perf_counter

import torch

from bench.speed.training.result import TwoProcesses
from bench.speed.training.timing import ROUNDS, enough_steps, seconds_of
from bench.speed.training.variants import stack
from bench.tasks.task import TaskSpec

CPU = torch.device("cpu")


def two_against_one(
    model: str, task: TaskSpec, width: int, device: torch.device, say: Callable[[str], None]
) -> TwoProcesses:
    """Rounds in turn: each process's stack alone, one after another, then both at once."""
    if why_not := _why_not(device):
        return TwoProcesses(model, width, note=why_not)
    say("two processes against one")
    with _two_trainers(task, width) as pipes:
        steps = max(pipe.recv() for pipe in pipes)
        rounds = [(sum(_seconds([pipe], steps) for pipe in pipes), _seconds(pipes, steps)) for _ in range(ROUNDS)]
    both = median(both for _, both in rounds)
    return TwoProcesses(
        model,
        width,
        ratio=median(alone / both for alone, both in rounds),
        step_ms=both / (2 * width * steps) * 1e3,
    )


def _why_not(device: torch.device) -> str:
    if device.type != "cpu":
        return "they would share one GPU"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return "" if cores > 1 else "there is one core"


def _seconds(pipes: Sequence[Connection], steps: int) -> float:
    """Until all of them have done so many steps."""
    begin = perf_counter()
    for pipe in pipes:
        pipe.send(steps)
    for pipe in pipes:
        pipe.recv()
    return perf_counter() - begin


@contextmanager
def _two_trainers(task: TaskSpec, width: int) -> Iterator[list[Connection]]:
    """The near ends of the pipes of two processes; they end with this one, or when the pipes close."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for _ in range(2):
        ours, theirs = context.Pipe()
        process = context.Process(target=_train, args=(theirs, task, width), daemon=True)
        process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process)
    try:
        yield pipes
    finally:
        for pipe, process in zip(pipes, processes, strict=True):
            pipe.close()
            process.join()


def _train(pipe: Connection, task: TaskSpec, width: int) -> None:
    """Says how many steps make a run, then does as many as it is told, as often as it is."""
    torch.set_num_threads(1)
    step = stack(task, CPU, width=width)
    pipe.send(enough_steps(step, CPU))
    try:
        while True:
            pipe.send(seconds_of(step, pipe.recv(), CPU))
    except EOFError:
        return
