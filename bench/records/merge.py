"""What a results directory holds already, and what a later run adds to it or replaces."""

from __future__ import annotations

import dataclasses

from bench.errors import InputError
from bench.records.record import PlannedStrategy, Study


def merge_studies(known: Study | None, new: Study) -> Study:
    """The new study, and with it what the directory already held of the same tasks under the same protocols.

    So a later run of one more strategy, or of more seeds, adds to the comparison instead of replacing it.
    Raises InputError for another corpus of the same name, which would replace the one that is there.
    """
    if known is None:
        return new
    latest = {facts.task: facts for facts in new.tasks}
    for before in known.tasks:
        after = latest.get(before.task, before)
        elsewhere = before.directory and after.directory != before.directory
        if elsewhere and after.fingerprint != before.fingerprint:
            raise two_corpora(before.task, before.directory, after.directory)
    same = {
        facts.task
        for facts in known.tasks
        if facts in new.tasks and known.protocols[facts.task] == new.protocols[facts.task]
    }
    changed = {facts.task for facts in new.tasks} - same
    planned = {(row.task, row.strategy): row for row in new.strategies}
    rows = [row for row in known.strategies if row.task not in changed]
    for place, row in enumerate(rows):
        added = planned.pop((row.task, row.strategy), None)
        if added is not None:
            rows[place] = _joined(row, added)
    kept = [latest.get(facts.task, facts) for facts in known.tasks if facts.task not in changed]
    only_known = {facts.task for facts in known.tasks} - {facts.task for facts in new.tasks}
    return dataclasses.replace(
        new,
        tasks=kept + [facts for facts in new.tasks if facts.task in changed],
        strategies=rows + list(planned.values()),
        protocols=known.protocols | new.protocols,
        primary=known.primary | new.primary,
        # An earlier note holds for as long as a task stands that only the earlier run knew.
        notes=list(dict.fromkeys((known.notes if only_known else []) + new.notes)),
    )


def _joined(known: PlannedStrategy, new: PlannedStrategy) -> PlannedStrategy:
    """The new row with the earlier seeds and free evaluations of the same strategy."""
    before = {each.label: each.runs for each in known.configurations} or {"": known.runs}
    after = {each.label: each.runs for each in new.configurations} or {"": new.runs}
    # Another id under the same seed: the strategy has changed since, and its old trainings are no longer its own.
    changed_since = any(
        before[name].get(seed, id) != id for name in before.keys() & after for seed, id in after[name].items()
    )
    if changed_since or before.keys() != after.keys():
        return new
    return dataclasses.replace(
        new,
        runs=known.runs | new.runs,
        configurations=[dataclasses.replace(each, runs=before[each.label] | each.runs) for each in new.configurations],
        post_hoc=known.post_hoc | new.post_hoc,
    )


def two_corpora(label: str, first: str, second: str) -> InputError:
    """That two corpora of one name cannot share a results directory, and how to mend it."""
    return InputError(
        f"{first} and {second} are both called {label}, so one would replace the other; "
        "give each an --out of its own, or rename one of the directories"
    )
