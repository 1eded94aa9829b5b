"""What a forum thread said of its own attempts, beside what this study measured."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.claims import Claim, claims
from bench.report.frame import Results
from bench.report.page.part import Part, Table
from bench.report.text import MISSING

TITLE = "A forum thread's claims"


def parts(results: Results) -> list[Part]:
    """A line a finding; nothing for a study of other tasks."""
    records = (record for outcome in results.outcomes for record in outcome.records.values())
    tasks = {facts.task for facts in results.study.tasks}
    found = [claim for claim in claims(results.study, records) if claim.task in tasks]
    if not found:
        return []
    measured = [row for claim in found for row in _rows(claim)]
    return [
        "A claim holds if every number it rests on does: paired over seeds, by 95% intervals of training seeds.",
        *([Table(measured, "claims")] if measured else []),
        *(f"“{claim.text}”: not measured here; {claim.missing}." for claim in found if claim.missing),
    ]


def _rows(claim: Claim) -> Iterator[dict[str, str]]:
    for finding in claim.findings:
        constant = np.isnan(finding.low)
        yield {
            "claim": claim.text,
            "verdict": claim.verdict,
            "what": finding.what,
            "strategy": finding.of,
            "value": f"{finding.value:.4f}",
            "said to be": f"{finding.expected} {'as' if finding.expected == 'the same' else 'than'} {finding.beside}",
            "which is": f"{finding.reference:.4f}",
            "interval of the difference": MISSING if constant else f"[{finding.low:+.4f}, {finding.high:+.4f}]",
            "as said": "yes" if finding.holds else "no",
        }
