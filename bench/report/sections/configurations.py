"""The configurations that each strategy was tuned over, their validation scores, and which was chosen."""

from __future__ import annotations

from collections.abc import Iterator

from bench.records.record import PlannedConfiguration, PlannedStrategy
from bench.report import wording
from bench.report.page_parts import Part, Table
from bench.report.task_results import TaskResults
from bench.report.titles import display_name
from bench.text.numbers import MISSING, format_number

TITLE = wording.CONFIGURATIONS


def build(task: TaskResults) -> list[Part]:
    """Return one row per configuration; nothing where no strategy was tuned."""
    rows = list(_rows(task))
    return [wording.CONFIGURATIONS_LEAD, Table(rows, task.part_name("configurations"))] if rows else []


def is_tuned(strategy: PlannedStrategy) -> bool:
    """Whether validation has chosen one of the strategy's configurations."""
    return any(_is_chosen(strategy, configuration) for configuration in strategy.configurations)


def is_at_edge(strategy: PlannedStrategy) -> bool:
    """Whether the chosen value is the lowest or highest of its grid, so that a better one may be outside."""
    return any(
        configuration.at_edge and _is_chosen(strategy, configuration) for configuration in strategy.configurations
    )


def _rows(task: TaskResults) -> Iterator[dict[str, str]]:
    for strategy, outcome in task.outcomes.items():
        for configuration in outcome.planned.configurations:
            if not _is_chosen(outcome.planned, configuration):
                chosen = "no"
            else:
                chosen = "yes, at the edge" if is_at_edge(outcome.planned) else "yes"
            score = configuration.score
            yield {
                "strategy": display_name(strategy),
                "configuration": configuration.label,
                f"{task.metric_title} on validation": MISSING if score is None else format_number(score, ".4f"),
                "chosen": chosen,
            }


def _is_chosen(strategy: PlannedStrategy, configuration: PlannedConfiguration) -> bool:
    """Whether this configuration is the chosen one; none is while a configuration has no score."""
    as_configured = strategy.with_configuration(configuration)
    is_same = (as_configured.runs, as_configured.adjustment) == (strategy.runs, strategy.adjustment)
    return configuration.score is not None and is_same
