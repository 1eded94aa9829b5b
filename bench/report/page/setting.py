"""Where and how it was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench.protocol import applying
from bench.report.frame import Results
from bench.report.page.judged import Judged
from bench.report.text import settings
from bench.report.titles import PRIORS


def environment(results: Results) -> list[tuple[str, str]]:
    """Machine and versions."""
    return list(results.study.environment.items())


def protocol(judged: Judged) -> list[tuple[str, str]]:
    """What holds for every strategy of a task."""
    facts = judged.facts
    found: Mapping[str, Any] = judged.results.study.protocols.get(facts.task, {})
    return [
        ("data", facts.description),
        ("training part", f"{facts.items:,} items; {len(facts.class_names)} classes, {_counts(judged)}"),
        ("test", PRIORS[facts.prior]),
        *_baseline(judged),
        *([("protocol", settings(applying(found)))] if found else []),
        *(("note", note) for note in facts.notes),
    ]


def _counts(judged: Judged) -> str:
    counts = judged.facts.class_counts
    return f"from {max(counts):,} labels down to {min(counts):,}"


def _baseline(judged: Judged) -> Iterator[tuple[str, str]]:
    if (found := judged.facts.baseline) is not None:
        yield "without a model", f"each word's most frequent tag in training: macro-F1 {found['macro_f1']:.3f}"
