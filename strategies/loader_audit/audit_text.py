"""An audit in plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan
from textwrap import wrap

from strategies.loader_audit.finding import AuditFinding
from strategies.loader_audit.loader_statistics import BatchStatistics, ClassStatistics, ItemStatistics, LoaderStatistics
from strategies.loader_audit.mix_test import ALPHA, OWN, MixTest

WIDTH = 100
ROWS = 20
"""Classes of the table at most: the most frequent and the rarest."""


def format_audit(
    findings: Sequence[AuditFinding], test: MixTest, intended: str, seen: LoaderStatistics | None, notes: Sequence[str]
) -> str:
    """Verdict, findings with their fixes, and the numbers seen, within 100 columns."""
    lines = [_verdict(findings, test, intended)]
    for finding in findings:
        lines += ["", *wrap(f"{finding.name}: {finding.says}", WIDTH, subsequent_indent="  ")]
        for line in finding.fix.splitlines():
            indent = " " * (4 + len(line) - len(line.lstrip()))
            goes_on = f"{indent}# " if line.startswith("#") else f"{indent}    "
            lines += wrap(line.strip(), WIDTH, initial_indent=indent, subsequent_indent=goes_on)
    if seen is not None:
        lines += ["", *_table(seen.classes), "", f"{seen.draws:,} items drawn."]
        if seen.items is not None:
            lines += _of_items(seen.items)
        if seen.batches is not None:
            lines.append(_of_batches(seen.batches))
    if test.pooled:
        pooled = ", ".join(map(str, test.pooled))
        lines += wrap(f"Too few labels to tell these classes apart, tested as one: {pooled}.", WIDTH)
    for note in notes:
        lines += wrap(f"note: {note}", WIDTH, subsequent_indent="  ")
    return "\n".join(lines)


def _verdict(findings: Sequence[AuditFinding], test: MixTest, intended: str) -> str:
    if intended == OWN:
        measured = "the class mix, which is the sampler's own, is not tested"
    elif test.p_value is None:
        measured = "too little was seen to tell the class mix"
    else:
        measured = f"p = {test.p_value:.2g} for the mix {intended!r}, alarm below {ALPHA:g}"
    if not findings:
        return f"no mis-wiring found ({measured})"
    return f"mis-wired: {len(findings)} {'finding' if len(findings) == 1 else 'findings'} ({measured})"


def _table(classes: ClassStatistics) -> Iterator[str]:
    yield f"{'class':<24}{'labels':>14}{'in the data':>13}{'drawn':>9}{'intended':>10}"
    order = sorted(range(len(classes.names)), key=lambda c: -classes.counts[c])
    kept = set(order if len(order) <= ROWS else [*order[: ROWS // 2], *order[-ROWS // 2 :]])
    for c in sorted(kept):
        name = classes.names[c].strip()
        label = str(c) if name == str(c) else f"{c} {name}"[:23]
        intended = "-" if isnan(classes.intended[c]) else f"{classes.intended[c]:.2%}"
        shares = f"{classes.natural[c]:>13.2%}{classes.realised[c]:>9.2%}{intended:>10}"
        yield f"{label:<24}{classes.counts[c]:>14,}{shares}"
    if len(kept) < len(order):
        yield f"... and {len(order) - len(kept)} classes between"


def _of_items(items: ItemStatistics) -> Iterator[str]:
    part = (
        f"An epoch of {items.draws:,} draws holds"
        if items.whole
        else f"The first {items.draws:,} draws of an epoch hold"
    )
    share = items.distinct / items.items
    yield f"{part} {items.distinct:,} of {items.items:,} items ({share:.1%})."
    yield (
        f"The rarest class, {items.rarest_class}, has {items.rarest_items:,} items; each comes {items.rarest_mean:.1f} times, "
        f"at most {items.rarest_most:,}."
    )
    yield f"Effective sample size: {items.effective:,.1f} of {items.items:,} items."


def _of_batches(batches: BatchStatistics) -> str:
    return f"Batches: evenness {batches.evenness:.2f} (1 is equal classes); {batches.complete:.0%} hold every class."
