"""Warnings kept as notes for the record: those of strategies, or of an estimator."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from strategies import StrategyWarning


@contextmanager
def collect_notes(notes: list[str], *kinds: type[Warning], prefix: str = "") -> Iterator[None]:
    """Add the texts of the warnings of these kinds within the block to `notes`, each once; show other warnings as usual.

    The kind is StrategyWarning where none is given.

    >>> import warnings
    >>> notes = []
    >>> with collect_notes(notes):
    ...     warnings.warn("few items dominate", StrategyWarning)
    >>> notes
    ['few items dominate']
    """
    kept = kinds or (StrategyWarning,)
    with warnings.catch_warnings(record=True) as caught:
        for kind in kept:
            warnings.simplefilter("always", kind)
        yield
    for warning in caught:
        if not issubclass(warning.category, kept):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        elif (note := f"{prefix}{warning.message}") not in notes:
            notes.append(note)
