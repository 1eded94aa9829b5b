"""The local engine: one single-threaded process a core on the CPU, each training one stack at a time."""

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

from bench.engine.events import Advanced, Event, Finished, Stack, Started, WorkerTime, retry_or_fail
from bench.machine.memory import is_told, peak_resident_bytes
from bench.records.predictions import PredictedClasses
from bench.train.clock import Clock

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class _Broke:
    """A stack raised, or its process died."""

    reason: str


def run_stacks(stacks: Sequence[Stack], *, workers: int, device: str) -> Iterator[Event]:
    """Trains all stacks and tells what happens, in the order in which it happens.

    A stack that breaks is tried again as stacks of one, so that only the training at fault fails. Workers end with this
    process, however it ends: they read from a pipe that closes with it.
    """
    waiting = deque(stacks)
    crew = [_Worker(device) for _ in range(min(workers, len(stacks)))]
    try:
        while crew:
            for worker in crew:
                if worker.stack is None and waiting:
                    worker.give(waiting.popleft())
                    yield Started(worker.stack or [])
            if not any(worker.stack for worker in crew):
                yield from (worker.dismiss() for worker in crew)
                return
            for worker in _with_news(crew):
                event = worker.receive()
                if isinstance(event, _Broke):
                    stack, worker.stack = worker.stack or [], None
                    yield from retry_or_fail(stack, event.reason, waiting)
                    if worker.ended:
                        crew[crew.index(worker)] = _Worker(device)
                    continue
                if isinstance(event, Finished):
                    worker.stack = None
                yield event
    finally:
        for worker in crew:
            worker.process.terminate()
            worker.process.join()


def _with_news(crew: Sequence[_Worker]) -> list[_Worker]:
    ready = wait([worker.pipe for worker in crew])
    return [worker for worker in crew if worker.pipe in ready]


class _Worker:
    """The parent's end of one worker process."""

    def __init__(self, device: str) -> None:
        # Spawned, not forked: torch's threads and CUDA do not survive a fork.
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, device), daemon=True)
        with ctrl_c_ignored():
            self.process.start()
        theirs.close()
        self.stack: Stack | None = None
        self.ended = False

    def give(self, stack: Stack) -> None:
        self.stack = stack
        # A dead worker is noticed when its pipe is read.
        with suppress(BrokenPipeError):
            self.pipe.send(stack)

    def receive(self) -> Event | _Broke:
        try:
            event: Event | _Broke = self.pipe.recv()
        except (EOFError, OSError):  # closed, or in the middle of a word
            self.process.join()
            self.ended = True
            return _Broke(f"its process ended with exit code {self.process.exitcode}: out of memory, or killed")
        return event

    def dismiss(self) -> Event:
        """Sends the worker home; it says where its time went."""
        with suppress(BrokenPipeError):
            self.pipe.send(None)
        spent = self.receive()
        self.process.join()
        return spent if isinstance(spent, WorkerTime) else WorkerTime(0.0)


@contextmanager
def ctrl_c_ignored() -> Iterator[None]:
    """Ctrl-C is for the parent, which ends its workers: a process started in here ignores it from its first moment."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end_with_parent() -> None:
    """Ends this process as soon as its parent is gone, even in the middle of a stack."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _work(pipe: Connection, device: str) -> None:
    """A worker: trains what the pipe brings until it brings None, or closes with the process at its other end."""
    Thread(target=_end_with_parent, daemon=True).start()
    import torch

    torch.set_num_threads(1)
    clock = Clock()
    try:
        while (stack := pipe.recv()) is not None:
            try:
                pipe.send(_trained(stack, torch.device(device), clock, pipe))
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                said = " ".join(str(error).split())
                pipe.send(_Broke(f"{type(error).__name__}: {said} ({Path(where.filename).name}:{where.lineno})"))
        peak = peak_resident_bytes() if is_told() else None
        pipe.send(WorkerTime(clock.between("draw", "evaluate"), clock.seconds, peak))
    except (EOFError, BrokenPipeError):
        return


def _trained(stack: Stack, device: torch.device, clock: Clock, pipe: Connection) -> Finished:
    from bench.train.loop import train

    step_work = stack[0].protocol.work / stack[0].protocol.steps

    def advanced(steps: int) -> None:
        pipe.send(Advanced(steps, steps * step_work))

    predicted: dict[str, PredictedClasses] = {}
    outcomes = train(stack, device=device, clock=clock, on_steps=advanced, on_predictions=predicted.__setitem__)
    return Finished(outcomes, predicted)
