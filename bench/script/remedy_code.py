"""A remedy as Python source, and through which of its hooks it acts: a program calls no others."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import strategies
from bench.script.source_code import literal
from bench.tasks.part import Rows
from bench.tasks.task import Task
from strategies import Strategy
from strategies.combination import overrides
from strategies.registry import source_hash


@dataclass(frozen=True)
class RemedyCode:
    """The expression that makes a remedy, and what it does."""

    code: str
    plugin: str
    """The file that registers it; empty for remedies of this package and of installed ones."""
    resamples: bool
    synthesises: bool
    """Whether resampling adds synthetic rows."""
    random_loss: bool
    weights_items: bool
    weights_classes: Literal["", "weighted-mean", "mean"]
    """What a loss with its class weights is divided by; empty where it has none."""
    is_ensemble: bool
    phases: bool
    """Whether another strategy is in force from some step on."""
    unsupported: str = ""
    """What programs do not hold yet; empty if they hold all of it."""

    @property
    def resampled_rows(self) -> str:
        """The expression of the rows and classes of the new pool."""
        if self.synthesises:
            joined = "torch.cat([{0}[resampled.index], resampled.synthetic_{0}])"
            return f"{joined.format('x')}, {joined.format('y')}"
        return "x[resampled.index], y[resampled.index]"


def remedy_code(strategy: Strategy, task: Task) -> RemedyCode:
    """Return a remedy that is trained on a task as source."""
    labels = task.train.labels
    counts = labels.counts()
    weights = strategy.class_weights(counts)
    resampled = None
    if isinstance(task.train, Rows) and any(overrides(part, "resample") for part in strategy.parts):
        x = task.train.x if task.inputs == "numbers" else None
        resampled = strategy.resample(x, labels, seed=0)
    return RemedyCode(
        strategy_source(strategy),
        plugin=next((file for part in strategy.parts if (file := _plugin_file(part))), ""),
        resamples=any(overrides(part, "resample") for part in strategy.parts),
        synthesises=resampled is not None and resampled.synthetic_x is not None,
        random_loss=strategy.training_loss(counts).is_random,
        weights_items=strategy.item_weights(labels, counts) is not None,
        weights_classes="" if weights is None else weights.reduction,
        is_ensemble=any(part.folder == "ensemble" for part in strategy.parts),
        phases=len(strategy.phases()) > 1,
        unsupported=_find_unsupported(strategy),
    )


def _find_unsupported(strategy: Strategy) -> str:
    """Return which hook of a strategy programs do not call."""
    if any(overrides(part, "mix") for part in strategy.parts):
        return "it mixes items"
    if strategy.cosine_scale is not None:
        return "its last layer computes cosines"
    if strategy.needs_features:
        return "its loss reads features"
    if any(phase.trains != "all" or phase.reset_head for phase in strategy.phases()):
        return "it trains the last layer alone"
    return ""


def strategy_source(strategy: Strategy) -> str:
    """Return the expression that makes a strategy, with the hyper-parameters that differ from their defaults.

    >>> strategy_source(strategies.parse("loss-weights(power=0.5)+focal"))
    'Focal() + LossWeights(power=0.5)'
    """
    if any(type(part).__name__ not in strategies.__all__ for part in strategy.parts):
        return f"parse({literal(str(strategy))})"
    return " + ".join(map(_part_source, strategy.parts))


def _part_source(part: Strategy) -> str:
    arguments = [
        f"{field.name}={literal(getattr(part, field.name))}"
        for field in dataclasses.fields(part)
        if getattr(part, field.name) != field.default
    ]
    return f"{type(part).__name__}({', '.join(arguments)})"


def _plugin_file(part: Strategy) -> str:
    """Return the file of a strategy that is neither this package's nor an installed one's."""
    if not source_hash(type(part)):
        return ""
    file = getattr(sys.modules.get(type(part).__module__), "__file__", None)
    return "" if file is None or "site-packages" in file else str(Path(file).resolve())
