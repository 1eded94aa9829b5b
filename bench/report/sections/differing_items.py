"""The test items on which the recommended strategy and the baseline differ most."""

from __future__ import annotations

from bench.report import wording
from bench.report.page_parts import Part, Table
from bench.report.prediction_differences import ClassInSeeds, DifferingItem, PredictionDifferences, find_differences
from bench.report.recommendation import Recommendation
from bench.report.task_results import TaskResults
from bench.report.titles import BASELINE, display_name
from bench.text.numbers import plural

TITLE = wording.DIFFERING_ITEMS
MOST = 8
"""Items of either direction that are shown."""


def build(task: TaskResults, recommendation: Recommendation | None) -> list[Part]:
    """Return how often the two differ, and the items on which they do under most seeds, in both directions."""
    if recommendation is None:
        return []
    strategy = recommendation.best.strategy
    differences = find_differences(task, strategy, MOST)
    if differences is None:
        return [wording.DIFFERING_NOT_KEPT]
    items = [*differences.better, *differences.worse]
    name, baseline = display_name(strategy), display_name(BASELINE)
    counts = wording.DIFFERING_COUNTS.format(
        labels=f"{differences.labels:,.0f}",
        gained=f"{differences.gained:,.1f}",
        lost=f"{differences.lost:,.1f}",
        strategy=name,
        baseline=baseline,
    )
    if not items:
        return [counts]
    lead = wording.DIFFERING_LEAD.format(items=plural(len(items), "test item"), strategy=name, baseline=baseline)
    table = Table([_row(item, differences, name, baseline) for item in items], task.part_name("differing-items"))
    return [counts, lead, table, *([wording.DIFFERING_ROWS] if differences.are_rows else [])]


def _row(item: DifferingItem, differences: PredictionDifferences, name: str, baseline: str) -> dict[str, str]:
    is_better = item in differences.better
    has_texts = any(each.text for each in (*differences.better, *differences.worse))
    return {
        "right more often": name if is_better else baseline,
        ("row" if differences.are_rows else "place in test"): str(item.number),
        **({"text": item.text} if has_texts else {}),
        "truth": item.truth,
        f"{name} predicts": _predicts(item.ours, item.seeds),
        f"{baseline} predicts": _predicts(item.theirs, item.seeds),
    }


def _predicts(predicted: ClassInSeeds, seeds: int) -> str:
    return predicted.name if seeds == 1 else f"{predicted.name} ({predicted.seeds} of {seeds} seeds)"
