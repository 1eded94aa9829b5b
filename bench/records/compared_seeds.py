"""The seeds that a task's strategies are compared by: those of its baseline, in every table and command alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bench.records.record import PlannedStrategy, Study

NOT_PLANNED = ""
"""The id that stands for a run under a seed of the baseline that was never asked for; no record has it."""


def with_compared_seeds(study: Study) -> Study:
    """Return the study with every strategy planned for the seeds of its task's baseline, and notes on what that changes.

    Commands that add to a directory may ask for different seeds. A difference is taken seed by seed, so a seed that the baseline
    lacks is of no use yet, and a strategy that lacks one is incomplete.
    """
    strategies = list(study.strategies)
    notes: dict[str, None] = {}
    baselines = {row.task: _seeds(row) for row in study.strategies if row.strategy == "none" and _seeds(row)}
    for place, row in enumerate(study.strategies):
        seeds = baselines.get(row.task, set())
        if not seeds or row.skipped is not None or _seeds(row) == seeds:
            continue
        configurations = [replace(one, runs=_planned_for(seeds, one.runs)) for one in row.configurations]
        runs = row.runs if configurations else _planned_for(seeds, row.runs)
        strategies[place] = replace(row, runs=runs, configurations=configurations)
        if unused := sorted(_seeds(row) - seeds):
            notes[
                f"{row.task}: seed {', '.join(map(str, unused))} is not compared, because the baseline has not been run with "
                f"it; --strategy none --seeds {unused[-1] + 1} adds it"
            ] = None
    return replace(study, strategies=strategies, notes=list(dict.fromkeys([*study.notes, *notes])))


def _seeds(row: PlannedStrategy) -> set[int]:
    return {seed for seed, _, _ in row.planned_runs()}


def _planned_for(seeds: set[int], runs: Mapping[int, str]) -> dict[int, str]:
    return {seed: runs.get(seed, NOT_PLANNED) for seed in sorted(seeds)}
