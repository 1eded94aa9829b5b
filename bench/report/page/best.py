"""The strategy to speak of on a task: a remedy has to beat plain training, and what is free too."""

from __future__ import annotations

from dataclasses import dataclass

from bench.evidence import Verdict
from bench.report.page.judged import Judged


@dataclass(frozen=True)
class Choice:
    """The strategy, and how it stands to what it was weighed against."""

    verdict: Verdict
    """Against `none`."""
    other: str = ""
    """Of what is free and what is not the better one that was not chosen; empty where there is none."""
    against: Verdict | None = None
    """The remedy against what is free: of `other` if that is trained, of the choice if `other` is free."""


def choice(judged: Judged) -> Choice | None:
    """Of those better than `none` the best that is free, unless a remedy beats that too; None where the family has no verdict.

    Where none is better, the one that gains most.
    """
    better = [each for each in judged.family if each.outcome == "better"]
    if not better:
        found = most(judged, judged.family)
        return None if found is None else Choice(found)
    free = most(judged, [each for each in better if judged.is_free(each.strategy)])
    trained = [each for each in better if not judged.is_free(each.strategy)]
    rival = most(judged, trained)
    if free is None or rival is None:
        return Choice(free or rival or better[0])
    beside = {each.strategy: each for each in judged.against(judged.values, free.strategy).verdicts}
    winner = most(judged, [each for each in trained if beside[each.strategy].outcome == "better"])
    if winner is not None:
        return Choice(winner, free.strategy, beside[winner.strategy])
    return Choice(free, rival.strategy, beside[rival.strategy])


def most(judged: Judged, verdicts: list[Verdict]) -> Verdict | None:
    """The one that gains most, the first of equals; None of none."""
    return max(verdicts, key=judged.gain, default=None)
