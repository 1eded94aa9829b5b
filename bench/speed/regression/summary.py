"""What a check found, in words: the figures, and what to do."""

from __future__ import annotations

from bench.speed.regression.baseline import key_here
from bench.speed.regression.check import Report
from bench.speed.regression.verdict import FACTOR, P, typical


def summary(report: Report) -> str:
    """Lines for the terminal."""
    lines = [f"Time of a draw over that of one random number and one random read, {key_here()}:"]
    if not report.compared:
        lines += [f"  {name}: {typical(rounds):.3f}" for name, rounds in report.ratios.items()]
        recorded = f"No baseline for this machine and these versions yet: recorded {report.baseline}"
        return "\n".join([*lines, recorded, "The next check compares with it."])
    lines += [
        f"  {each.sampler}: {each.now:.3f}, baseline {each.before:.3f}: factor {each.factor:.3f}, p = {each.p:.2g}"
        f"{': SLOWER' if each.slower else ''}"
        for each in report.compared
    ]
    lines.append(f"Baseline: {report.baseline}")
    if not report.slower:
        return "\n".join([*lines, f"Fine: slower is a factor above {FACTOR} with p < {P}."])
    mend = f"If the change is meant, remove {report.baseline}: the next check without --baseline records a new one."
    return "\n".join([*lines, "Slower, measured twice. Look at what changed in strategies/draw.", mend])
