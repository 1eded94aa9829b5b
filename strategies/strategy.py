"""What a remedy is: a frozen dataclass that overrides the hooks it needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Generator, Tensor

from strategies.class_mix import expected_mix, normalise
from strategies.draw.epochs import shuffled_epochs
from strategies.labels import ClassCounts, Labels
from strategies.loss.loss import ClassWeights, CrossEntropy, Loss
from strategies.notation import write

Inputs = Literal["tokens", "numbers"]
"""What a row of a task is made of; token ids can be drawn again, but never interpolated."""

FOLDERS = ("none", "resample", "sample", "mix", "loss", "schedule", "adjust")
"""Folders of `strategies/`, in the order in which the hooks of a strategy are called; `none` is the baseline's."""

Trains = Literal["all", "head", "scale"]
"""What moves in a phase: everything, the last layer, or the last layer's scale, one number a class."""


@dataclass(frozen=True)
class Resampled:
    """A new pool: the real rows `index (M,)`, then the made rows `synthetic_x (K, F)` of the classes `synthetic_y (K,)`."""

    index: Tensor
    synthetic_x: Tensor | None = None
    synthetic_y: Tensor | None = None

    def __len__(self) -> int:
        return len(self.index) + (0 if self.synthetic_x is None else len(self.synthetic_x))


@dataclass(frozen=True)
class Mixed:
    """Pairs within a batch of B items: item i becomes `lambda_x[i]` of itself and the rest of item `partner[i]`.

    `partner (B,)` int64, `lambda_x (B,)`; `lambda_y (B, P)` is the share of its own target at each of its P positions.
    """

    partner: Tensor
    lambda_x: Tensor
    lambda_y: Tensor


@dataclass(frozen=True)
class Phase:
    """What holds in a stretch of training that ends at the share `until` of its steps."""

    until: float
    strategy: Strategy
    trains: Trains = "all"
    reset_head: bool = False


@dataclass(frozen=True)
class Head:
    """The last layer of a trained model: logits are features times `weight (C, H)` plus `bias (C,)`, times a scale, if any."""

    weight: Tensor
    bias: Tensor


@dataclass(frozen=True)
class AdjustmentInputs:
    """Everything that an adjustment of finished logits may be computed from; the test part is not among it.

    Parameters
    ----------
    head
        The last layer of the trained model, with C classes.
    train_prior
        `(C,)` float64, the class prior that the model learnt (see `Strategy.effective_prior`); None where it is undefined.
    target_prior
        `(C,)` float64, the class prior of the data to predict.
    valid_logits
        `(L, C)` logits of the trained model on L validation labels, to tune on.
    valid_targets
        `(L,)` int64 class ids of these labels.
    """

    head: Head
    train_prior: Tensor | None
    target_prior: Tensor
    valid_logits: Tensor
    valid_targets: Tensor


Adjustment = Callable[[Tensor], Tensor]
"""Finished logits `(..., C)` to adjusted ones."""


