"""The Ray engine: the same stacks on one machine or on a cluster, one core per stack; needs the extra `ray`.

Every machine needs this project installed in the same version, and the data sets fetched: a stack is sent as names, not as
tensors.
"""

from __future__ import annotations

import logging
import os
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from bench.engine.events import Advanced, Finished, Stack, StackEvent, Started, WorkerTime, retry_or_fail
from bench.errors import InputError
from strategies.registry import source_hash


def run_stacks(
    stacks: Sequence[Stack], *, workers: int | None, device: str, address: str | None, gpus_per_worker: float
) -> Iterator[StackEvent]:
    """Train all stacks and yield what happens; at most `workers` stacks at a time, as many as the cluster's cores if None.

    `address` is that of a running cluster ("auto" finds this machine's); without one a cluster is started on this machine.
    """
    try:
        import ray
    except ModuleNotFoundError:
        raise InputError("--engine ray needs Ray: .venv/bin/pip install -c constraints.txt -e '.[ray]'") from None
    gpus = gpus_per_worker if device == "cuda" else 0.0
    # The cluster's machines find the modules of plug-ins on the same path as this process.
    search_path = {"env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}}
    try:
        ray.init(
            address=address,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env=search_path if _uses_plugins(stacks) else None,
        )
    except (ConnectionError, ValueError) as error:
        raise InputError(
            f"--address {address}: no Ray cluster answers ({error}); start one with: ray start --head"
        ) from None
    try:
        train = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=0)(_train)
        slots = workers or int(ray.cluster_resources()["CPU"])
        waiting: deque[Stack] = deque(stacks)
        running: dict[Any, Stack] = {}
        total = WorkerTime(0.0)
        while waiting or running:
            while waiting and len(running) < slots:
                stack = waiting.popleft()
                running[train.remote(stack, device)] = stack
                yield Started(stack)
            for done in ray.wait(list(running))[0]:
                stack = running.pop(done)
                try:
                    finished, worker_time = ray.get(done)
                except ray.exceptions.RayError as error:
                    yield from retry_or_fail(stack, str(error).strip().splitlines()[-1], waiting)
                else:
                    steps = sum(run.protocol.steps for run in stack if not run.protocol.is_estimator)
                    yield Advanced(steps, sum(run.protocol.work for run in stack))
                    yield finished
                    total = total + worker_time
        yield total
    finally:
        ray.shutdown()


def _uses_plugins(stacks: Sequence[Stack]) -> bool:
    runs = [run for stack in stacks for run in stack]
    parts = (part for run in runs for part in (*run.strategy.parts, *run.adjustments))
    return any(source_hash(type(part)) is not None for part in parts) or any(
        type(run.task).__module__.partition(".")[0] != "bench" for run in runs
    )


def _train(stack: Stack, device: str) -> tuple[Finished, WorkerTime]:
    """Train a stack in a Ray worker."""
    import torch

    from bench.engine.stack_execution import train_stack
    from bench.train.clock import Clock

    torch.set_num_threads(1)
    clock = Clock()
    finished = train_stack(stack, torch.device(device), clock)
    return finished, WorkerTime(clock.seconds_between("draw", "evaluate"), clock.seconds)
