"""How long a run will take on this machine: stacks of each kind are begun in as many processes as will train them."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from heapq import heapify, heapreplace
from statistics import mean
from time import monotonic, perf_counter

import torch

from bench.engine.cost import measure_cost
from bench.engine.events import Stack
from bench.engine.local_workers import ctrl_c_ignored
from bench.engine.packing import Packing, StackKey, of_kind
from bench.planning.run import Run
from bench.train.clock import Clock
from bench.train.loop import RunProgress, evaluate_checkpoints, validate
from bench.train.step import StackRunner

WARM_UP, STEPS, PROBES = 16, 32, 2
"""Steps before the first timed one; timed steps, twice as many as batches of sentences are sorted together; stacks of a kind that
are begun, its first and its last."""


@dataclass(frozen=True)
class Prediction:
    """Wall-clock of training and of measuring costs, and what is not counted, with the reason."""

    training_seconds: float
    cost_seconds: float
    not_counted: list[str]


@dataclass(frozen=True)
class Probe:
    """What one stack took, in a process of its engine's kind: all but `load_seconds` for each of its trainings."""

    began: float
    """On the machine's clock: when the process could begin."""
    load_seconds: float
    setup_seconds: float
    step_seconds: float
    validation_seconds: float
    final_seconds: float

    def seconds(self, stack: Stack) -> float:
        """A whole stack of this kind, from its set-up to its last evaluation."""
        protocol = stack[0].protocol
        validations = protocol.steps // protocol.validate_every
        each = self.setup_seconds + protocol.steps * self.step_seconds + validations * self.validation_seconds
        return len(stack) * (each + self.final_seconds)


@dataclass(frozen=True)
class Job:
    """A stack in the queue: a worker loads a task with the first stack of it."""

    task: str
    seconds: float
    load_seconds: float


def predict(packing: Packing, costs: Sequence[Run], workers: int, device: torch.device) -> Prediction:
    """The time for the stacks with so many workers, and then for measuring costs one after the other in this process."""
    probes, start_seconds, broken = _probed(packing, workers, device)
    jobs = []
    for stack in packing.stacks:
        if found := probes.get(StackKey.of(stack[0])):
            load = max(each.load_seconds for each in found)
            jobs.append(Job(stack[0].task.label, mean(each.seconds(stack) for each in found), load))
    cost_seconds = 0.0
    for kind, members in of_kind(costs).items():
        begin = perf_counter()
        try:
            measure_cost(members[len(members) // 2], device)
        except Exception as error:
            broken.append(f"costs of {kind}: {type(error).__name__}: {error}")
        cost_seconds += len(members) * (perf_counter() - begin)
    return Prediction(makespan(jobs, workers, start_seconds), cost_seconds, broken)


def makespan(jobs: Sequence[Job], workers: int, start_seconds: float) -> float:
    """When the last worker ends, each taking the next job of the queue as soon as it is free.

    >>> makespan([Job("a", 3.0, 1.0), Job("a", 2.0, 1.0), Job("a", 2.0, 1.0)], workers=2, start_seconds=0.5)
    5.5
    """
    free = [(start_seconds, worker) for worker in range(min(workers, len(jobs)))]
    loaded: list[set[str]] = [set() for _ in free]
    heapify(free)
    for job in jobs:
        now, worker = free[0]
        load = 0.0 if job.task in loaded[worker] else job.load_seconds
        loaded[worker].add(job.task)
        heapreplace(free, (now + load + job.seconds, worker))
    return max((now for now, _ in free), default=0.0)


def _probed(
    packing: Packing, workers: int, device: torch.device
) -> tuple[dict[StackKey, list[Probe]], float, list[str]]:
    """Probes of every kind, the seconds until a worker can begin, and what broke."""
    chosen = {kind: _first_and_last(stacks) for kind, stacks in packing.of_kind().items()}
    if not chosen:
        return {}, 0.0, []
    at_once = min(workers, len(packing.stacks), os.cpu_count() or 1)
    submitted, probes, broken = monotonic(), dict[StackKey, list[Probe]](), list[str]()
    pool = ProcessPoolExecutor(at_once, mp_context=multiprocessing.get_context("spawn"))
    with ctrl_c_ignored():  # it is for this process, which ends the others
        running = [
            (kind, pool.submit(_probe, stack, str(device))) for kind, stacks in chosen.items() for stack in stacks
        ]
    try:
        for kind, each in running:
            try:
                probes.setdefault(kind, []).append(each.result())
            except Exception as error:  # it will fail alike when it is trained
                broken.append(f"{kind}: {type(error).__name__}: {error}")
    finally:
        pool.shutdown(cancel_futures=True)
    begins = [each.began - submitted for found in probes.values() for each in found]
    return {kind: found for kind, found in probes.items() if found}, min(begins, default=0.0), broken


def _first_and_last(stacks: Sequence[Stack]) -> Iterator[Stack]:
    places = {round(place * (len(stacks) - 1) / max(PROBES - 1, 1)) for place in range(PROBES)}
    return (stacks[place] for place in sorted(places))


def _probe(stack: Stack, device: str) -> Probe:
    """Begins a stack in a worker process; its last evaluations are timed on its first training alone."""
    began = monotonic()
    torch.set_num_threads(1)
    on, clock = torch.device(device), Clock()
    with clock("load"):
        stack[0].task.load(stack[0].seed_for("split"))
    with clock("setup"):
        program, progress = StackRunner(stack, on), [RunProgress() for _ in stack]
    for _ in range(WARM_UP):
        program.step(clock)
    with clock("steps"):
        for _ in range(STEPS):
            program.step(clock)
        _finish(on)
    with clock("validation"):
        validate(program, progress, program.steps)
    alone = StackRunner(stack[:1], on)
    with clock("final"):
        evaluate_checkpoints(alone, [RunProgress()])
    setup, steps, validation = (clock.seconds[each] / len(stack) for each in ("setup", "steps", "validation"))
    return Probe(began, clock.seconds["load"], setup, steps / STEPS, validation, clock.seconds["final"])


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
