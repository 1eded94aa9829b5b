"""One thing that is wrong, with the numbers seen and the lines to change."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AuditFinding:
    """A named mistake: what was seen, and the lines of code that mend it.

    >>> print(Finding("replacement-false", "every item comes once.", "sampler = WeightedRandomSampler(weights, 10)"))
    replacement-false: every item comes once.
        sampler = WeightedRandomSampler(weights, 10)
    """

    name: str
    says: str
    fix: str
    moves_mix: bool = False
    """Whether it accounts for a class mix that is not the intended one."""

    def __str__(self) -> str:
        return "\n".join([f"{self.name}: {self.says}", *(f"    {line}" for line in self.fix.splitlines())])
