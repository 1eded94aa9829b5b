"""What changed from one run to another, on another machine or of another version: more than noise, or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from bench.records.record import RAW, PlannedStrategy, Study, TaskFacts
from bench.report.frame import Results
from bench.report.titles import MEASURES
from bench.stats import holm, paired, split_of
from bench.stats.power import ALPHA
from bench.text.numbers import NONE, bullets, markdown, number, table

Kind = Literal["higher", "lower", "within noise", "the same numbers", "cannot tell"]


@dataclass(frozen=True)
class Change:
    """One strategy on one task in both runs: means over the seeds that both have, and what the differences by seed allow."""

    task: str
    strategy: str
    seeds: int
    before: float
    after: float
    low: float
    high: float
    adjusted_p: float
    kind: Kind


@dataclass(frozen=True)
class Changes:
    """All that differs between two runs; `settings` has what is not the same as (where, before, after)."""

    measure: str
    rows: list[Change]
    settings: list[tuple[str, str, str]]
    left_out: list[str]
    """Rows that are not compared, and why."""

    def __str__(self) -> str:
        return "\n\n".join(_page(self))


def changes(before: Results, after: Results, measure: str = "macro_f1") -> Changes:
    """Compares complete rows of tasks with the same data, paired by seed; p values are adjusted by Holm over all rows.

    A seed fixes split, initial weights and index stream in both runs, so the differences of one seed belong together.
    """
    tasks, left_out = _comparable(before.study, after.study)
    old, new = (_by_seed(each, measure) for each in (before, after))
    left_out += [f"{task}, {strategy}: only in the first run" for task, strategy in old if (task, strategy) not in new]
    left_out += [f"{task}, {strategy}: only in the second run" for task, strategy in new if (task, strategy) not in old]
    both = [key for key in old if key in new and key[0] in tasks]
    pairs = {key: pd.concat([old[key], new[key]], axis=1, join="inner").to_numpy().T for key in both}
    left_out += [f"{task}, {strategy}: no seed in common" for (task, strategy), pair in pairs.items() if pair.size == 0]
    pairs = {key: pair for key, pair in pairs.items() if pair.size}
    splits = {facts.task: facts.resplit for facts in after.study.tasks}
    tested = {key: paired(pair[1], pair[0], split=split_of(splits[key[0]])) for key, pair in pairs.items()}
    adjusted = holm(np.array([each.p for each in tested.values()])) if tested else np.empty(0)
    rows = [
        _change(key, pair, float(tested[key].low), float(tested[key].high), float(p))
        for (key, pair), p in zip(pairs.items(), adjusted, strict=True)
    ]
    shared = [facts.task for facts in before.study.tasks if facts.task in splits]
    in_both = [key for key in old if key in new]
    made = (_settings(each.study, shared, in_both) for each in (before, after))
    return Changes(measure, rows, list(_differing(*made)), left_out)


def _comparable(before: Study, after: Study) -> tuple[set[str], list[str]]:
    """Tasks of both runs whose data are the same, and a line for each that is not compared."""
    old, new = ({facts.task: facts for facts in study.tasks} for study in (before, after))
    common = [task for task in old if task in new]
    other = [task for task in common if not _same_data(old[task], new[task])]
    return set(common) - set(other), [f"{task}: the data are not the same in both runs" for task in other]


def _same_data(before: TaskFacts, after: TaskFacts) -> bool:
    return before.fingerprint == after.fingerprint and before.class_names == after.class_names


def _by_seed(found: Results, measure: str) -> dict[tuple[str, str], pd.Series]:
    groups = found.runs.groupby(["task", "strategy"], sort=False)
    numbers = {key: group.set_index("seed")[measure].dropna() for key, group in groups}
    return {(str(task), str(strategy)): each for (task, strategy), each in numbers.items() if len(each)}


def _change(key: tuple[str, str], pair: np.ndarray, low: float, high: float, adjusted_p: float) -> Change:
    before, after = pair.mean(axis=1)
    kind: Kind = "within noise"
    if np.array_equal(*pair):
        kind = "the same numbers"
    elif np.isnan(adjusted_p):
        kind = "cannot tell"
    elif adjusted_p < ALPHA:
        kind = "higher" if after > before else "lower"
    return Change(*key, pair.shape[1], float(before), float(after), low, high, adjusted_p, kind)


def _settings(study: Study, tasks: Iterable[str], rows: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """What a run was made and judged under, for these tasks and these rows (task, strategy), by where it is set."""
    chosen = {(row.task, row.strategy): _chosen(row) for row in study.strategies}
    return {
        "suite": study.suite,
        "objective": study.metric,
        **{f"environment: {name}": value for name, value in study.environment.items()},
        **{
            f"protocol of {task}: {name}": value
            for task in tasks
            for name, value in study.protocols.get(task, {}).items()
        },
        **{f"primary family of {task}": ", ".join(sorted(study.primary_family(task))) for task in tasks},
        **{f"setting of {strategy} on {task}": chosen[task, strategy] for task, strategy in rows},
        "notes": "; ".join(study.notes),
    }


def _chosen(row: PlannedStrategy) -> str:
    """The setting that validation chose, and the adjustment of its logits; empty where there is neither."""
    adjustment = "" if row.adjustment == RAW else row.adjustment
    return ", ".join(dict.fromkeys(filter(None, [row.configuration, adjustment])))


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name in dict.fromkeys([*before, *after]):
        first, second = before.get(name, ""), after.get(name, "")
        if first != second:
            yield name, str(first) or NONE, str(second) or NONE


def _page(found: Changes) -> Iterator[str]:
    """The comparison as Markdown, the rows that changed most surely first."""
    title = MEASURES[found.measure]
    beyond = sum(row.kind in ("higher", "lower") for row in found.rows)
    same = sum(row.kind == "the same numbers" for row in found.rows)
    yield (
        f"{title} on test, second run less first, paired by seed: {beyond} of {len(found.rows)} rows differ by more than "
        f"noise, {same} have the same numbers."
    )
    if found.rows:
        header = ("task", "strategy", "seeds", "first", "second", "difference", "95% interval", "p (Holm)", "change")
        yield table(header, [_cells(row) for row in sorted(found.rows, key=_surest)])
    if found.settings:
        yield table(("not the same", "first", "second"), [tuple(map(markdown, each)) for each in found.settings])
    if found.left_out:
        yield "Not compared:\n\n" + bullets(map(markdown, found.left_out))
    yield (
        f"More than noise: the p value of a paired t test over seeds, adjusted by Holm over all rows, is below {ALPHA}. Seeds "
        "vary split, initial weights and draws; they do not vary the text that is tested on."
    )


def _surest(row: Change) -> tuple[bool, float]:
    return np.isnan(row.adjusted_p), row.adjusted_p


def _cells(row: Change) -> tuple[str, ...]:
    interval = NONE if np.isnan(row.low) else f"{row.low:+.3f} to {row.high:+.3f}"
    named = markdown(row.task), markdown(row.strategy), str(row.seeds)
    numbers = number(row.before), number(row.after), f"{row.after - row.before:+.3f}", interval, number(row.adjusted_p)
    return (*named, *numbers, row.kind)
