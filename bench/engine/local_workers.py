"""The local engine: single-threaded worker processes, as many as CPU cores, each training one stack at a time."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import traceback
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from tempfile import TemporaryFile
from threading import Thread
from typing import TYPE_CHECKING

from bench.engine.events import (
    Advanced,
    Finished,
    Requeued,
    Stack,
    StackEvent,
    Started,
    Waiting,
    WorkerTime,
    retry_or_fail,
)
from bench.engine.process_end import (
    describe_end,
    ignore_ctrl_c,
    read_from_start,
    standard_error_to,
    without_main_module,
)
from bench.errors import InputError
from bench.machine.memory import is_reported, peak_resident_bytes
from bench.train.clock import Clock

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class _Ready:
    """A worker has started: from now on, what goes wrong in it is the fault of a stack."""


@dataclass(frozen=True)
class _Broken:
    """A stack raised an error, or its process died."""

    reason: str


def run_stacks(stacks: Sequence[Stack], *, workers: int, device: str) -> Iterator[StackEvent]:
    """Train all stacks and yield what happens, in order of time.

    The runs of a stack that breaks are tried again one by one, so that only the run at fault fails. Workers end with this
    process, however it ends: they read from a pipe that closes with it.

    Raises an InputError where no worker can start, or where all die alike, whatever they train: trying every run would help
    nobody.
    """
    waiting = deque(stacks)
    crew = [_Worker(device) for _ in range(min(workers, len(stacks)))]
    deaths = _Deaths()
    try:
        while crew:
            for worker in crew:
                if worker.stack is None and waiting:
                    worker.send(waiting.popleft())
                    yield Started(worker.stack or [])
            if not any(worker.stack for worker in crew):
                yield from (worker.dismiss() for worker in crew)
                return
            messengers = _wait_for_messages(crew)
            if not messengers:
                yield Waiting()
            for worker in messengers:
                message = worker.receive()
                if isinstance(message, _Ready):
                    worker.is_ready = True
                elif isinstance(message, _Broken):
                    stack, worker.stack = worker.stack or [], None
                    if worker.ended and not worker.is_ready:
                        crew.remove(worker)
                        waiting.appendleft(stack)
                        yield Requeued(stack)
                        if not crew:
                            raise InputError(f"no worker process can start: {message.reason}")
                        continue
                    yield from retry_or_fail(stack, message.reason, waiting)
                    if worker.ended:
                        deaths.add(stack, message.reason)
                        crew[crew.index(worker)] = _Worker(device)
                else:
                    deaths.nothing_trained &= not isinstance(message, Advanced)
                    if isinstance(message, Finished):
                        worker.stack = None
                    yield message
    finally:
        for worker in crew:
            worker.stop()


class _Deaths:
    """Which strategies' runs have ended a process, before any run was trained."""

    def __init__(self) -> None:
        self.nothing_trained = True
        self._strategies: defaultdict[str, set[str]] = defaultdict(set)

    def add(self, stack: Stack, reason: str) -> None:
        """Note a death; raise an InputError if another strategy, trained alone too, has died in the same way."""
        if not self.nothing_trained or len(stack) > 1:
            return
        strategies = self._strategies[reason]
        strategies.add(str(stack[0].strategy))
        if len(strategies) > 1:
            raise InputError(
                f"every worker dies in the same way, under {' and '.join(sorted(strategies))} too: {reason}; when that is "
                "fixed, the same command with --retry failed resumes"
            )


def _wait_for_messages(crew: Sequence[_Worker]) -> list[_Worker]:
    """Wait until workers have sent something, for a second at most; return those workers."""
    ready = wait([worker.pipe for worker in crew], timeout=1.0)
    return [worker for worker in crew if worker.pipe in ready]


class _Worker:
    """The parent's end of one worker process."""

    def __init__(self, device: str) -> None:
        # Spawned, not forked: torch's threads and CUDA do not survive a fork.
        context = multiprocessing.get_context("spawn")
        self.pipe, child_pipe = context.Pipe()
        self.process = context.Process(target=_work, args=(child_pipe, device), daemon=True)
        self.standard_error = TemporaryFile()  # noqa: SIM115  (closed when the process has ended)
        with ignore_ctrl_c(), without_main_module(), standard_error_to(self.standard_error):
            self.process.start()
        child_pipe.close()
        self.stack: Stack | None = None
        self.is_ready = self.ended = False

    def send(self, stack: Stack) -> None:
        self.stack = stack
        # A dead worker is noticed when its pipe is read.
        with suppress(BrokenPipeError):
            self.pipe.send(stack)

    def receive(self) -> StackEvent | _Ready | _Broken:
        try:
            message: StackEvent | _Ready | _Broken = self.pipe.recv()
        except (EOFError, OSError):  # the pipe was closed, perhaps in the middle of a message
            self.process.join()
            self.ended = True
            with self.standard_error:
                return _Broken(describe_end(self.process.exitcode, read_from_start(self.standard_error)))
        return message

    def dismiss(self) -> WorkerTime:
        """End the process, and return where its time went."""
        with suppress(BrokenPipeError):
            self.pipe.send(None)
        while isinstance(message := self.receive(), _Ready):
            pass
        self.process.join()
        if not isinstance(message, WorkerTime):
            return WorkerTime(0.0)
        with self.standard_error:
            return replace(message, written=read_from_start(self.standard_error))

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self.process.terminate()
        self.process.join()
        self.standard_error.close()


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

    import bench.engine.stack_execution  # noqa: F401  (what cannot be imported is no stack's fault)

    torch.set_num_threads(1)
    clock = Clock()
    try:
        pipe.send(_Ready())
        while _serve(pipe, torch.device(device), clock):
            pass
        peak_bytes = peak_resident_bytes() if is_reported() else None
        pipe.send(WorkerTime(clock.seconds_between("draw", "evaluate"), clock.seconds, peak_bytes))
    except (ConnectionResetError, BrokenPipeError):
        return


def _serve(pipe: Connection, device: torch.device, clock: Clock) -> bool:
    """Train the next stack that the pipe brings, and send what becomes of it; False if there is no other."""
    try:
        message = pipe.recv_bytes()
    except EOFError:
        raise BrokenPipeError from None
    try:
        stack = pickle.loads(message)
        if stack is None:
            return False
        pipe.send(_train(stack, device, clock, pipe))
    except (Exception, SystemExit) as error:
        pipe.send(_Broken(_describe_error(error)))
    return True


def _describe_error(error: BaseException) -> str:
    """Return an error's type, its message in one line, and where it was raised."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message} ({Path(where.filename).name}:{where.lineno})"


def _train(stack: Stack, device: torch.device, clock: Clock, pipe: Connection) -> Finished:
    from bench.engine.stack_execution import train_stack

    return train_stack(stack, device, clock, pipe.send)
