"""Imports of packages that only some strategies need: a missing one is named with the extra that installs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

EXTRA = "bench"
"""The extra that brings every package which strategies use besides torch and numpy."""


@contextmanager
def optional_import(used_by: str) -> Iterator[None]:
    """Name the missing package, what needs it, and the command that installs it, if an import in the block fails.

    Parameters
    ----------
    used_by
        What needs the package: the name of a strategy or of a function.

    Raises
    ------
    ModuleNotFoundError
        If a package that the block imports is not installed.

    Examples
    --------
    >>> with optional_import("smote"):
    ...     import a_missing_package
    Traceback (most recent call last):
    ModuleNotFoundError: smote needs a_missing_package, which is not installed: pip install "imbalance-bench[bench]"
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'{used_by} needs {error.name}, which is not installed: pip install "imbalance-bench[{EXTRA}]"',
            name=error.name,
        ) from None