@dataclass(frozen=True)
class Strategy:
    """A remedy with its hyper-parameters, which are its fields; without an overridden hook it is plain training.

    Strategies keep no state: randomness is handed in as a seed, and equal strategies under equal seeds do the same.
    """

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    """Other names in use for the same thing."""
    version: ClassVar[int] = 1
    """Raised whenever the numbers of a training change, so that old records are not taken for new ones."""
    title: ClassVar[str]
    """One line for lists: what it does."""
    formula: ClassVar[str]
    """One line for lists: how."""
    paper: ClassVar[str]
    """Authors, year and place of publication, or "folklore"."""
    cost: ClassVar[str] = "none"
    """What it adds to plain training: passes, memory, set-up."""
    folder: ClassVar[str]
    """The hook's folder: where it acts first."""
    needs_features: ClassVar[bool] = False
    """Whether its loss reads what the last layer reads."""
    needs_head: ClassVar[bool] = False
    """Whether its `adjust` reads the last layer, which not every model has."""
    needs_prior: ClassVar[bool] = False
    """Whether its `adjust` reads the class prior that training saw, so that it must be defined and positive."""
    order_matters: ClassVar[bool] = False
    """Whether its loss of a batch depends on more than the batch's own elements, in any order."""

    def __add__(self, other: Strategy) -> Strategy:
        """Return a combination of both; a `NotationError` says why two cannot be combined."""
        if not isinstance(other, Strategy):
            return NotImplemented
        from strategies.combination import combine  # here, because a combination is a Strategy

        return combine([self, other])

    def declines(self, labels: Labels, inputs: Inputs) -> str | None:
        """The reason why this remedy cannot be used on such items, None if it can."""
        return None

    def must_apply(self, labels: Labels) -> None:
        """Raises a ValueError with the reason where this remedy cannot choose among such items."""
        reason = self.declines(labels, "tokens") if len(labels) else "there are none"
        if reason is not None:
            raise ValueError(f"{self} cannot be used on these items: {reason}")

    def resample(self, x: Tensor | None, labels: Labels, *, seed: int) -> Resampled | None:
        """The pool of rows, changed once before training: `x (N, F)`, or None for token ids; None keeps the rows as they are."""
        return None

    def item_weights(self, labels: Labels, counts: ClassCounts) -> Tensor | None:
        """How much more often than others each item is drawn, `(N,)` float64; None if items are not drawn by weight."""
        return None

    def index_stream(
        self, labels: Labels, counts: ClassCounts, *, batch_size: int, steps: int, seed: int
    ) -> Iterator[Tensor]:
        """Which items are drawn, when: batches of indices `(batch_size,)` without end, of which a training takes `steps`.

        Take as many as you need, as with `itertools.islice(stream, steps)`. Shuffled epochs by default.
        """
        return shuffled_epochs(len(labels), batch_size=batch_size, seed=seed)

    def mix(self, targets: Tensor, counts: ClassCounts, *, generator: Generator) -> Mixed | None:
        """Pairs within a batch of `targets (B, P)`, `IGNORED` where a position has no label; None leaves items as they are."""
        return None

    def class_weights(self, counts: ClassCounts) -> ClassWeights | None:
        """What a label of each class counts in whatever loss is in force; None counts all alike."""
        return None

    def loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        """The loss: `loss(logits (..., C), targets (...))` is a scalar; counts `(S, C)` give a stack's, read by `Loss.rows`.

        `generators`, one a training of the stack, are for losses that draw; without them, their own start from 0.
        """
        return CrossEntropy(self.class_weights(counts))

    @property
    def cosine_scale(self) -> float | None:
        """The scale s of a last layer that gives `s cos(features, weight)`; None for a linear one."""
        return None

    def phases(self) -> tuple[Phase, ...]:
        """What holds when: phases by their ends, the last of which is 1."""
        return (Phase(1.0, self),)

    def adjust(self, inputs: AdjustmentInputs) -> Adjustment | None:
        """Return a function that adjusts finished logits, or None to leave them as they are."""
        return None

    def effective_prior(self, labels: Labels, counts: ClassCounts) -> Tensor | None:
        """The class prior `(C,)` that a model trained so has learnt, float64; None where there is none to speak of.

        That is the expected class mix of the labels drawn, times the class weights.
        """
        mix = expected_mix(labels, self.item_weights(labels, counts))
        weights = self.class_weights(counts)
        return mix if weights is None else normalise(mix * weights.values.to(torch.float64))

    @property
    def parts(self) -> tuple[Strategy, ...]:
        """The strategies it is made of: itself, unless it is a combination."""
        return (self,)

    @property
    def parameters(self) -> dict[str, Any]:
        """Hyper-parameters by name."""
        return dataclasses.asdict(self)

    def identity(self) -> dict[str, Any]:
        """All that tells its trainings from those of others."""
        return {"strategy": self.name, "strategy_version": self.version, "parameters": self.parameters}

    def __str__(self) -> str:
        """The label of plots and tables: the name, and every hyper-parameter that is not its default."""
        return "+".join(write(part.name, part) for part in self.parts)
