"""The check: measured in fresh processes, compared, and measured once more before anything is called slower."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.errors import InputError
from bench.machine.fresh_process import in_fresh_process
from bench.speed.regression.baseline import Ratios, find, record
from bench.speed.regression.rounds import Samplers, ratios, samplers
from bench.speed.regression.verdict import Comparison, compare
from bench.speed.samplers.peers import Unavailable

PROCESSES = 3


@dataclass(frozen=True)
class Report:
    """What was found; `compared` is empty where the measurement became the baseline."""

    ratios: Ratios
    baseline: Path
    compared: list[Comparison]

    @property
    def slower(self) -> bool:
        return any(each.slower for each in self.compared)


def check(asked: Path | None, say: Callable[[str], None], make: Callable[[], Samplers] = samplers) -> Report:
    """Compares the samplers that `make` makes with the baseline, or records one; an `InputError` where it cannot be measured."""
    found = find(asked)
    measured = _measured(make, say)
    if found is None:
        measured = _least_disturbed(_joined(measured, _measured(make, say)))
        return Report(measured, record(measured), [])
    path, baseline = found
    report = Report(measured, path, _compared(measured, baseline.ratios, path))
    if report.slower:
        say("slower at first sight: measuring again, in fresh processes")
        measured = _joined(measured, _measured(make, say))
        report = Report(measured, path, _compared(measured, baseline.ratios, path))
    return report


def _measured(make: Callable[[], Samplers], say: Callable[[str], None]) -> Ratios:
    by_process = []
    for number in range(1, PROCESSES + 1):
        say(f"process {number} of {PROCESSES}")
        try:
            by_process.append(in_fresh_process(ratios, make))
        except Unavailable as reason:
            raise InputError(f"sampler speed cannot be measured: {reason}") from None
        except BrokenProcessPool:
            raise InputError(
                "sampler speed cannot be measured: the measuring process was ended; run it again"
            ) from None
    return {name: [each[name] for each in by_process] for name in by_process[0]}


def _joined(first: Ratios, second: Ratios) -> Ratios:
    return {name: [*rounds, *second[name]] for name, rounds in first.items()}


def _least_disturbed(ratios: Ratios) -> Ratios:
    """The processes with the lowest medians, as many as a check has: a disturbed baseline would hide what becomes slower."""
    return {name: sorted(rounds, key=median)[:PROCESSES] for name, rounds in ratios.items()}


def _compared(now: Ratios, before: Ratios, path: Path) -> list[Comparison]:
    if missing := sorted(set(now) - set(before)):
        raise InputError(
            f"{path}: has no rounds of {', '.join(missing)}; remove it and run again to record a new baseline"
        )
    return [compare(name, now[name], before[name]) for name in now]
