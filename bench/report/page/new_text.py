"""How far the verdict depends on the sentences that happen to be in test: a bootstrap beside the intervals over seeds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.evidence import macro_f1_intervals
from bench.evidence.bootstrap import Counts
from bench.record import RAW, Record
from bench.report.frame import PLAIN
from bench.report.page.best import choice
from bench.report.page.judged import Judged
from bench.report.page.part import Part, Table
from bench.report.text import signed

TITLE = "Other sentences, same trainings"
OVER_SEEDS = "mean of seeds"


def parts(judged: Judged) -> list[Part]:
    """The strategy to speak of against `none`; only where all seeds share one test part."""
    chosen = choice(judged)
    if chosen is None or judged.split != "fixed":
        return []
    if judged.objective.name != "macro-f1":
        return [f"Bootstrap over test sentences: made for macro-f1 only, not for {judged.objective.name}."]
    strategy = chosen.verdict.strategy
    rows = list(_rows(judged, strategy))
    if not rows:
        return ["Bootstrap over test sentences: not measured, for want of kept predictions."]
    return [
        f"{strategy} minus {PLAIN} in macro-F1, on test sentences drawn again with replacement: a bootstrap of each "
        "seed's two trainings, and of all seeds' together. It covers new text of the same kind, not other trainings.",
        Table(rows, judged.name("new-text")),
    ]


def in_short(judged: Judged) -> str:
    """The interval over test sentences, all seeds together; empty where there is none."""
    chosen = choice(judged)
    if chosen is None or judged.split != "fixed" or judged.objective.name != "macro-f1":
        return ""
    row = next((each for each in _rows(judged, chosen.verdict.strategy) if each["seed"] == OVER_SEEDS), None)
    if row is None:
        return ""
    difference = f"{row[f'difference to {PLAIN}']} [{row['low']}, {row['high']}]"
    return f"On test sentences drawn again (bootstrap, the same trainings) {chosen.verdict.strategy}: {difference}."


def _rows(judged: Judged, strategy: str) -> Iterator[dict[str, str]]:
    """A line for all seeds and one for each; none unless the predictions of all were kept."""
    outcome, plain = judged.outcomes[strategy], judged.outcomes[PLAIN].records
    ours = [_counts(judged, each, outcome.row.adjustment) for each in outcome.records.values()]
    theirs = [_counts(judged, plain[seed], RAW) for seed in outcome.records]
    if any(each is None for each in (*ours, *theirs)):
        return
    intervals = macro_f1_intervals(ours, theirs, rng=np.random.default_rng(0))
    for seed, found in zip([OVER_SEEDS, *map(str, outcome.records)], intervals, strict=True):
        yield {
            "seed": seed,
            f"difference to {PLAIN}": signed(found.difference),
            "low": signed(found.low),
            "high": signed(found.high),
        }


def _counts(judged: Judged, record: Record, adjustment: str) -> Counts | None:
    """Confusion counts of each test sentence; None where predictions were not kept."""
    kept = judged.predicted(record.id)
    return None if kept is None or adjustment not in kept.classes else kept.counts(adjustment)
