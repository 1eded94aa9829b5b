"""The remedy to speak of on a task: the best of a family, and what is free that it does not beat."""

from __future__ import annotations

from dataclasses import dataclass

from bench.evidence import Verdict
from bench.record import Record
from bench.report.page.judged import PLAIN, Judged
from bench.report.page.without_training import Free, against, free_remedies, verdicts


@dataclass(frozen=True)
class Unbeaten:
    """A free remedy that is better than `none`, and that the best of the primary family is not better than."""

    name: str
    """Such as "none + thresholds"."""
    adjustment: str
    mean: float
    verdict: Verdict
    records: dict[int, Record]
    """The trainings whose logits are adjusted."""


def best_of(judged: Judged, family: str) -> Verdict | None:
    """Of a family's strategies that are better than `none`, or else of all, the one that gains most; None where there is none."""
    found = [each for each in judged.verdicts.values() if each.family == family]
    better = [each for each in found if each.outcome == "better"]
    return max(better or found, key=lambda each: judged.gain(each), default=None)


def unbeaten(judged: Judged, best: Verdict | None) -> Unbeaten | None:
    """The free remedy that gains most of those that stand; None if there is none, or `best` is free itself."""
    if best is None or judged.outcomes[best.strategy].row.trained_as == PLAIN:
        return None
    free = free_remedies(judged)
    better = {name: each for name, each in verdicts(judged).items() if each.outcome == "better"}
    stands = {name: each for name, each in better.items() if not _beats(judged, best.strategy, free[name])}
    most = max(stands, key=lambda name: judged.gain(stands[name]), default=None)
    if most is None:
        return None
    found = free[most]
    records = judged.outcomes[found.row or PLAIN].records
    return Unbeaten(found.name, most, float(found.values.to_numpy().mean()), stands[most], records)


def _beats(judged: Judged, strategy: str, free: Free) -> bool:
    compared = against(judged, free).verdicts
    return any(each.strategy == strategy and each.outcome == "better" for each in compared)
