"""How far the result depends on the sentences that happen to be in test: a bootstrap in addition to intervals over seeds."""

from __future__ import annotations

from bench.report import wording
from bench.report.page_parts import Part, Table
from bench.report.recommendation import Recommendation
from bench.report.sentence_resampling import can_resample
from bench.report.task_results import TaskResults
from bench.report.titles import BASELINE, display_name
from bench.stats import Interval
from bench.text.numbers import format_signed

TITLE = wording.SENTENCE_BOOTSTRAP
MEAN_OVER_SEEDS = "mean of seeds"


def build(task: TaskResults, recommendation: Recommendation | None, intervals: list[Interval]) -> list[Part]:
    """Return the best remedy's intervals over resampled sentences; nothing where each seed splits the data anew."""
    if recommendation is None or task.split != "fixed":
        return []
    if not can_resample(task):
        return [wording.BOOTSTRAP_OTHER_METRIC.format(metric=task.metric_title)]
    if not intervals:
        return [wording.BOOTSTRAP_NO_PREDICTIONS]
    strategy = recommendation.best.strategy
    seeds = [MEAN_OVER_SEEDS, *map(str, task.outcomes[strategy].records)]
    rows = [
        {
            "seed": seed,
            f"difference to {display_name(BASELINE)}": format_signed(interval.difference),
            "low": format_signed(interval.low),
            "high": format_signed(interval.high),
        }
        for seed, interval in zip(seeds, intervals, strict=True)
    ]
    lead = wording.BOOTSTRAP_LEAD.format(strategy=display_name(strategy))
    return [lead, Table(rows, task.part_name("sentence-bootstrap"))]


def summarise(recommendation: Recommendation | None, intervals: list[Interval]) -> str:
    """Return the interval over test sentences, all seeds together, as one sentence; empty where there is none."""
    if recommendation is None or not intervals:
        return ""
    interval = intervals[0]
    return wording.BOOTSTRAP_SHORT.format(
        strategy=display_name(recommendation.best.strategy),
        difference=format_signed(interval.difference),
        low=format_signed(interval.low),
        high=format_signed(interval.high),
    )
