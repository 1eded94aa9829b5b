"""Several remedies combined into one strategy: `a + b` in Python, in suites and on the command line."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from strategies.class_mix import corrects_twice, expected_mix, favours_rare, normalise
from strategies.labels import ClassCounts, Labels
from strategies.loss_function import ClassWeights, CrossEntropy, Loss
from strategies.none import Plain
from strategies.notation import NotationError
from strategies.strategy import FOLDERS, Adjustment, AdjustmentInputs, Inputs, Mixed, Phase, Resampled, Strategy
from strategies.strategy_warning import StrategyWarning

_EXCLUSIVE_HOOKS = {
    "resample": "change the rows",
    "index_stream": "choose which items are sampled",
    "mix": "mix items",
    "loss": "replace the loss",
    "phases": "are schedules",
    "ensemble": "train an ensemble in place of one estimator",
    "adjust": "adjust finished logits",
}
"""Hooks that at most one part of a combination may override, and what two parts that override it would both do."""

_CHOOSE_ITEMS = ("resample", "index_stream", "ensemble")
"""Hooks that choose items, in their order: each knows the class mix that it makes of the one before."""


def combine(strategies: Iterable[Strategy]) -> Strategy:
    """Return one strategy that applies all of these at once; their order does not matter.

    A combination holds at most one part of each kind (resampling, sampling, mixing, loss, schedule, ensemble, adjustment). Class
    weights multiply each other and any loss. Next to a schedule, the other parts hold in every phase.

    Parameters
    ----------
    strategies : iterable of Strategy
        Parts, or combinations of parts. Plain training (`none`) adds nothing.

    Returns
    -------
    Strategy
        The only part if just one remains, plain training if there is none.

    Raises
    ------
    NotationError
        If two of them cannot be combined; the message says which, and why.

    Examples
    --------
    >>> from strategies import get
    >>> str(combine([get("weighted-random-sampler", power=0.5), get("loss-weights", power=0.5), get("none")]))
    'weighted-random-sampler(power=0.5)+loss-weights(power=0.5)'
    """
    parts = [part for strategy in strategies for part in strategy.parts if part != Plain()]
    parts = sorted(parts, key=lambda part: (FOLDERS.index(part.folder), str(part)))
    if len(parts) < 2:
        return parts[0] if parts else Plain()
    for first, second in pairwise(parts):
        if first == second:
            raise NotationError(f"{first} is given twice in a combination; remove one")
    for hook, both in _EXCLUSIVE_HOOKS.items():
        acting = [part for part in parts if overrides(part, hook)]
        if len(acting) > 1:
            raise NotationError(f"{acting[0]} and {acting[1]} both {both}; a combination takes one of them")
    combination = Combination(tuple(parts))
    try:
        combination.phases()  # combines each phase's strategy with the other parts, which may not be possible
    except NotationError as reason:
        schedule, others = _split(parts, "phases")
        raise NotationError(f"{schedule} and {' + '.join(map(str, others))}: {reason}") from None
    return combination


def overrides(strategy: Strategy, hook: str) -> bool:
    """Whether the class of `strategy` overrides the method `hook` of `Strategy`."""
    return getattr(type(strategy), hook) is not getattr(Strategy, hook)


def split_adjustment(strategy: Strategy) -> tuple[Strategy, Strategy | None]:
    """Return what is trained, and the part that adjusts its finished logits, if any."""
    adjustment, others = _split(strategy.parts, "adjust")
    return combine(others), adjustment


def _split(parts: Sequence[Strategy], hook: str) -> tuple[Strategy | None, list[Strategy]]:
    """Return the part that overrides this hook, if any, and the other parts."""
    acting = next((part for part in parts if overrides(part, hook)), None)
    return acting, [part for part in parts if part is not acting]


@dataclass(frozen=True)
class Combination(Strategy):
    """Several remedies at once, in the order of their folders; use `combine` or `a + b` to build one.

    A `StrategyWarning` is raised when its parts correct the class prior twice, so that rare classes count more than frequent
    ones (see `strategies.class_mix.corrects_twice`).
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
    def acts_in_loss(self) -> bool:
        return any(part.acts_in_loss for part in self.parts)

    @property
    def cosine_scale(self) -> float | None:
        return next((part.cosine_scale for part in self.parts if part.cosine_scale is not None), None)

    def why_not_applicable(self, labels: Labels, inputs: Inputs) -> str | None:
        reasons = ((part, part.why_not_applicable(labels, inputs)) for part in self.parts)
        return next((f"{part}: {reason}" for part, reason in reasons if reason is not None), None)

    def resample(self, x: Tensor | None, labels: Labels, *, seed: int) -> Resampled | None:
        return self._part_with("resample").resample(x, labels, seed=seed)

    def item_weights(self, labels: Labels, counts: ClassCounts) -> Tensor | None:
        return self._part_with("index_stream").item_weights(labels, counts)

    def index_stream(
        self, labels: Labels, counts: ClassCounts, *, batch_size: int, steps: int, seed: int
    ) -> Iterator[Tensor]:
        self._warn_of_double_correction(labels, counts)
        sampler = self._part_with("index_stream")
        return sampler.index_stream(labels, counts, batch_size=batch_size, steps=steps, seed=seed)

    def mix(self, targets: Tensor, counts: ClassCounts, *, generator: Generator) -> Mixed | None:
        return self._part_with("mix").mix(targets, counts, generator=generator)

    def class_weights(self, counts: ClassCounts) -> ClassWeights | None:
        all_weights = [weights for _, weights in self._class_weights(counts)]
        if not all_weights:
            return None
        product = reduce(torch.mul, (weights.values for weights in all_weights), torch.tensor(1.0, dtype=torch.float64))
        return ClassWeights(product, all_weights[0].reduction)

    def loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        base, _ = _split(self.parts, "loss")
        loss = CrossEntropy() if base is None else base.loss(counts, generators=generators)
        for part, weights in self._class_weights(counts):
            if part is not base:  # a loss with class weights of its own has multiplied them in
                loss = loss.with_class_weights(weights)
        return loss

    def phases(self) -> tuple[Phase, ...]:
        schedule, others = _split(self.parts, "phases")
        if schedule is None or len(schedule.phases()) == 1:
            return (Phase(1.0, self),)
        return tuple(replace(phase, strategy=combine([phase.strategy, *others])) for phase in schedule.phases())

    def ensemble(self, estimator: Any, *, seed: int) -> Any | None:
        return self._part_with("ensemble").ensemble(estimator, seed=seed)

    def adjust(self, inputs: AdjustmentInputs) -> Adjustment | None:
        return self._part_with("adjust").adjust(inputs)

    def effective_prior(self, labels: Labels, counts: ClassCounts) -> Tensor | None:
        natural = expected_mix(labels)
        choosing = [part for part in self.parts if any(overrides(part, hook) for hook in _CHOOSE_ITEMS)]
        prior = self._sampled_prior(choosing, labels, counts)
        for part in self.parts:
            own = natural if part in choosing else part.effective_prior(labels, counts)
            if prior is None or own is None:
                return None
            prior = normalise(torch.where(natural > 0, prior * own / natural, 0.0))
        return prior

    def _sampled_prior(self, choosing: Sequence[Strategy], labels: Labels, counts: ClassCounts) -> Tensor | None:
        """Return the class mix after each of these in turn; None where it is unknown."""
        prior: Tensor | None = expected_mix(labels)
        for position, part in enumerate(choosing):
            if position and prior is not None:
                if not labels.single_label:
                    return None  # the class mix of a resampled pool does not say which of its items are repeated
                labels = _labels_in_mix(prior, labels)
            prior = part.effective_prior(labels, counts)
        return prior

    def _part_with(self, hook: str) -> Strategy:
        """Return the part that overrides this hook, or plain training."""
        return _split(self.parts, hook)[0] or Plain()

    def _class_weights(self, counts: ClassCounts) -> list[tuple[Strategy, ClassWeights]]:
        """Return the parts with class weights and these weights, which must all be divided alike."""
        candidates = [(part, part.class_weights(counts)) for part in self.parts]
        weighted = [(part, weights) for part, weights in candidates if weights is not None]
        for (first, one), (second, other) in pairwise(weighted):
            if one.reduction != other.reduction:
                raise NotationError(
                    f"{first} and {second} divide their weighted losses differently; give both one reduction"
                )
        return weighted

    def _warn_of_double_correction(self, labels: Labels, counts: ClassCounts) -> None:
        """Warn if the parts correct the class mix twice: `labels` are those of the pool, `counts` those before resampling."""
        natural = counts.prior()
        factors = {part: _correction(part, labels, counts) for part in self.parts}
        if not corrects_twice(natural, list(factors.values())):
            return
        correcting = [str(part) for part in self.parts if favours_rare(factors[part], natural)]
        prior = normalise(reduce(torch.mul, factors.values(), natural))
        warnings.warn(
            f"{' and '.join(correcting)} each correct the class prior, so together they correct it twice: a model "
            f"learns the prior {_format_shares(prior, labels.class_names)}, where the data have "
            f"{_format_shares(natural, labels.class_names)}; use one of them, or half the power of each",
            StrategyWarning,
            stacklevel=3,
        )


