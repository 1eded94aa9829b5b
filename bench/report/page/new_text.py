"""How far the verdict depends on the sentences that happen to be in test: a bootstrap beside the intervals over seeds."""

from __future__ import annotations

from bench.report.frame import PLAIN
from bench.report.page.judged import Judged
from bench.report.page.part import Part, Table
from bench.text.numbers import signed

TITLE = "Other sentences, same trainings"
OVER_SEEDS = "mean of seeds"


def parts(judged: Judged) -> list[Part]:
    """The strategy to speak of against `none`; only where all seeds share one test part."""
    chosen = judged.chosen
    if chosen is None or judged.split != "fixed":
        return []
    if judged.metric.name != "macro-f1":
        return [f"Bootstrap over test sentences: made for macro-f1 only, not for {judged.metric.name}."]
    strategy = chosen.verdict.strategy
    if not judged.resampled:
        return ["Bootstrap over test sentences: not measured, for want of kept predictions."]
    seeds = [OVER_SEEDS, *map(str, judged.outcomes[strategy].records)]
    rows = [
        {
            "seed": seed,
            f"difference to {PLAIN}": signed(found.difference),
            "low": signed(found.low),
            "high": signed(found.high),
        }
        for seed, found in zip(seeds, judged.resampled, strict=True)
    ]
    return [
        f"{strategy} minus {PLAIN} in macro-F1, on test sentences drawn again with replacement: a bootstrap of each "
        "seed's two trainings, and of all seeds' together. It covers new text of the same kind, not other trainings.",
        Table(rows, judged.name("new-text")),
    ]


def in_short(judged: Judged) -> str:
    """The interval over test sentences, all seeds together; empty where there is none."""
    chosen = judged.chosen
    if chosen is None or judged.split != "fixed" or judged.metric.name != "macro-f1" or not judged.resampled:
        return ""
    found = judged.resampled[0]
    difference = f"{signed(found.difference)} [{signed(found.low)}, {signed(found.high)}]"
    return f"On test sentences drawn again (bootstrap, the same trainings) {chosen.verdict.strategy}: {difference}."
