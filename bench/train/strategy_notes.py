"""What strategies warn of, kept as notes for the record."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from strategies import StrategyWarning


@contextmanager
def collect_notes(notes: list[str]) -> Iterator[None]:
    """Add the texts of the warnings that strategies give within the block to `notes`, each once; show other warnings as usual.

    >>> import warnings
    >>> notes = []
    >>> with collect_notes(notes):
    ...     warnings.warn("few items dominate", StrategyWarning)
    >>> notes
    ['few items dominate']
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", StrategyWarning)
        yield
    for warning in caught:
        if not issubclass(warning.category, StrategyWarning):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        elif str(warning.message) not in notes:
            notes.append(str(warning.message))
