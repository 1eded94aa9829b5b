"""What a forum thread claims about its own attempts, next to what this study measured."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.report import wording
from bench.report.frame import StudyResults
from bench.report.page_parts import Part, Table
from bench.report.thread_claims import TOLERANCE, Claim, check_claims
from bench.report.titles import display_name
from bench.text.numbers import MISSING

TITLE = wording.FORUM_THREAD


def build(results: StudyResults) -> list[Part]:
    """Return one row per finding; nothing for a study of other tasks."""
    records = (record for outcome in results.outcomes for record in outcome.records.values())
    tasks = {facts.task for facts in results.study.tasks}
    of_study = [claim for claim in check_claims(results.study, records) if claim.task in tasks]
    if not of_study:
        return []
    rows = [row for claim in of_study for row in _rows(claim)]
    return [
        wording.FORUM_THREAD_LEAD.format(tolerance=f"{TOLERANCE:.0%}"),
        *([Table(rows, "claims")] if rows else []),
        *(
            wording.FORUM_THREAD_MISSING.format(claim=claim.text, reason=claim.missing)
            for claim in of_study
            if claim.missing
        ),
    ]


def _rows(claim: Claim) -> Iterator[dict[str, str]]:
    for finding in claim.findings:
        is_untested = np.isnan(finding.low) or finding.expected == "the same"
        conjunction = "as" if finding.expected == "the same" else "than"
        yield {
            "claim": claim.text,
            "verdict": claim.verdict,
            "what": finding.quantity,
            "strategy": finding.strategy,
            "value": f"{finding.value:.4f}",
            "claimed": f"{finding.expected} {conjunction} {display_name(finding.compared_with)}",
            "reference": f"{finding.reference:.4f}",
            "difference, low": MISSING if is_untested else f"{finding.low:+.4f}",
            "difference, high": MISSING if is_untested else f"{finding.high:+.4f}",
            "as claimed": "yes" if finding.holds else "no",
        }
