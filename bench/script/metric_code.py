"""The metric of a study as Python source: what the program computes from classes or probabilities."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bench.metrics.metric import find_title
from bench.metrics.selection_metric import SelectionMetric
from bench.script.source_code import literal

_BODIES = {
    "macro-f1": 'return f1_score(truth, logits.argmax(1), average="macro", zero_division=0)',
    "balanced-accuracy": (
        'return recall_score(truth, logits.argmax(1), labels=truth.unique(), average="macro", zero_division=0)'
    ),
    "worst-class-recall": (
        "return recall_score(truth, logits.argmax(1), labels=truth.unique(), average=None, zero_division=0).min()"
    ),
    "positive-f1": "return f1_score(truth, logits.argmax(1), zero_division=0)",
    "average-precision": "return average_precision_score(truth, logits.softmax(1)[:, 1])",
    "entity-f1": (
        "tags = [\n"
        "    [[CLASSES[class_id] for class_id in sentence.tolist()] for sentence in classes.split(lengths)]\n"
        "    for classes in (truth, logits.argmax(1))\n"
        "]\n"
        "return f1_score(*tags)"
    ),
}
"""By the names of `bench.metrics.metric.METRICS`."""


@dataclass(frozen=True)
class MetricCode:
    """The body of a function of `truth (N,)` and `logits (N, C)`, and the constants that it reads."""

    title: str
    direction: str
    body: str
    constants: str = ""

    @property
    def of_entities(self) -> bool:
        """Whether it is computed by sentence, with `lengths`."""
        return "lengths" in self.body


def metric_code(metric: SelectionMetric) -> MetricCode:
    """Return a metric as source.

    >>> from bench.metrics.selection_metric import MACRO_F1
    >>> metric_code(MACRO_F1).title
    'macro-F1'
    """
    title = find_title(metric.name)
    if metric.name in _BODIES:
        return MetricCode(title, metric.direction, _BODIES[metric.name])
    if match := re.fullmatch(r"recall-at-precision\((.*)\)", metric.name):
        body = (
            "precision, recall, _ = precision_recall_curve(truth, logits.softmax(1)[:, 1])\n"
            "return recall[precision >= PRECISION].max()"
        )
        return MetricCode(title, metric.direction, body, f"PRECISION = {float(match[1])}")
    costs = [list(row) for row in metric.costs]  # type: ignore[attr-defined]
    return MetricCode(
        title,
        metric.direction,
        "return COSTS[truth, logits.argmax(1)].mean().item()",
        f"COSTS = torch.tensor({literal(costs)}, dtype=torch.float64)  # by true class and predicted class",
    )
