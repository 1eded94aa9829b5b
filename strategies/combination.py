"""Several remedies at once: `a + b` in Python, in suites and on the command line."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from strategies.draw.weights import StrategyWarning
from strategies.labels import ClassCounts, Labels
from strategies.loss.loss import ClassWeights, CrossEntropy, Loss
from strategies.none import Plain
from strategies.notation import NotationError
from strategies.registry import FOLDERS
from strategies.strategy import Adjustment, Head, Inputs, Mixed, Phase, Resampled, Strategy, expected_mix, normalised

_ONE_OF = {
    "resample": "change the rows",
    "index_stream": "choose which items are drawn",
    "mix": "mix items",
    "loss": "replace the loss",
    "phases": "are schedules",
    "adjust": "adjust finished logits",
}
"""Hooks of which a combination can hold one, and what two of them would both do."""
OVER = -0.1
"""The slope of the log effective prior over the log class shares below which a combination is said to correct twice."""


def combined(strategies: Iterable[Strategy]) -> Strategy:
    """All of them as one strategy, whatever their order; a `NotationError` says why two cannot be combined.

    Of each kind (resampling, sampling, mixing, loss, schedule, adjustment) there can be one; class weights multiply each
    other and weight whatever loss is in force. Beside a schedule, the others hold in every phase.

    >>> from strategies import get
    >>> str(combined([get("weighted-random-sampler", power=0.5), get("loss-weights", power=0.5), get("none")]))
    'weighted-random-sampler(power=0.5)+loss-weights(power=0.5)'
    """
    parts = [part for each in strategies for part in each.parts if part != Plain()]
    parts = sorted(parts, key=lambda part: (FOLDERS.index(part.folder), str(part)))
    if len(parts) < 2:
        return parts[0] if parts else Plain()
    for first, second in pairwise(parts):
        if first == second:
            raise NotationError(f"{first} stands twice in a combination; remove one")
    for hook, both in _ONE_OF.items():
        having = [part for part in parts if overrides(part, hook)]
        if len(having) > 1:
            raise NotationError(f"{having[0]} and {having[1]} both {both}; a combination takes one of them")
    made = Combination(tuple(parts))
    try:
        made.phases()
    except NotationError as reason:
        schedule, others = _apart(parts, "phases")
        raise NotationError(f"{schedule} and {' + '.join(map(str, others))}: {reason}") from None
    return made


def overrides(strategy: Strategy, hook: str) -> bool:
    """Whether the strategy acts through this hook."""
    return getattr(type(strategy), hook) is not getattr(Strategy, hook)


def without_adjustment(strategy: Strategy) -> tuple[Strategy, Strategy | None]:
    """What is trained, and what adjusts its finished logits."""
    adjusts, others = _apart(strategy.parts, "adjust")
    return combined(others), adjusts


def _apart(parts: Sequence[Strategy], hook: str) -> tuple[Strategy | None, list[Strategy]]:
    """The part that acts through this hook, if any, and the others."""
    acting = next((part for part in parts if overrides(part, hook)), None)
    return acting, [part for part in parts if part is not acting]


@dataclass(frozen=True)
class Combination(Strategy):
    """Several remedies at once, in the order of their folders; `combined` makes it.

    Warns where it corrects the class prior twice, so that rare classes end up more frequent than common ones.
    """

    members: tuple[Strategy, ...]
    title: ClassVar[str] = "several remedies at once"
    formula: ClassVar[str] = "a + b"
    paper: ClassVar[str] = "folklore"

    @property
    def parts(self) -> tuple[Strategy, ...]:
        return self.members

    def identity(self) -> dict[str, Any]:
        return {
            "strategy": "+".join(part.name for part in self.parts),
            "strategy_version": [part.version for part in self.parts],
            "parameters": [part.parameters for part in self.parts],
        }

    @property
    def needs_features(self) -> bool:  # type: ignore[override]
        return any(part.needs_features for part in self.parts)

    @property
    def needs_head(self) -> bool:  # type: ignore[override]
        return any(part.needs_head for part in self.parts)

    @property
    def needs_prior(self) -> bool:  # type: ignore[override]
        return any(part.needs_prior for part in self.parts)

    @property
    def order_matters(self) -> bool:  # type: ignore[override]
        return any(part.order_matters for part in self.parts)

    @property
    def cosine_scale(self) -> float | None:
        return next((part.cosine_scale for part in self.parts if part.cosine_scale is not None), None)

    def declines(self, labels: Labels, inputs: Inputs) -> str | None:
        reasons = ((part, part.declines(labels, inputs)) for part in self.parts)
        return next((f"{part}: {reason}" for part, reason in reasons if reason is not None), None)

    def resample(self, x: Tensor | None, labels: Labels, *, seed: int) -> Resampled | None:
        return self._acting("resample").resample(x, labels, seed=seed)

    def item_weights(self, labels: Labels, counts: ClassCounts) -> Tensor | None:
        return self._acting("index_stream").item_weights(labels, counts)

    def index_stream(
        self, labels: Labels, counts: ClassCounts, *, batch_size: int, steps: int, seed: int
    ) -> Iterator[Tensor]:
        self._warn_of_double_correction(labels, counts)
        sampling = self._acting("index_stream")
        return sampling.index_stream(labels, counts, batch_size=batch_size, steps=steps, seed=seed)

    def mix(self, targets: Tensor, counts: ClassCounts, *, generator: Generator) -> Mixed | None:
        return self._acting("mix").mix(targets, counts, generator=generator)

    def class_weights(self, counts: ClassCounts) -> ClassWeights | None:
        each = [weights for _, weights in self._class_weights(counts)]
        product = reduce(torch.mul, (weights.values for weights in each), torch.tensor(1.0, dtype=torch.float64))
        return ClassWeights(product, each[0].reduction) if each else None

    def loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        base, _ = _apart(self.parts, "loss")
        loss = CrossEntropy() if base is None else base.loss(counts, generators=generators)
        return reduce(Loss.weighted, [each for part, each in self._class_weights(counts) if part is not base], loss)

    def phases(self) -> tuple[Phase, ...]:
        schedule, others = _apart(self.parts, "phases")
        if schedule is None or len(schedule.phases()) == 1:
            return (Phase(1.0, self),)
        return tuple(replace(phase, strategy=combined([phase.strategy, *others])) for phase in schedule.phases())

    def adjust(self, head: Head, **known: Any) -> Adjustment | None:
        return self._acting("adjust").adjust(head, **known)

    def effective_prior(self, labels: Labels, counts: ClassCounts) -> Tensor | None:
        natural = expected_mix(labels)
        drawing = [part for part in self.parts if overrides(part, "resample") or overrides(part, "index_stream")]
        prior = self._drawn_prior(drawing, labels, counts)
        for part in self.parts:
            own = natural if part in drawing else part.effective_prior(labels, counts)
            if prior is None or own is None:
                return None
            prior = normalised(torch.where(natural > 0, prior * own / natural, 0.0))
        return prior

    def _drawn_prior(self, drawing: Sequence[Strategy], labels: Labels, counts: ClassCounts) -> Tensor | None:
        """The class mix that resampling, if any, and then sampling, if any, draw."""
        prior: Tensor | None = expected_mix(labels)
        for place, part in enumerate(drawing):
            if place and prior is not None:
                if not labels.single_label:
                    return None  # which items the pool holds more often is not known from its class mix
                labels = _in_mix(prior, labels)
            prior = part.effective_prior(labels, counts)
        return prior

    def _acting(self, hook: str) -> Strategy:
        return _apart(self.parts, hook)[0] or Plain()

    def _class_weights(self, counts: ClassCounts) -> list[tuple[Strategy, ClassWeights]]:
        found = [(part, part.class_weights(counts)) for part in self.parts]
        weighing = [(part, weights) for part, weights in found if weights is not None]
        for (first, one), (second, other) in pairwise(weighing):
            if one.reduction != other.reduction:
                raise NotationError(
                    f"{first} and {second} divide their weighted losses differently; give both one reduction"
                )
        return weighing

    def _warn_of_double_correction(self, labels: Labels, counts: ClassCounts) -> None:
        """`labels` are those of the pool that is drawn from, `counts` those before resampling."""
        natural, pool = counts.prior(), expected_mix(labels)
        prior, moving = pool, []
        for part in self.parts:
            if overrides(part, "resample"):
                moved = not _alike(pool, natural)
            else:
                own = _taught(part, labels, counts)
                moved = not _alike(own, pool)
                prior = normalised(torch.where(pool > 0, prior * own / pool, 0.0))
            if moved:
                moving.append(part)
        if len(moving) > 1 and slope(prior, natural) <= OVER:
            warnings.warn(
                f"{' and '.join(map(str, moving))} each correct the class prior, so together they correct it twice: a model "
                f"learns the prior {_shown(prior, labels.class_names)}, where the data have "
                f"{_shown(natural, labels.class_names)}; use one of them, or half the power of each",
                StrategyWarning,
                stacklevel=3,
            )


def slope(prior: Tensor, natural: Tensor) -> float:
    """How much of the classes' unevenness is left: 1 all of it, 0 none, below 0 turned round; over classes of positive share."""
    both = (prior > 0) & (natural > 0)
    x, y = natural[both].log(), prior[both].log()
    x, y = x - x.mean(), y - y.mean()
    spread = float(x @ x)
    return float(x @ y) / spread if spread > 1e-12 else 1.0


def _taught(part: Strategy, labels: Labels, counts: ClassCounts) -> Tensor:
    """The prior that a part teaches, as far as it is known: by its declaration, or by its class weights alone."""
    if (prior := part.effective_prior(labels, counts)) is not None:
        return prior
    weights = part.class_weights(counts)
    mix = expected_mix(labels)
    return mix if weights is None else normalised(mix * weights.values.to(torch.float64))


def _alike(prior: Tensor, other: Tensor) -> bool:
    return bool((prior - other).abs().max() < 1e-9)


def _in_mix(prior: Tensor, labels: Labels) -> Labels:
    """Items of one label each, in this mix."""
    counts = (prior * len(labels)).round().to(torch.int64)
    return Labels.of(torch.repeat_interleave(torch.arange(len(prior)), counts), labels.class_names)


def _shown(prior: Tensor, names: Sequence[str], most: int = 4) -> str:
    """Shares by class, the largest first."""
    order = prior.argsort(descending=True, stable=True).tolist()
    more = f", {len(order) - most} more" if len(order) > most else ""
    return ", ".join(f"{names[c]} {float(prior[c]):.1%}" for c in order[:most]) + more
