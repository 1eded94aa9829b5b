"""No remedy: what every other one is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class Plain(Strategy):
    """Plain training: every item once an epoch, cross-entropy.

    >>> print(Plain())
    none
    """

    name: ClassVar[str] = "none"
    title: ClassVar[str] = "plain training: every item once an epoch, cross-entropy"
    formula: ClassVar[str] = "CE(z, y)"
    paper: ClassVar[str] = "folklore"
    folder: ClassVar[str] = "none"
