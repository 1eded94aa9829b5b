"""The class mix that each strategy was really trained on."""

from __future__ import annotations

from bench.report import wording
from bench.report.frame import rows_by_index
from bench.report.page_parts import Part, Table
from bench.report.task_results import TaskResults
from bench.report.titles import SAMPLING, display_name
from bench.text.numbers import format_number

TITLE = wording.TRAINING_MIX
_FORMATS = {"items": ",.0f", "labels": ",.0f", "effective_sample_size": ",.0f"}


def build(task: TaskResults) -> list[Part]:
    """Return the share of each class among all sampled labels, and how much was sampled."""
    sampling = rows_by_index(task.results.sampling(task.facts))
    if not sampling:
        return []
    facts, by_class = task.facts, rows_by_index(task.results.by_class(task.facts))
    labels = sum(facts.class_counts)
    rows = [_row(wording.TRAINING_PART, facts.class_names, [count / labels for count in facts.class_counts], {})]
    for strategy, amounts in sampling.items():
        shares = [by_class[strategy, name]["drawn_share_mean"] for name in facts.class_names]
        rows.append(_row(display_name(strategy), facts.class_names, shares, amounts))
    return [wording.TRAINING_MIX_LEAD, Table(rows, task.part_name("class-mix"))]


def _row(strategy: str, classes: list[str], shares: list[float], amounts: dict[str, float]) -> dict[str, str]:
    per_cent = {f"{name}, %": format_number(100 * share, ".2f") for name, share in zip(classes, shares, strict=True)}
    sampled = {
        title: format_number(amounts.get(f"{name}_mean", float("nan")), _FORMATS.get(name, ".3f"))
        for name, title in SAMPLING.items()
    }
    return {"strategy": strategy, **per_cent, **sampled}
