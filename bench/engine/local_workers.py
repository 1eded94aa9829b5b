"""The local engine: single-threaded worker processes, as many as CPU cores, each training one stack at a time."""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from bench.engine.events import Advanced, Finished, Stack, StackEvent, Started, WorkerTime, retry_or_fail
from bench.machine.memory import is_reported, peak_resident_bytes
from bench.records.predictions import PredictedClasses
from bench.train.clock import Clock

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class _Broken:
    """A stack raised an error, or its process died."""

    reason: str


def run_stacks(stacks: Sequence[Stack], *, workers: int, device: str) -> Iterator[StackEvent]:
    """Train all stacks and yield what happens, in order of time.

    The runs of a stack that breaks are tried again one by one, so that only the run at fault fails. Workers end with this
    process, however it ends: they read from a pipe that closes with it.
    """
    waiting = deque(stacks)
    crew = [_Worker(device) for _ in range(min(workers, len(stacks)))]
    try:
        while crew:
            for worker in crew:
                if worker.stack is None and waiting:
                    worker.send(waiting.popleft())
                    yield Started(worker.stack or [])
            if not any(worker.stack for worker in crew):
                yield from (worker.dismiss() for worker in crew)
                return
            for worker in _wait_for_messages(crew):
                message = worker.receive()
                if isinstance(message, _Broken):
                    stack, worker.stack = worker.stack or [], None
                    yield from retry_or_fail(stack, message.reason, waiting)
                    if worker.ended:
                        crew[crew.index(worker)] = _Worker(device)
                    continue
                if isinstance(message, Finished):
                    worker.stack = None
                yield message
    finally:
        for worker in crew:
            worker.process.terminate()
            worker.process.join()


def _wait_for_messages(crew: Sequence[_Worker]) -> list[_Worker]:
    """Wait until workers have sent something; return those workers."""
    ready = wait([worker.pipe for worker in crew])
    return [worker for worker in crew if worker.pipe in ready]


class _Worker:
    """The parent's end of one worker process."""

    def __init__(self, device: str) -> None:
        # Spawned, not forked: torch's threads and CUDA do not survive a fork.
        context = multiprocessing.get_context("spawn")
        self.pipe, child_pipe = context.Pipe()
        self.process = context.Process(target=_work, args=(child_pipe, device), daemon=True)
        with ignore_ctrl_c():
            self.process.start()
        child_pipe.close()
        self.stack: Stack | None = None
        self.ended = False

    def send(self, stack: Stack) -> None:
        self.stack = stack
        # A dead worker is noticed when its pipe is read.
        with suppress(BrokenPipeError):
            self.pipe.send(stack)

    def receive(self) -> StackEvent | _Broken:
        try:
            message: StackEvent | _Broken = self.pipe.recv()
        except (EOFError, OSError):  # the pipe was closed, perhaps in the middle of a message
            self.process.join()
            self.ended = True
            return _Broken(f"its process ended with exit code {self.process.exitcode}: out of memory, or killed")
        return message

    def dismiss(self) -> WorkerTime:
        """End the process, and return where its time went."""
        with suppress(BrokenPipeError):
            self.pipe.send(None)
        message = self.receive()
        self.process.join()
        return message if isinstance(message, WorkerTime) else WorkerTime(0.0)


@contextmanager
def ignore_ctrl_c() -> Iterator[None]:
    """Start processes that ignore Ctrl-C from their first moment: it is for the parent, which ends its workers."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end_with_parent() -> None:
    """End this process as soon as its parent is gone, even in the middle of a stack."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _work(pipe: Connection, device: str) -> None:
    """Train the stacks that the pipe brings, until it brings None or the process at its other end is gone."""
    Thread(target=_end_with_parent, daemon=True).start()
    import torch

    torch.set_num_threads(1)
    clock = Clock()
    try:
        while (stack := pipe.recv()) is not None:
            try:
                pipe.send(_train(stack, torch.device(device), clock, pipe))
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                message = " ".join(str(error).split())
                pipe.send(_Broken(f"{type(error).__name__}: {message} ({Path(where.filename).name}:{where.lineno})"))
        peak_bytes = peak_resident_bytes() if is_reported() else None
        pipe.send(WorkerTime(clock.seconds_between("draw", "evaluate"), clock.seconds, peak_bytes))
    except (EOFError, BrokenPipeError):
        return


def _train(stack: Stack, device: torch.device, clock: Clock, pipe: Connection) -> Finished:
    from bench.train.loop import train

    step_work = stack[0].protocol.work / stack[0].protocol.steps

    def report_steps(steps: int) -> None:
        pipe.send(Advanced(steps, steps * step_work))

    predicted: dict[str, PredictedClasses] = {}
    outcomes = train(stack, device=device, clock=clock, on_steps=report_steps, on_predictions=predicted.__setitem__)
    return Finished(outcomes, predicted)
