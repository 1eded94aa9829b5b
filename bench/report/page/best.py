"""The strategy to speak of on a task: a remedy has to beat plain training, and what is free too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.stats import Verdict

if TYPE_CHECKING:
    from bench.report.page.judged import Judged


@dataclass(frozen=True)
class Choice:
    """The strategy, and how it stands to what it was weighed against."""

    verdict: Verdict
    """Against `none`."""
    other: str = ""
    """Of what is free and what is trained the one that was not chosen; empty where there is none."""
    against: Verdict | None = None
    """What is trained of the two against what is free."""


def choice(judged: Judged) -> Choice | None:
    """A remedy that is better than `none` and than the best that is free; else what is free and better than `none`.

    Where what is free has the better mean without being detectably better than `none`, a remedy is chosen with that comparison
    told, or, if it is worse than that, what is free. Where nothing is better than `none`, what gains most; None where the family
    has no verdict.
    """
    better = [each for each in judged.family if each.outcome == "better"]
    trained = [each for each in better if not judged.is_free(each.strategy)]
    rival = most(judged, trained)
    free = most(judged, [each for each in judged.family if judged.is_free(each.strategy)])
    if rival is None or free is None:
        found = most(judged, better or judged.family)
        return None if found is None else Choice(found)
    beside = _against(judged, free)
    winner = most(judged, [each for each in trained if beside[each.strategy].outcome == "better"])
    if winner is not None:
        return Choice(winner, free.strategy, beside[winner.strategy])
    for_nothing = most(judged, [each for each in better if judged.is_free(each.strategy)])
    if for_nothing is not None:
        return Choice(for_nothing, rival.strategy, _against(judged, for_nothing)[rival.strategy])
    if beside[rival.strategy].outcome == "worse":
        return Choice(free, rival.strategy, beside[rival.strategy])
    return Choice(rival, free.strategy, beside[rival.strategy])


def most(judged: Judged, verdicts: list[Verdict]) -> Verdict | None:
    """The one that gains most, the first of equals; None of none."""
    return max(verdicts, key=judged.gain, default=None)


def _against(judged: Judged, free: Verdict) -> dict[str, Verdict]:
    """Every strategy against one that is free."""
    return {each.strategy: each for each in judged.against(judged.values, free.strategy).verdicts}
