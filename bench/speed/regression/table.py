"""The result of a speed check as lines for the terminal: the ratios, the verdict, and what to do."""

from __future__ import annotations

from bench.speed.regression.baseline import current_key
from bench.speed.regression.check import SpeedCheck
from bench.speed.regression.slowdown import FACTOR, P, lowest_median


def render_terminal(check: SpeedCheck) -> str:
    """Return one line per sampler, between a heading and the verdict."""
    heading = f"Time per draw relative to one random number and one random read, {current_key()}:"
    if not check.comparisons:
        ratios = [f"  {name}: {lowest_median(rounds):.3f}" for name, rounds in check.ratios.items()]
        recorded = f"Recorded as the baseline of this machine and these versions: {check.baseline}"
        return "\n".join([heading, *ratios, recorded, "The next check compares with it."])
    comparisons = [
        f"  {comparison.sampler}: {comparison.now:.3f}, baseline {comparison.before:.3f}: factor {comparison.factor:.3f}, "
        f"p = {comparison.p:.2g}{': SLOWER' if comparison.slower else ''}"
        for comparison in check.comparisons
    ]
    lines = [heading, *comparisons, f"Baseline: {check.baseline}"]
    if not check.slower:
        return "\n".join([*lines, f"Fine: slower means a factor above {FACTOR} with p < {P}."])
    fix = f"If the change is intended, record a new baseline: imbench speed-check --baseline {check.baseline} --record"
    return "\n".join([*lines, "Slower, measured twice. Look at what changed in strategies/draw.", fix])
