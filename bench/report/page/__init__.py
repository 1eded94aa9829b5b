"""The page `report.html`: one file that opens without a network, the verdict first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bench.report.figures import Drawn
from bench.report.figures.canvas import STYLE
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
    pareto,
    ranking,
    ranks,
    setting,
    throughput,
    trade_off,
    verdict,
)
from bench.report.page.datatable import engine
from bench.report.page.judged import Judged, PredictedOf

SECTIONS = {
    "ranking": ranking,
    "new-text": new_text,
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
class Section:
    """One topic of one task: paragraphs of text, and tables and figures that are markup already."""

    anchor: str
    title: str
    parts: Sequence[str | Markup]


def write_page(results: Results, drawn: Drawn, predicted: PredictedOf, path: Path) -> Path:
    """Write the page, with the figures that are drawn already among its own; equal results give equal bytes."""
    tasks = [Judged(results, facts, drawn, predicted) for facts in results.study.tasks]
    judged = [each for each in tasks if not each.not_defined]
    with matplotlib.rc_context(STYLE):
        sections = {each.anchor: _sections(each) for each in judged}
    text = (
        _environment()
        .get_template("report.html")
        .render(
            study=results.study,
            cards=[verdict.card(each, free.in_short(each)) for each in judged],
            left_out=[(each.facts.task, each.not_defined) for each in tasks if each.not_defined],
            overall=verdict.overall_verdict(judged),
            ranks=ranks.diagram(judged),
            tasks=judged,
            sections=sections,
            claims=Section("claims", claims.TITLE, claims.parts(results)),
            setting=setting,
            environment=setting.environment(results),
            engine=engine(),
        )
    )
    path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    return path


def _sections(judged: Judged) -> list[Section]:
    found = ((judged.name(topic), module.TITLE, module.parts(judged)) for topic, module in SECTIONS.items())
    return [Section(anchor, title, parts) for anchor, title, parts in found if parts]


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("bench.report.page", "template"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
