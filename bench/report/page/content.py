"""What the page says, before it is HTML or Markdown: the verdicts first, then each task by topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib

from bench.plotting.style import STYLE
from bench.records.record import Study
from bench.report.figures import Drawn
from bench.report.frame import Results
from bench.report.page import (
    by_class,
    calibration,
    claims,
    convergence,
    free,
    missing,
    mix,
    new_text,
    overall,
    pareto,
    ranking,
    setting,
    throughput,
    trade_off,
    tuning,
    verdict,
)
from bench.report.page.judged import Judged, PredictedOf
from bench.report.page.part import Drawing, Section
from bench.report.page.verdict import Card

TOPICS = {
    "ranking": ranking,
    "new-text": new_text,
    "tuning": tuning,
    "free": free,
    "by-class": by_class,
    "trade-off": trade_off,
    "pareto": pareto,
    "curves": convergence,
    "calibration": calibration,
    "throughput": throughput,
    "mix": mix,
    "missing": missing,
}


@dataclass(frozen=True)
class OfTask:
    """One task: what holds for all its strategies, and its topics."""

    anchor: str
    name: str
    setting: list[tuple[str, str]]
    sections: Sequence[Section]


@dataclass(frozen=True)
class Page:
    """All of it, in reading order."""

    study: Study
    objective: str
    judged_by: str
    cards: list[Card]
    left_out: list[tuple[str, str]]
    """Tasks that have no verdict, and why."""
    overall: str
    ranks: Drawing | None
    tasks: list[OfTask]
    claims: Section
    environment: list[tuple[str, str]]


def content(results: Results, drawn: Drawn, predicted: PredictedOf) -> Page:
    """The page of a study; equal results give an equal page."""
    tasks = [Judged(results, facts, drawn, predicted) for facts in results.study.tasks]
    judged = [each for each in tasks if not each.not_defined]
    objective = judged[0].metric.name if judged else results.study.metric
    lower = bool(judged) and judged[0].metric.direction == "down"
    with matplotlib.rc_context(STYLE):
        return Page(
            results.study,
            objective,
            setting.judged_by(results, objective, lower),
            [
                verdict.card(each, free.in_short(each), new_text.in_short(each), setting.warning(results))
                for each in judged
            ],
            [(each.facts.task, each.not_defined) for each in tasks if each.not_defined],
            overall.said(judged),
            overall.diagram(judged),
            [OfTask(each.anchor, each.facts.task, setting.protocol(each), _sections(each)) for each in judged],
            Section("claims", claims.TITLE, claims.parts(results)),
            setting.environment(results),
        )


def _sections(judged: Judged) -> list[Section]:
    found = [Section(judged.name(topic), module.TITLE, module.parts(judged)) for topic, module in TOPICS.items()]
    return [section for section in found if section.parts]
