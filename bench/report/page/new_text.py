"""How far the verdict depends on the sentences that happen to be in test: a bootstrap beside the intervals over seeds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.evidence import Verdict, macro_f1_intervals
from bench.evidence.bootstrap import Counts
from bench.report.frame import Outcome
from bench.report.page.judged import PLAIN, Judged
from bench.report.page.part import Part, Table
from bench.report.page.verdict import best_of
from bench.report.text import signed

TITLE = "Other sentences, same trainings"
OVER_SEEDS = "mean of seeds"


def parts(judged: Judged) -> list[Part]:
    """The best remedy of the primary family against `none`; only where all seeds share one test part."""
    best = best_of(judged, "primary")
    if best is None or judged.split != "fixed":
        return []
    if judged.objective.name != "macro-f1":
        return [f"Bootstrap over test sentences: made for macro-f1 only, not for {judged.objective.name}."]
    rows = list(_rows(judged, best))
    if not rows:
        return ["Bootstrap over test sentences: not measured, for want of kept predictions."]
    return [
        f"{best.strategy} minus {PLAIN} in macro-F1, on test sentences drawn again with replacement: a bootstrap of each "
        "seed's two trainings, and of all seeds' together. It covers new text of the same kind, not other trainings.",
        Table(rows, judged.name("new-text")),
    ]


def in_short(judged: Judged) -> str:
    """The interval over test sentences, all seeds together; empty where there is none."""
    best = best_of(judged, "primary")
    if best is None or judged.split != "fixed" or judged.objective.name != "macro-f1":
        return ""
    row = next((each for each in _rows(judged, best) if each["seed"] == OVER_SEEDS), None)
    if row is None:
        return ""
    found = f"[{row['low']}, {row['high']}]"
    return f"On test sentences drawn again (bootstrap, the same trainings) {best.strategy} gains {found}."


def _rows(judged: Judged, best: Verdict) -> Iterator[dict[str, str]]:
    """A line for all seeds and one for each; none unless the predictions of all were kept."""
    outcomes = judged.outcomes[best.strategy], judged.outcomes[PLAIN]
    ours, theirs = ([_counts(judged, each, seed) for seed in outcomes[0].records] for each in outcomes)
    if any(each is None for each in (*ours, *theirs)):
        return
    intervals = macro_f1_intervals(ours, theirs, rng=np.random.default_rng(0))
    for seed, found in zip([OVER_SEEDS, *map(str, outcomes[0].records)], intervals, strict=True):
        yield {
            "seed": seed,
            f"difference to {PLAIN}": signed(found.difference),
            "low": signed(found.low),
            "high": signed(found.high),
        }


def _counts(judged: Judged, outcome: Outcome, seed: int) -> Counts | None:
    """Confusion counts of each test sentence; None where predictions were not kept."""
    kept, adjustment = judged.predicted(outcome.records[seed].id), outcome.row.adjustment
    return None if kept is None or adjustment not in kept.classes else kept.counts(adjustment)
