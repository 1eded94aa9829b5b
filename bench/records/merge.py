"""Merging a new study with the one that a results directory already holds."""

from __future__ import annotations

import dataclasses

from bench.errors import InputError
from bench.records.record import PlannedConfiguration, PlannedStrategy, Study, TaskFacts


def merge_studies(known: Study | None, new: Study) -> Study:
    """Return the new study together with what the directory already holds of the same tasks under the same protocols.

    So a later command with one more strategy, or more seeds, adds to the comparison instead of replacing it. What is known of
    a task whose data or protocol has changed is dropped. Raises InputError if another corpus has the same name.
    """
    if known is None:
        return new
    latest = {facts.task: facts for facts in new.tasks}
    for before in known.tasks:
        after = latest.get(before.task, before)
        moved = before.directory and after.directory != before.directory
        if moved and after.fingerprint != before.fingerprint:
            raise two_corpora(before.task, before.directory, after.directory)
    changed = {facts.task for facts in new.tasks} - _same_tasks(known, new)
    planned = {(row.task, row.strategy): row for row in new.strategies}
    rows = [row for row in known.strategies if row.task not in changed]
    for place, row in enumerate(rows):
        new_row = planned.pop((row.task, row.strategy), None)
        if new_row is not None:
            rows[place] = _merge_rows(row, new_row)
    kept = [latest.get(facts.task, facts) for facts in known.tasks if facts.task not in changed]
    only_known = {facts.task for facts in known.tasks} - {facts.task for facts in new.tasks}
    return dataclasses.replace(
        new,
        tasks=kept + [facts for facts in new.tasks if facts.task in changed],
        strategies=_share_runs(rows + list(planned.values())),
        protocols=known.protocols | new.protocols,
        primary=known.primary | new.primary,
        commands=list(dict.fromkeys(known.commands + new.commands)),
        adjustment_versions=known.adjustment_versions | new.adjustment_versions,
        # Notes belong to no task, so earlier ones are kept as long as the study has a task that only the earlier command knew.
        notes=list(dict.fromkeys((known.notes if only_known else []) + new.notes)),
    )


def describe_addition(known: Study, new: Study) -> str:
    """Return what a new study adds to the one that a directory holds, or replaces in it; empty where it adds nothing.

    A task whose data or protocol has changed is named with what has changed, because its earlier runs leave the comparison.
    """
    before: dict[str, dict[str, set[int]]] = {facts.task: {} for facts in known.tasks}
    for row in known.strategies:
        before[row.task][row.strategy] = {seed for seed, _, _ in row.planned_runs()}
    same = _same_tasks(known, new)
    added = [] if known.metric == new.metric else [f"decided by {new.metric}, no longer by {known.metric}"]
    for task in (facts.task for facts in new.tasks):
        if task in before and task not in same:
            added.append(f"{task} anew, since its {_what_changed(known, new, task)}: earlier runs are not compared")
            continue
        rows = [row for row in new.strategies if row.task == task]
        strategies = [row.strategy for row in rows if row.strategy not in before.get(task, {})]
        seeds = {
            seed
            for row in rows
            for seed, _, _ in row.planned_runs()
            if row.strategy not in strategies and seed not in before[task][row.strategy]
        }
        parts = [f"seed {', '.join(map(str, sorted(seeds)))}"] if seeds else []
        parts += [", ".join(strategies)] if strategies else []
        if strategies and task in known.primary and task not in new.primary:
            parts[-1] += " (exploratory, because the primary family was declared before)"
        added += [f"{task}: {' and '.join(parts)}"] if parts else []
    return "; ".join(added)


def _same_tasks(known: Study, new: Study) -> set[str]:
    """Return the tasks whose data and protocol are those of the known study."""
    return {
        facts.task
        for facts in new.tasks
        if _without_notes(facts) in map(_without_notes, known.tasks)
        and known.protocols[facts.task] == new.protocols[facts.task]
    }


def _what_changed(known: Study, new: Study, task: str) -> str:
    before, after = known.protocols.get(task, {}), new.protocols.get(task, {})
    fields = [key for key in before | after if before.get(key) != after.get(key)]
    if not fields:
        return "data have changed"
    return "protocol has changed, " + ", ".join(f"{key} from {before.get(key)} to {after.get(key)}" for key in fields)


def _share_runs(rows: list[PlannedStrategy]) -> list[PlannedStrategy]:
    """Return the rows with all seeds that the runs behind them have: to evaluate a run under one more row costs no training.

    The configurations of a tuned strategy get the seeds that all of them have: they are compared with each other seed by seed.
    """
    shared: dict[str, dict[int, str]] = {}
    for runs in (runs for row in rows for runs in (row.runs, *(one.runs for one in row.configurations))):
        union = dict(runs)
        for id in runs.values():
            union |= shared.get(id, {})
        shared |= dict.fromkeys(union.values(), union)

    def all_seeds(runs: dict[int, str]) -> dict[int, str]:
        return next((dict(sorted(shared[id].items())) for id in runs.values()), runs)

    def all_seeds_in_common(configurations: list[PlannedConfiguration]) -> list[PlannedConfiguration]:
        runs = [all_seeds(one.runs) for one in configurations]
        common = set.intersection(*map(set, runs)) if runs else set()
        return [
            dataclasses.replace(one, runs={seed: id for seed, id in own.items() if seed in common or seed in one.runs})
            for one, own in zip(configurations, runs, strict=True)
        ]

    return [
        dataclasses.replace(row, runs=all_seeds(row.runs), configurations=all_seeds_in_common(row.configurations))
        for row in rows
    ]


def _without_notes(facts: TaskFacts) -> TaskFacts:
    """Return what makes a task the same one: notes are words, which a later version may choose anew."""
    return dataclasses.replace(facts, notes=[])


def _merge_rows(known: PlannedStrategy, new: PlannedStrategy) -> PlannedStrategy:
    """Return the new row with the earlier seeds and post-hoc adjustments of the same strategy."""
    before = {configuration.label: configuration.runs for configuration in known.configurations} or {"": known.runs}
    after = {configuration.label: configuration.runs for configuration in new.configurations} or {"": new.runs}
    # Another id for the same seed: the strategy has changed since, so its old runs are no longer comparable.
    changed_since = any(
        before[label].get(seed, id) != id for label in before.keys() & after for seed, id in after[label].items()
    )
    if changed_since or before.keys() != after.keys():
        return new
    return dataclasses.replace(
        new,
        runs=known.runs | new.runs,
        configurations=[
            dataclasses.replace(configuration, runs=before[configuration.label] | configuration.runs)
            for configuration in new.configurations
        ],
        post_hoc=known.post_hoc | new.post_hoc,
    )


def two_corpora(label: str, first: str, second: str) -> InputError:
    """Return the error for two corpora of one name in one results directory, with the ways to fix it."""
    return InputError(
        f"{first} and {second} are both called {label}, so one would replace the other; "
        "give each an --out of its own, or rename one of the directories"
    )
