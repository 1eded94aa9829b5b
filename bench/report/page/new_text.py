"""How far the verdict depends on the sentences that happen to be in test: a bootstrap beside the intervals over seeds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.evidence import Verdict, macro_f1_interval
from bench.report.page.judged import PLAIN, Judged
from bench.report.page.part import Part, Table
from bench.report.page.verdict import best_of
from bench.report.text import signed

TITLE = "Other sentences, same trainings"


def parts(judged: Judged) -> list[Part]:
    """The best remedy of the primary family against `none`, a line a seed; only where all seeds share one test part."""
    best = best_of(judged, "primary")
    if best is None or judged.split != "fixed" or judged.objective.name != "macro-f1":
        return []
    rows = list(_rows(judged, best))
    if len(rows) < best.n:
        return ["Bootstrap over test sentences: not measured, for want of kept predictions."]
    return [
        f"{best.strategy} minus {PLAIN} in macro-F1, on test sentences drawn again with replacement: a bootstrap of each "
        "seed's two trainings. It covers new text of the same kind, not other trainings.",
        Table(rows, judged.name("new-text")),
    ]


def _rows(judged: Judged, best: Verdict) -> Iterator[dict[str, str]]:
    ours, theirs = judged.outcomes[best.strategy], judged.outcomes[PLAIN]
    for seed in ours.records:
        kept = [judged.predicted(each.records[seed].id) for each in (ours, theirs)]
        counts = [
            each.counts(outcome.row.adjustment)
            for each, outcome in zip(kept, (ours, theirs), strict=True)
            if each is not None and outcome.row.adjustment in each.classes
        ]
        if len(counts) == 2:
            found = macro_f1_interval(*counts, rng=np.random.default_rng(seed))
            yield {
                "seed": str(seed),
                f"difference to {PLAIN}": signed(found.difference),
                "low": signed(found.low),
                "high": signed(found.high),
            }
