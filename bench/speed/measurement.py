"""What a speed benchmark returns: its rows, and the command, machine and method that they hold for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SCHEMA = 1
"""The version of the JSON files; fields that a version has are never renamed."""


@dataclass(frozen=True)
class Measurement:
    """The fields that every measurement has; a benchmark's own class adds others, with `schema_version` last."""

    command: str
    """The command line that repeats the measurement."""
    machine: dict[str, str]
    """The device's name, and the versions of Python and of the packages measured."""
    method: str
    rows: Sequence[Any]
    """One dataclass per variant and size or model."""
