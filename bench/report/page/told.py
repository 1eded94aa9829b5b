"""How a difference is told: never without its interval."""

from __future__ import annotations

import math

from bench.stats import NOT_SIGNIFICANT, Verdict
from bench.text.numbers import signed


def interval(verdict: Verdict) -> str:
    """ "[+0.012, +0.031]", or that there is none."""
    return "(no interval)" if math.isnan(verdict.low) else f"[{signed(verdict.low)}, {signed(verdict.high)}]"


def change(verdict: Verdict) -> str:
    """The difference to the baseline with its interval."""
    return f"{signed(verdict.difference)} {interval(verdict)}"


def taken_back(verdict: Verdict) -> bool:
    """Whether 0 is outside its own interval, and Holm's adjustment for the family leaves it not significant."""
    return verdict.outcome == NOT_SIGNIFICANT and verdict.low * verdict.high > 0


def told(verdict: Verdict) -> str:
    """The same with its outcome, and why the two seem to disagree where they do."""
    holm = " after Holm's adjustment" if taken_back(verdict) else ""
    return f"{change(verdict)}, {verdict.outcome}{holm}"


def sentence(reason: str) -> str:
    """A reason as a sentence of its own.

    >>> sentence("there is one seed")
    'There is one seed.'
    """
    return f"{reason[:1].upper()}{reason[1:]}."
