"""What a forum thread said of its own attempts, beside what this study measured."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.report.frame import Results
from bench.report.page.part import Part, Table
from bench.report.thread_claims import TOLERANCE, Claim, claims
from bench.text.numbers import MISSING

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
        "A claim holds if every number it rests on is as said. More or less: the whole 95% interval of the difference, paired "
        f"over training seeds, is on that side. The same: within {TOLERANCE:.0%} of it at every seed, which is no test.",
        *([Table(measured, "claims")] if measured else []),
        *(f"“{claim.text}”: not measured here; {claim.missing}." for claim in found if claim.missing),
    ]


def _rows(claim: Claim) -> Iterator[dict[str, str]]:
    for finding in claim.findings:
        untested = np.isnan(finding.low) or finding.expected == "the same"
        yield {
            "claim": claim.text,
            "verdict": claim.verdict,
            "what": finding.what,
            "strategy": finding.of,
            "value": f"{finding.value:.4f}",
            "said to be": f"{finding.expected} {'as' if finding.expected == 'the same' else 'than'} {finding.beside}",
            "which is": f"{finding.reference:.4f}",
            "difference, low": MISSING if untested else f"{finding.low:+.4f}",
            "difference, high": MISSING if untested else f"{finding.high:+.4f}",
            "as said": "yes" if finding.holds else "no",
        }