def _correction(part: Strategy, labels: Labels, counts: ClassCounts) -> Tensor:
    """Return what a part multiplies the class shares by, `(C,)` float64, as far as it is known; 0 for a class without labels.

    `labels` are those of the pool, so a part that resampled it has already changed them: its factor is their share over the
    share in `counts`. Other parts are known by the prior that they declare, or else by their class weights alone.
    """
    pool = expected_mix(labels)
    if overrides(part, "resample"):
        natural = counts.prior()
        return torch.where(natural > 0, pool / natural, 0.0)
    prior = part.effective_prior(labels, counts)
    if prior is None:
        weights = part.class_weights(counts)
        prior = pool if weights is None else normalise(pool * weights.values.to(torch.float64))
    return torch.where(pool > 0, prior / pool, 0.0)


def _labels_in_mix(prior: Tensor, labels: Labels) -> Labels:
    """Return about as many items of one label each, in this class mix."""
    counts = (prior * len(labels)).round().to(torch.int64)
    return Labels.of(torch.repeat_interleave(torch.arange(len(prior)), counts), labels.class_names)


def _format_shares(prior: Tensor, names: Sequence[str], most: int = 4) -> str:
    """Format the largest shares by class name, largest first."""
    order = prior.argsort(descending=True, stable=True).tolist()
    more = f", {len(order) - most} more" if len(order) > most else ""
    return ", ".join(f"{names[c]} {float(prior[c]):.1%}" for c in order[:most]) + more
