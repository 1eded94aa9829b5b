"""Worker processes: how they are started, without Ctrl-C and with a file for their standard error; and why one ended."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import IO

from bench.text.lines import last_line

LONGEST_LAST_WORDS = 300
"""Characters of a process's last line that a reason repeats."""


@contextmanager
def ignore_ctrl_c() -> Iterator[None]:
    """Start processes that ignore Ctrl-C from their first moment: it is for the parent, which ends its workers."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def standard_error_to(file: IO[bytes]) -> Iterator[None]:
    """Start processes whose standard error is this file from their first moment, so that their last words can be reported.

    It is exchanged in this process for that moment, because multiprocessing passes it on and takes no other.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def without_main_module() -> Iterator[None]:
    """Start processes that do not run the user's script again, so that it needs no `if __name__ == "__main__"`.

    multiprocessing imports the script in every process that it spawns, for what is defined there; nothing that a worker is sent
    is: strategies, tasks and models come from modules and plug-in files.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def read_from_start(file: IO[bytes]) -> str:
    """Return what processes, which have ended, wrote to a file."""
    file.seek(0)
    return file.read().decode(errors="replace")


def describe_end(exit_code: int | None, written: str) -> str:
    """Return why a process ended, from its exit code, None if unknown, and what it wrote on standard error.

    >>> describe_end(1, "Traceback (most recent call last):\\n  ...\\nModuleNotFoundError: No module named 'wordy'\\n")
    "its process ended with exit code 1: ModuleNotFoundError: No module named 'wordy'"
    >>> describe_end(-11, "")
    'its process was ended by SIGSEGV'
    """
    last_words = last_line(written)
    said = f": {last_words[:LONGEST_LAST_WORDS]}" if last_words else ""
    if exit_code is None:
        return f"its process ended{said or ' without a message'}"
    if exit_code >= 0:
        return f"its process ended with exit code {exit_code}{said or ' and without a message'}"
    name = signal.Signals(-exit_code).name if -exit_code in set(signal.Signals) else f"signal {-exit_code}"
    if name == "SIGKILL":
        return f"its process was killed (SIGKILL), as the system does when memory runs out: try fewer --workers{said}"
    return f"its process was ended by {name}{said}"
