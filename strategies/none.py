"""The baseline: plain training, with which every remedy is compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class Plain(Strategy):
    """Plain training, the baseline: every item once per epoch in random order, cross-entropy.

    Examples
    --------
    >>> print(Plain())
    none
    """

    name: ClassVar[str] = "none"
    title: ClassVar[str] = "plain training, the baseline: every item once per epoch, cross-entropy"
    formula: ClassVar[str] = "CE(z, y)"
    paper: ClassVar[str] = "folklore"
    folder: ClassVar[str] = "none"
