"""One problem that an audit found, with the numbers observed and the lines to change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Subject = Literal["class mix", "sampler", "loss", "labels"]
"""What a check is about; the text of an audit has one line per subject."""


@dataclass(frozen=True)
class AuditFinding:
    """A named problem in how a loader is configured.

    Parameters
    ----------
    name
        Identifier of the kind of problem, such as "weights-per-class".
    message
        What was observed and why it is wrong, in full sentences.
    fix
        The lines of code that put it right.
    explains_mix
        Whether the problem accounts for a class mix that is not the intended one. If so, the audit does not report the mix as a
        problem of its own.
    subject
        What the problem is one of: "class mix", "sampler", "loss" or "labels".

    Examples
    --------
    >>> print(AuditFinding("replacement-false", "Every item comes once.", "sampler = WeightedRandomSampler(weights, 10)"))
    replacement-false: Every item comes once.
      Fix:
        sampler = WeightedRandomSampler(weights, 10)
    """

    name: str
    message: str
    fix: str
    explains_mix: bool = False
    subject: Subject = "sampler"

    def __str__(self) -> str:
        return "\n".join([f"{self.name}: {self.message}", "  Fix:", *(f"    {line}" for line in self.fix.splitlines())])
