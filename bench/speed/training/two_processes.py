"""Two processes on two cores compared with one: the same stacks, without the time to start them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from statistics import median

import torch

from bench.machine.cores import available_cores
from bench.speed.timing import ProgressCallback, measure_in_turn, median_ratio, time_call
from bench.speed.training.step_timing import ROUNDS, count_steps, time_steps
from bench.speed.training.training_measurement import TwoProcesses
from bench.speed.training.variants import build_stack
from bench.tasks.task import TaskSpec

CPU = torch.device("cpu")


def compare_two_processes(
    model: str, task: TaskSpec, width: int, device: torch.device, progress: ProgressCallback
) -> TwoProcesses:
    """Time both processes' stacks one after the other and at once, in turn for several rounds."""
    if why_not := _why_not_measurable(device):
        return TwoProcesses(model, width, note=why_not)
    progress("two processes against one")
    with _two_trainers(task, width) as pipes:
        steps = max(pipe.recv() for pipe in pipes)
        seconds = measure_in_turn(
            {
                "one after the other": lambda: sum(_time_trainers([pipe], steps) for pipe in pipes),
                "at once": lambda: _time_trainers(pipes, steps),
            },
            ROUNDS,
        )
    return TwoProcesses(
        model,
        width,
        ratio=median_ratio(seconds["one after the other"], seconds["at once"]),
        step_ms=median(seconds["at once"]) / (2 * width * steps) * 1e3,
    )


def _why_not_measurable(device: torch.device) -> str:
    if device.type != "cpu":
        return "they would share one GPU"
    return "" if available_cores() > 1 else "there is one core"


def _time_trainers(pipes: Sequence[Connection], steps: int) -> float:
    """Return the seconds until the processes behind all pipes have done so many steps."""

    def train() -> None:
        for pipe in pipes:
            pipe.send(steps)
        for pipe in pipes:
            pipe.recv()

    return time_call(train)


@contextmanager
def _two_trainers(task: TaskSpec, width: int) -> Iterator[list[Connection]]:
    """Start two processes and yield their pipes; the processes end when the pipes close, or with this process."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for _ in range(2):
        pipe, trainers_end = context.Pipe()
        process = context.Process(target=_serve_steps, args=(trainers_end, task, width), daemon=True)
        process.start()
        trainers_end.close()
        pipes.append(pipe)
        processes.append(process)
    try:
        yield pipes
    finally:
        for pipe, process in zip(pipes, processes, strict=True):
            pipe.close()
            process.join()


def _serve_steps(pipe: Connection, task: TaskSpec, width: int) -> None:
    """Send how many steps a timed run needs; then do as many steps as each message asks for, until the pipe closes."""
    torch.set_num_threads(1)
    step = build_stack(task, CPU, width=width)
    pipe.send(count_steps(step, CPU))
    try:
        while True:
            pipe.send(time_steps(step, pipe.recv(), CPU))
    except EOFError:
        return
