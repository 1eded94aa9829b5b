"""The speed check: samplers are measured in fresh processes, and measured again before any is called slower."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.errors import InputError
from bench.machine.fresh_process import in_fresh_process
from bench.records.store import check_place
from bench.speed.regression.baseline import Ratios, find_baseline, path_to_record, record_baseline
from bench.speed.regression.measure import Samplers, build_samplers, measure_ratios
from bench.speed.regression.slowdown import SpeedComparison, compare_ratios
from bench.speed.samplers.peers import Unavailable
from bench.speed.timing import ProgressCallback

PROCESSES = 3


@dataclass(frozen=True)
class SpeedCheck:
    """The measured ratios, the baseline's path, and the comparisons: none if these ratios became the baseline."""

    ratios: Ratios
    baseline: Path
    comparisons: list[SpeedComparison]

    @property
    def slower(self) -> bool:
        return any(comparison.slower for comparison in self.comparisons)


def check_speed(
    baseline_path: Path | None,
    progress: ProgressCallback,
    build: Callable[[], Samplers] = build_samplers,
    *,
    record: bool = False,
) -> SpeedCheck:
    """Compare samplers with the baseline of this machine; record one if none was given and there is none.

    Parameters
    ----------
    baseline_path
        A baseline file, or a folder with one file per machine; None for the one that is known for this machine.
    progress
        Receives one line of text at each stage.
    build
        Builds the samplers, in each measuring process anew.
    record
        Record a new baseline, also where there is one.

    Raises
    ------
    InputError
        If the baseline cannot be used, or the samplers cannot be measured.
    """
    known, path_to_write = None if record else find_baseline(baseline_path), path_to_record(baseline_path)
    if known is None:
        check_place(path_to_write, path_to_write.parent)
    ratios = _measure_in_processes(build, progress)
    if known is None:
        ratios = _keep_least_disturbed(_join_rounds(ratios, _measure_in_processes(build, progress)))
        return SpeedCheck(ratios, record_baseline(ratios, path_to_write), [])
    path, baseline = known
    check = SpeedCheck(ratios, path, _compare_all(ratios, baseline.ratios, path))
    if check.slower:
        progress("slower at first sight: measuring again, in fresh processes")
        ratios = _join_rounds(ratios, _measure_in_processes(build, progress))
        check = SpeedCheck(ratios, path, _compare_all(ratios, baseline.ratios, path))
    return check


def _measure_in_processes(build: Callable[[], Samplers], progress: ProgressCallback) -> Ratios:
    by_process = []
    for number in range(1, PROCESSES + 1):
        progress(f"process {number} of {PROCESSES}")
        try:
            by_process.append(in_fresh_process(measure_ratios, build))
        except Unavailable as reason:
            raise InputError(f"sampler speed cannot be measured: {reason}") from None
        except BrokenProcessPool:
            raise InputError(
                "sampler speed cannot be measured: the measuring process was ended; run it again"
            ) from None
    return {name: [ratios[name] for ratios in by_process] for name in by_process[0]}


def _join_rounds(first: Ratios, second: Ratios) -> Ratios:
    return {name: [*rounds, *second[name]] for name, rounds in first.items()}


def _keep_least_disturbed(ratios: Ratios) -> Ratios:
    """Keep the processes with the lowest medians, as many as a check has: a disturbed baseline would hide slowdowns."""
    return {name: sorted(rounds, key=median)[:PROCESSES] for name, rounds in ratios.items()}


def _compare_all(now: Ratios, before: Ratios, path: Path) -> list[SpeedComparison]:
    if missing := sorted(set(now) - set(before)):
        raise InputError(f"{path}: has no rounds of {', '.join(missing)}; add --record to record a new baseline")
    return [compare_ratios(name, now[name], before[name]) for name in now]
