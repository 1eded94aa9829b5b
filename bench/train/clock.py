"""Seconds by what they were spent on: loading, sampling, steps, evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Clock:
    """Adds up wall-clock seconds by name: `with clock("step"): ...`."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._began: dict[str, float] = {}
        self._ended: dict[str, float] = {}

    @contextmanager
    def __call__(self, what: str) -> Iterator[None]:
        start = perf_counter()
        self._began.setdefault(what, start)
        try:
            yield
        finally:
            self._ended[what] = perf_counter()
            self.seconds[what] = self.seconds.get(what, 0.0) + self._ended[what] - start

    def seconds_between(self, first: str, last: str) -> float:
        """Return the seconds from when `first` first began to when `last` last ended; 0 if either never happened."""
        return self._ended[last] - self._began[first] if first in self._began and last in self._ended else 0.0
