"""Where the seconds of a training go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Clock:
    """Seconds by what they were spent on."""

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

    def between(self, first: str, last: str) -> float:
        """Seconds from the first time that `first` began to the last time that `last` ended; 0 if they never did."""
        return self._ended[last] - self._began[first] if first in self._began and last in self._ended else 0.0
