"""Where and how it was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench.metrics.metric import DEFAULT, TUNABLE
from bench.report.frame import Results
from bench.report.page.judged import Judged
from bench.report.protocol_fields import describe_protocol
from bench.report.titles import PRIORS

THRESHOLDS = "thresholds"


def environment(results: Results) -> list[tuple[str, str]]:
    """Machine and versions."""
    return list(results.study.environment.items())


def judged_by(results: Results, objective: str, lower: bool) -> str:
    """What decides, and what was chosen on validation by which measure."""
    tuned = _tuned(results)
    thresholds = f"; {THRESHOLDS} were tuned on it for {' and '.join(tuned)}" if tuned else ""
    how = ", the lower the better" if lower else ""
    return f"Judged by {objective} on test{how}. Checkpoints were chosen on validation by {DEFAULT}{thresholds}."


def warning(results: Results) -> str:
    """That thresholds were tuned for what does not decide, and the mend; empty where they were not."""
    tuned, decides = _tuned(results), results.study.metric
    if not tuned or tuned == [decides]:
        return ""
    what = f"{THRESHOLDS} were tuned for {' and '.join(tuned)}"
    if decides in TUNABLE:
        return f"{what}: a run with --objective {decides} tunes them for what decides here, and may turn the advice"
    return f"{what}; they cannot be tuned for what decides here"


def _tuned(results: Results) -> list[str]:
    adjustments = [each for row in results.study.strategies for each in (row.adjustment, *row.post_hoc)]
    return list(dict.fromkeys(_tuned_for(each) for each in adjustments if each.startswith(THRESHOLDS)))


def _tuned_for(thresholds: str) -> str:
    return thresholds.removeprefix(THRESHOLDS).strip("()") or DEFAULT


def protocol(judged: Judged) -> list[tuple[str, str]]:
    """What holds for every strategy of a task."""
    facts = judged.facts
    found: Mapping[str, Any] = judged.results.study.protocols.get(facts.task, {})
    return [
        ("data", facts.description),
        ("training part", f"{facts.items:,} items; {len(facts.class_names)} classes, {_counts(judged)}"),
        ("test", PRIORS[facts.prior]),
        *_baseline(judged),
        *([("protocol", describe_protocol(found))] if found else []),
        *_tuning(judged),
        *(("note", note) for note in facts.notes),
    ]


def _tuning(judged: Judged) -> Iterator[tuple[str, str]]:
    sizes = {len(each.row.configurations) for each in judged.outcomes.values()} - {0}
    if sizes:
        yield (
            "tuned",
            f"{', '.join(map(str, sorted(sizes)))} settings a strategy, see below: learning rates, or values of its own",
        )


def _counts(judged: Judged) -> str:
    counts = judged.facts.class_counts
    return f"from {max(counts):,} labels down to {min(counts):,}"


def _baseline(judged: Judged) -> Iterator[tuple[str, str]]:
    if (found := judged.facts.baseline) is not None:
        yield "without a model", f"each word's most frequent tag in training: macro-F1 {found['macro_f1']:.3f}"
