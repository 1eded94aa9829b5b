"""A strategy against `none` on the same trainings and other test sentences: a bootstrap of what they predict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.records.record import RAW, Record
from bench.report.frame import PLAIN
from bench.stats import Interval, macro_f1_intervals
from bench.stats.bootstrap import Counts

if TYPE_CHECKING:
    from bench.report.page.judged import Judged


def resampled(judged: Judged, strategy: str) -> list[Interval]:
    """Of all seeds together, then of each in the order of the row's records; none unless the predictions of all were kept."""
    outcome, plain = judged.outcomes[strategy], judged.outcomes[PLAIN].records
    ours = [_counts(judged, each, outcome.row.adjustment) for each in outcome.records.values()]
    theirs = [_counts(judged, plain[seed], RAW) for seed in outcome.records]
    if any(each is None for each in (*ours, *theirs)):
        return []
    return macro_f1_intervals(ours, theirs, rng=np.random.default_rng(0))


def _counts(judged: Judged, record: Record, adjustment: str) -> Counts | None:
    """Confusion counts of each test sentence; None where predictions were not kept."""
    kept = judged.predicted(record.id)
    return None if kept is None or adjustment not in kept.classes else kept.counts(adjustment)
