"""How long a study will take on this machine, from the first steps of some stacks in as many processes as will train them."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from heapq import heapify, heapreplace
from statistics import mean
from tempfile import TemporaryFile
from time import monotonic, perf_counter

import torch

from bench.engine.cost import measure_cost
from bench.engine.events import Observer, Preparing, Stack, ignore
from bench.engine.packing import Packing, StackKey, group_by_stack_key
from bench.engine.process_end import (
    describe_end,
    ignore_ctrl_c,
    read_from_start,
    standard_error_to,
    without_main_module,
)
from bench.machine.device import synchronize
from bench.planning.run import Run
from bench.train.clock import Clock
from bench.train.fit_run import fit_run
from bench.train.loop import RunProgress, evaluate_checkpoints, validate
from bench.train.step import StackRunner

WARM_UP, STEPS, PROBES = 16, 32, 2
"""Steps before the first timed one; timed steps, twice as many as batches of sentences are sorted together; stacks of one key
that are probed, the first and the last."""


@dataclass(frozen=True)
class TimeEstimate:
    """Wall-clock seconds of training and of measuring costs; `not_counted` names what could not be tried, with the reason."""

    training_seconds: float
    cost_seconds: float
    not_counted: list[str]


@dataclass(frozen=True)
class Probe:
    """Seconds that one stack took in a worker process; all but `load_seconds` are per run of the stack."""

    began: float
    """When the process was ready, on the machine's monotonic clock."""
    load_seconds: float
    setup_seconds: float
    step_seconds: float
    validation_seconds: float
    final_seconds: float

    def seconds(self, stack: Stack) -> float:
        """Predict the seconds of a whole stack with the same key, from its set-up to its last evaluation."""
        protocol = stack[0].protocol
        validations = protocol.steps // protocol.validate_every
        trained = self.setup_seconds + protocol.steps * self.step_seconds + validations * self.validation_seconds
        return len(stack) * (trained + self.final_seconds)


@dataclass(frozen=True)
class Job:
    """A stack in the queue; a worker loads a task once, with the first stack of that task."""

    task: str
    seconds: float
    load_seconds: float


def estimate_time(
    packing: Packing, costed: Sequence[Run], workers: int, device: torch.device, observe: Observer = ignore
) -> TimeEstimate:
    """Estimate the time to train the stacks with `workers` processes, then to measure the costs of `costed` in this process."""
    probes, start_seconds, not_counted = probe_stacks(packing, workers, device, observe)
    jobs = []
    for stack in packing.stacks:
        if stack_probes := probes.get(StackKey.of(stack[0])):
            load_seconds = max(probe.load_seconds for probe in stack_probes)
            seconds = mean(probe.seconds(stack) for probe in stack_probes)
            jobs.append(Job(stack[0].task.label, seconds, load_seconds))
    cost_seconds = 0.0
    for key, runs in group_by_stack_key(costed).items():
        observe(Preparing("measuring how long the measurement of costs takes", str(key)))
        begin = perf_counter()
        try:
            measure_cost(runs[len(runs) // 2], device)
        except Exception as error:
            not_counted.append(f"costs of {key}: {type(error).__name__}: {error}")
        cost_seconds += len(runs) * (perf_counter() - begin)
    return TimeEstimate(makespan(jobs, workers, start_seconds), cost_seconds, not_counted)


def makespan(jobs: Sequence[Job], workers: int, start_seconds: float) -> float:
    """Return when the last worker ends, where each idle worker takes the next job of the queue.

    >>> makespan([Job("a", 3.0, 1.0), Job("a", 2.0, 1.0), Job("a", 2.0, 1.0)], workers=2, start_seconds=0.5)
    5.5
    """
    idle_at = [(start_seconds, worker) for worker in range(min(workers, len(jobs)))]
    loaded: list[set[str]] = [set() for _ in idle_at]
    heapify(idle_at)
    for job in jobs:
        now, worker = idle_at[0]
        load_seconds = 0.0 if job.task in loaded[worker] else job.load_seconds
        loaded[worker].add(job.task)
        heapreplace(idle_at, (now + load_seconds + job.seconds, worker))
    return max((now for now, _ in idle_at), default=0.0)


def probe_stacks(
    packing: Packing, workers: int, device: torch.device, observe: Observer
) -> tuple[dict[StackKey, list[Probe]], float, list[str]]:
    """Return the probes by stack key, the seconds until a worker is ready, and the stacks that could not be probed."""
    probed = {key: _first_and_last(stacks) for key, stacks in packing.by_stack_key().items()}
    if not probed:
        return {}, 0.0, []
    at_once = min(workers, len(packing.stacks), os.cpu_count() or 1)
    submitted, probes, not_counted = monotonic(), dict[StackKey, list[Probe]](), list[str]()
    pool = ProcessPoolExecutor(at_once, mp_context=multiprocessing.get_context("spawn"))
    with TemporaryFile() as written:
        # Ctrl-C is for this process, which ends the others.
        with ignore_ctrl_c(), without_main_module(), standard_error_to(written):
            jobs = [
                (key, pool.submit(_probe, stack, str(device))) for key, stacks in probed.items() for stack in stacks
            ]
        try:
            for key, job in jobs:
                observe(Preparing("measuring step times", str(key)))
                try:
                    probes.setdefault(key, []).append(job.result())
                except BrokenProcessPool:
                    not_counted.append(f"{key}: {describe_end(None, read_from_start(written))}")
                except Exception as error:  # the same will happen, and be recorded, when the stack is trained
                    not_counted.append(f"{key}: {type(error).__name__}: {error}")
        finally:
            pool.shutdown(cancel_futures=True)
    ready = [probe.began - submitted for key_probes in probes.values() for probe in key_probes]
    return {key: key_probes for key, key_probes in probes.items() if key_probes}, min(ready, default=0.0), not_counted


def _first_and_last(stacks: Sequence[Stack]) -> Iterator[Stack]:
    places = {round(place * (len(stacks) - 1) / max(PROBES - 1, 1)) for place in range(PROBES)}
    return (stacks[place] for place in sorted(places))


def _probe(stack: Stack, device: str) -> Probe:
    """Train the first steps of a stack in a worker process, and time the final evaluations of its first run alone.

    An estimator is fitted and evaluated once, which counts as its one step.
    """
    began = monotonic()
    torch.set_num_threads(1)
    on, clock = torch.device(device), Clock()
    with clock("load"):
        stack[0].load_task()
    if stack[0].protocol.is_estimator:
        with clock("fit"):
            fit_run(stack[0], Clock())
        return Probe(began, clock.seconds["load"], 0.0, clock.seconds["fit"], 0.0, 0.0)
    with clock("setup"):
        runner = StackRunner(stack, on)
        progress = [RunProgress() for _ in runner.runs]
    for _ in range(WARM_UP):
        runner.step(clock)
    with clock("steps"):
        for _ in range(STEPS):
            runner.step(clock)
        synchronize(on)
    with clock("validation"):
        validate(runner, progress, runner.steps)
    first_run = StackRunner(stack[:1], on)
    with clock("final"):
        evaluate_checkpoints(first_run, [RunProgress() for _ in first_run.runs])
    setup, steps, validation = (clock.seconds[what] / len(stack) for what in ("setup", "steps", "validation"))
    return Probe(began, clock.seconds["load"], setup, steps / STEPS, validation, clock.seconds["final"])
