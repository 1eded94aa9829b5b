"""An audit as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from math import isnan
from textwrap import wrap
from typing import get_args

from strategies.loader_audit.finding import AuditFinding, Subject
from strategies.loader_audit.loader_statistics import (
    BatchStatistics,
    ClassStatistics,
    ItemStatistics,
    LoaderStatistics,
)
from strategies.loader_audit.loss_introspection import LossFacts
from strategies.loader_audit.mix_significance import CUSTOM, MixTest

WIDTH = 100
MAX_ROWS = 20
"""Classes that the table shows at most: the most frequent and the rarest."""
_wrap = partial(
    wrap, width=WIDTH, break_on_hyphens=False
)  # a name such as "logit-adjustment" stays whole, also in code


def format_audit(
    findings: Sequence[AuditFinding],
    test: MixTest,
    intended: str,
    statistics: LoaderStatistics | None,
    notes: Sequence[str],
    loss: LossFacts,
) -> str:
    """Return the verdict, one line per subject, each finding with its fix, and what was sampled, within 100 columns."""
    lines = [_verdict(findings, loss), *_describe_subjects(findings, test, intended, loss)]
    for finding in findings:
        lines += ["", *_wrap(f"{finding.name}: {finding.message}", subsequent_indent="  "), "  Fix:"]
        for line in finding.fix.splitlines():
            indent = " " * (4 + len(line) - len(line.lstrip()))
            continuation = f"{indent}# " if line.startswith("#") else f"{indent}    "
            lines += _wrap(line.strip(), initial_indent=indent, subsequent_indent=continuation)
    if statistics is not None:
        lines += [
            "",
            f"What was sampled ({statistics.samples:,} items were read):",
            "",
            *_table(statistics.classes),
            "",
        ]
        if statistics.items is not None:
            lines += _describe_items(statistics.items)
        if statistics.batches is not None:
            lines += _describe_batches(statistics.batches)
    if test.pooled:
        pooled = ", ".join(map(str, test.pooled))
        lines += _wrap(f"Classes with too few labels to be tested by themselves, tested as one class: {pooled}.")
    for note in notes:
        lines += _wrap(f"Note: {note}", subsequent_indent="  ")
    return "\n".join(lines)


def _verdict(findings: Sequence[AuditFinding], loss: LossFacts) -> str:
    if findings:
        return f"Misconfigured: {len(findings)} {'problem' if len(findings) == 1 else 'problems'} found."
    return "No problem found." if loss.problem is None else "No problem found, but the loss could not be read."


def _describe_subjects(
    findings: Sequence[AuditFinding], test: MixTest, intended: str, loss: LossFacts
) -> Iterator[str]:
    for subject in get_args(Subject):
        names = ", ".join(finding.name for finding in findings if finding.subject == subject)
        if subject == "class mix":
            result = _describe_mix_test(test, intended)
        elif names:
            result = names
        elif subject == "loss" and loss.problem is not None:
            result = "could not be read; see the note"
        elif subject == "loss" and not loss.given:
            result = "not given"
        else:
            result = "no problem found"
        yield from _wrap(f"{f'  {subject}:':<13}{result}", subsequent_indent=" " * 13)


def _describe_mix_test(test: MixTest, intended: str) -> str:
    if intended == CUSTOM:
        return "not tested, because the sampler is configured for a mix of its own"
    if test.p_value is None:
        return "not tested, because too few labels were sampled"
    result = "differs from" if test.rejects else "agrees with"
    return f"{result} the intended one, {intended!r} (chi-square test, p = {test.p_value:.2g})"


def _table(classes: ClassStatistics) -> Iterator[str]:
    yield f"{'':<24}{'labels in':>14}{'share of':>13}{'share of':>13}{'intended':>10}"
    yield f"{'class':<24}{'the data':>14}{'the data':>13}{'the samples':>13}{'share':>10}"
    by_count = sorted(range(len(classes.names)), key=lambda c: -classes.counts[c])
    shown = by_count if len(by_count) <= MAX_ROWS else [*by_count[: MAX_ROWS // 2], *by_count[-MAX_ROWS // 2 :]]
    for c in sorted(set(shown)):
        name = classes.names[c].strip()
        label = str(c) if name == str(c) else f"{c} {name}"[:23]
        intended = "-" if isnan(classes.intended[c]) else f"{classes.intended[c]:.2%}"
        shares = f"{classes.natural[c]:>13.2%}{classes.sampled[c]:>13.2%}{intended:>10}"
        yield f"{label:<24}{classes.counts[c]:>14,}{shares}"
    if len(shown) < len(by_count):
        yield f"... and {len(by_count) - len(shown)} classes of medium size"


def _describe_items(items: ItemStatistics) -> Iterator[str]:
    if items.whole_epoch:
        subject = f"An epoch of {items.samples:,} samples contains"
    else:
        subject = f"The first {items.samples:,} samples of an epoch contain"
    yield f"{subject} {items.distinct:,} of {items.items:,} items ({items.distinct / items.items:.1%})."
    times = f"each is sampled {items.rarest_mean:.1f} times on average, at most {items.rarest_max:,}"
    yield f"The rarest class, {items.rarest_class}, has {items.rarest_items:,} items; {times}."
    yield f"Effective sample size: {items.effective:,.1f} of {items.items:,} items (repeated items carry less information)."


def _describe_batches(batches: BatchStatistics) -> Iterator[str]:
    evenness = f"evenness {batches.evenness:.2f} (1: equal classes)"
    yield f"Batches: {batches.complete:.0%} contain every class; {evenness}."
