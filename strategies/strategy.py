"""`Strategy`, the base class of every remedy: a frozen dataclass that overrides the hooks it needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar, Literal, cast

import torch
from torch import Generator, Tensor

from strategies.class_mix import expected_mix, normalise
from strategies.draw.epochs import shuffled_epochs
from strategies.hook_arguments import CHECKED_HOOKS, AnyHook, check_arguments
from strategies.labels import ClassCounts, Labels
from strategies.loss_function import ClassWeights, CrossEntropy, Loss, check_trainable
from strategies.notation import write

FOLDERS = ("none", "resample", "sample", "mix", "loss", "schedule", "ensemble", "adjust")
"""Folders of `strategies/`, in the order in which the hooks of a strategy are called; `none` is the baseline's."""

_ACTS_IN = {
    "resample": "changes the rows before training (its method resample)",
    "sample": "chooses which items are sampled (its method index_stream)",
    "mix": "mixes the items of a batch (its method mix)",
    "loss": "changes nothing",
    "schedule": "changes from phase to phase (its method phases)",
    "ensemble": "trains an ensemble of scikit-learn estimators (its method ensemble)",
    "adjust": "adjusts the logits of a trained model (its method adjust)",
}
"""What a strategy of each folder does instead, if it does not act in the loss."""

Inputs = Literal["tokens", "numbers"]
"""What the rows of a task consist of: token ids can be repeated, but not interpolated; numbers can."""

Trains = Literal["all", "head", "scale"]
"""Which parameters a phase trains: all, the last layer, or one scale per class on the last layer's logits."""


@dataclass(frozen=True)
class Resampled:
    """A changed pool of rows: real rows of the training part, followed by synthetic rows, if any.

    Parameters
    ----------
    index : Tensor
        `(M,)` int64, the real rows of the pool by their position in the training part; repeats are allowed.
    synthetic_x : Tensor, optional
        `(K, F)` synthetic rows.
    synthetic_y : Tensor, optional
        `(K,)` int64, their classes.
    """

    index: Tensor
    synthetic_x: Tensor | None = None
    synthetic_y: Tensor | None = None

    def __len__(self) -> int:
        return len(self.index) + (0 if self.synthetic_x is None else len(self.synthetic_x))


@dataclass(frozen=True)
class Mixed:
    """Pairs within a batch of B items with P positions each: item i is mixed with item `partner[i]`.

    Parameters
    ----------
    partner : Tensor
        `(B,)` int64, the position in the batch of each item's partner.
    lambda_x : Tensor
        `(B,)`, the share of item i in its mixed inputs; its partner has the rest.
    lambda_y : Tensor
        `(B, P)`, the share of item i's own target in the loss, per position.
    """

    partner: Tensor
    lambda_x: Tensor
    lambda_y: Tensor


@dataclass(frozen=True)
class Phase:
    """A stretch of training in which one strategy is in force.

    Parameters
    ----------
    until : float
        The share of the training steps, above 0 and up to 1, after which the phase ends. The last phase ends at 1.
    strategy : Strategy
        The strategy in force; it has no schedule of its own.
    trains : {"all", "head", "scale"}, default "all"
        Which parameters are trained: all, the last layer alone, or one scale per class on the last layer's logits.
    reset_head : bool, default False
        Whether the last layer is initialised again when the phase begins.
    """

    until: float
    strategy: Strategy
    trains: Trains = "all"
    reset_head: bool = False


@dataclass(frozen=True)
class Head:
    """The last layer of a trained model: logits are features times `weight` plus `bias`, times a scale, if it has one.

    Parameters
    ----------
    weight : Tensor
        `(C, H)` for C classes and H features.
    bias : Tensor
        `(C,)`.
    """

    weight: Tensor
    bias: Tensor


@dataclass(frozen=True)
class AdjustmentInputs:
    """Everything that an adjustment of finished logits may be computed from; the test part is not among it.

    Parameters
    ----------
    head : Head
        The last layer of the trained model, with C classes.
    train_prior : Tensor or None
        `(C,)` float64, the class prior that the model learnt (see `Strategy.effective_prior`); None where it is undefined.
    target_prior : Tensor
        `(C,)` float64, the class prior of the data to predict.
    valid_logits : Tensor
        `(L, C)`, logits of the trained model at L validation labels, to tune on.
    valid_targets : Tensor
        `(L,)` int64, the class ids of these labels.
    class_names : tuple of str, optional
        One per class, for messages.
    """

    head: Head
    train_prior: Tensor | None
    target_prior: Tensor
    valid_logits: Tensor
    valid_targets: Tensor
    class_names: tuple[str, ...] = ()


Adjustment = Callable[[Tensor], Tensor]
"""A function of finished logits `(..., C)` that returns adjusted ones; it treats each label by itself."""


@dataclass(frozen=True)
class CrossFitted:
    """An adjustment that was tuned on validation labels, and what tuning does to labels that it does not see.

    Validation scores of an adjustment are too good where it was tuned on the same labels. Those of `held_out` are not: each of
    its rows is adjusted by what was tuned on other labels.

    Parameters
    ----------
    adjustment : callable
        The adjustment to use.
    held_out : Tensor
        `(L, C)`, the validation logits, each adjusted by what was tuned without its label.
    """

    adjustment: Adjustment
    held_out: Tensor

    def __call__(self, logits: Tensor) -> Tensor:
        """Return the adjusted logits `(..., C)`."""
        return self.adjustment(logits)


def _check_loss(hook: AnyHook) -> AnyHook:
    """Let the hook `loss` refuse where a strategy does not act in the loss, and note in a loss what it was built from."""

    @wraps(hook)
    def checked(strategy: Strategy, counts: ClassCounts, **named: Any) -> Loss:
        folders = [part.folder for part in strategy.parts if getattr(part, "folder", "none") != "none"]
        if folders and not strategy.acts_in_loss:
            raise ValueError(
                f"{strategy} has no loss: it {', and '.join(_ACTS_IN[folder] for folder in dict.fromkeys(folders))}. Train "
                "with the loss that you have, such as torch.nn.CrossEntropyLoss()"
            )
        loss = hook(strategy, counts, **named)
        check_trainable(loss, str(strategy))
        loss.built_by = "+".join(map(_with_all_parameters, strategy.parts)) if strategy.acts_in_loss else ""
        loss.num_classes = counts.num_classes
        return cast(Loss, loss)

    return cast(AnyHook, checked)


def _with_all_parameters(part: Strategy) -> str:
    parameters = ", ".join(f"{name}={value}" for name, value in part.parameters.items())
    return f"{part.name}({parameters})" if parameters else part.name


@dataclass(frozen=True)
class Strategy:
    """A remedy for class imbalance with its hyper-parameters; the base class itself is plain training.

    A subclass is a frozen dataclass: its fields are the hyper-parameters, and it overrides the hooks through which it acts.
    The harness calls these in the order `resample`, `index_stream`, `mix`, `class_weights` and `loss`, `phases`, `ensemble`,
    `adjust`. A strategy keeps no state. Randomness comes from a seed or a generator, and equal strategies with equal seeds do the
    same.

    Examples
    --------
    >>> from strategies import ClassCounts, get
    >>> focal = get("focal", gamma=1.0)
    >>> focal.parameters
    {'gamma': 1.0}
    >>> loss_fn = focal.loss(ClassCounts.of([0, 0, 0, 1]))  # loss_fn(logits, targets)
    >>> print(focal + get("square-root-sampling"))
    square-root-sampling+focal(gamma=1.0)
    """

    name: ClassVar[str]
    """Identifies the strategy in suites, records and reports: lower-case words with hyphens."""
    aliases: ClassVar[tuple[str, ...]] = ()
    """Other names in use for the same remedy."""
    version: ClassVar[int] = 1
    """Raised whenever the numbers of a run change, so that old records are not taken for new ones."""
    title: ClassVar[str]
    """What it does, in one line."""
    formula: ClassVar[str]
    """How it does it, in one line."""
    paper: ClassVar[str]
    """Authors, year and place of publication, or "folklore"."""
    cost: ClassVar[str] = "none"
    """What it adds to plain training, in one line: passes, memory, set-up."""
    folder: ClassVar[str]
    """The folder of the first hook through which it acts, one of `FOLDERS`."""
    needs_features: ClassVar[bool] = False
    """Whether its loss reads the inputs of the last layer."""
    needs_head: ClassVar[bool] = False
    """Whether its `adjust` reads the last layer, which not every model has."""
    needs_prior: ClassVar[bool] = False
    """Whether its `adjust` reads the class prior that training taught, which must then be defined and positive."""
    order_matters: ClassVar[bool] = False
    """Whether the loss of a batch depends on the order of its items, on random numbers, or on earlier batches."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Let the hooks that a subclass defines check their arguments, and what they return as a loss."""
        super().__init_subclass__(**keywords)
        for name in CHECKED_HOOKS.keys() & vars(cls).keys():
            hook = check_arguments(vars(cls)[name])
            setattr(cls, name, _check_loss(hook) if name == "loss" else hook)

    def __add__(self, other: Strategy) -> Strategy:
        """Return a combination of both strategies; `a + b` and `b + a` are equal.

        Raises
        ------
        NotationError
            If the two cannot be combined; the message says why.
        """
        if not isinstance(other, Strategy):
            return NotImplemented
        from strategies.combination import combine  # here, because a combination is a Strategy

        return combine([self, other])

    @check_arguments
    def why_not_applicable(self, labels: Labels, inputs: Inputs) -> str | None:
        """Return why this strategy cannot be used on such a task, or None if it can.

        Parameters
        ----------
        labels : Labels
            The labels of the training part.
        inputs : {"tokens", "numbers"}
            What its rows consist of.
        """
        return None

    def check_applicable(self, labels: Labels) -> None:
        """Raise a ValueError with the reason if this strategy cannot sample from items with these labels."""
        reason = self.why_not_applicable(labels, "tokens") if len(labels) else "there are none"
        if reason is not None:
            raise ValueError(f"{self} cannot be used on these items: {reason}")

    @check_arguments
    def resample(self, x: Tensor | None, labels: Labels, *, seed: int) -> Resampled | None:
        """Change the pool of training rows, once before training.

        Parameters
        ----------
        x : Tensor or None
            `(N, F)` rows of numbers, or None where the rows are token ids.
        labels : Labels
            The labels of the N items.
        seed : int
            Seeds all random choices.

        Returns
        -------
        Resampled or None
            The new pool; None leaves the rows as they are.
        """
        return None

    @check_arguments
    def item_weights(self, labels: Labels, counts: ClassCounts) -> Tensor | None:
        """Return how often each item is sampled relative to the others, `(N,)` float64, or None if all are sampled alike.

        The default of `effective_prior` is computed from it, so a strategy whose `index_stream` samples by weight overrides
        both.
        """
        return None

    @check_arguments
    def index_stream(
        self, labels: Labels, counts: ClassCounts, *, batch_size: int, steps: int, seed: int
    ) -> Iterator[Tensor]:
        """Return an endless stream of batches of item indices, `(batch_size,)` int64 each; by default shuffled epochs.

        Parameters
        ----------
        labels : Labels
            The labels of the pool that is sampled from, after any resampling.
        counts : ClassCounts
            Labels per class of the training part, before any resampling.
        batch_size : int
            Items per batch.
        steps : int
            How many batches training will take, for schedules; the stream itself does not end. Use
            `itertools.islice(stream, steps)`.
        seed : int
            Seeds all random choices.

        Examples
        --------
        >>> labels = Labels.of([0, 0, 1])
        >>> next(Strategy().index_stream(labels, labels.counts(), batch_size=3, steps=1, seed=0)).sort().values
        tensor([0, 1, 2])
        """
        return shuffled_epochs(len(labels), batch_size=batch_size, seed=seed)

    @check_arguments
    def mix(self, targets: Tensor, counts: ClassCounts, *, generator: Generator) -> Mixed | None:
        """Pair the items of a batch, so that each is mixed with its partner.

        Parameters
        ----------
        targets : Tensor
            `(B, P)` int64, the targets of B items at P positions; `IGNORED` where a position has no label.
        counts : ClassCounts
            Labels per class of the training part, before any resampling.
        generator : torch.Generator
            The source of all random numbers.

        Returns
        -------
        Mixed or None
            The pairs and their shares; None leaves the batch as it is.
        """
        return None

    @check_arguments
    def class_weights(self, counts: ClassCounts) -> ClassWeights | None:
        """Return a weight per class, by which the loss in force is multiplied, or None to weight all classes alike.

        `counts` are the labels per class of the training part, before any resampling.
        """
        return None

    @_check_loss
    @check_arguments
    def loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        """Return the loss of a strategy that acts in the loss; by default cross-entropy with its class weights.

        A strategy that overrides it declares the class prior that the loss teaches in `effective_prior`, where it is known.
        Code for any strategy calls `training_loss`.

        Parameters
        ----------
        counts : ClassCounts
            Labels per class of the training part, before any resampling: `(C,)`, or `(S, C)` for a stack of S runs.
        generators : sequence of torch.Generator, optional
            One per run of the stack, for losses that draw random numbers. Without them, such a loss makes its own, seeded
            with 0.

        Returns
        -------
        Loss
            A module. `loss(logits (..., C), targets (...))` is a scalar; `loss.per_run(logits (S, M, C), targets (S, M))`
            gives one value per run of the stack, `(S,)`.

        Raises
        ------
        ValueError
            If `counts` are something else, or the strategy does not act in the loss: plain cross-entropy would be all that it
            does.

        Examples
        --------
        >>> loss_fn = Strategy().loss(ClassCounts.of([0, 0, 1]))
        >>> round(loss_fn(torch.zeros(2, 2), torch.tensor([0, 1])).item(), 4)  # log 2
        0.6931
        """
        return CrossEntropy(self.class_weights(counts))

    def training_loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        """Return the loss that training minimises: the strategy's own, or plain cross-entropy if it does not act in the loss.

        Parameters and errors are otherwise those of `loss`. For a strategy with phases, ask that of the phase.

        >>> from strategies import get
        >>> get("smote").training_loss(ClassCounts.of([0, 0, 1]))
        CrossEntropy(num_classes=2)
        """
        return (self if self.acts_in_loss else Strategy()).loss(counts, generators=generators)

    @property
    def acts_in_loss(self) -> bool:
        """Whether it changes the loss: by one of its own, or by class weights."""
        return type(self).loss is not Strategy.loss or type(self).class_weights is not Strategy.class_weights

    @property
    def cosine_scale(self) -> float | None:
        """The scale s of a last layer whose logits are `s cos(features, weight)`; None for a linear layer."""
        return None

    def phases(self) -> tuple[Phase, ...]:
        """Return the phases of training, in order of their ends; by default this strategy is in force throughout."""
        return (Phase(1.0, self),)

    def ensemble(self, estimator: Any, *, seed: int) -> Any | None:
        """Return an ensemble around a scikit-learn classifier, or in place of it; None to train the classifier itself.

        Neural models do not ask for it: a strategy that overrides it is not applicable to them.

        Parameters
        ----------
        estimator : classifier
            Not fitted; it is left as it is.
        seed : int
            Seeds all random choices of the ensemble.

        Returns
        -------
        classifier or None
            A scikit-learn classifier with `fit` and `predict_proba`, not fitted, for rows of numbers of one label each.
        """
        return None

    def adjust(self, inputs: AdjustmentInputs) -> Adjustment | None:
        """Return a function that adjusts finished logits, or None to leave them as they are.

        Parameters
        ----------
        inputs : AdjustmentInputs
            The trained model's last layer, the class priors, and validation logits to tune on.

        Returns
        -------
        callable or None
            Takes logits `(..., C)` and returns adjusted ones of the same shape. The logits of one label must not influence
            those of another. One that is tuned on the validation labels returns a `CrossFitted`, so that its validation
            scores are those of labels that it was not tuned on.
        """
        return None

    @check_arguments
    def effective_prior(self, labels: Labels, counts: ClassCounts) -> Tensor | None:
        """Return the class prior that training with this strategy teaches a model, `(C,)` float64; None where it is undefined.

        A model that sees no inputs learns exactly this prior; post-hoc adjustments start from it. By default it is the expected
        class mix of the sampled labels (see `item_weights`) times the class weights. A strategy with a loss of its own has
        none by default, because its loss may teach another prior; override this method where the prior is known.

        Parameters
        ----------
        labels : Labels
            The labels that are sampled from.
        counts : ClassCounts
            Labels per class of the training part, before any resampling.
        """
        if type(self).loss is not Strategy.loss:
            return None
        mix = expected_mix(labels, self.item_weights(labels, counts))
        weights = self.class_weights(counts)
        return mix if weights is None else normalise(mix * weights.values.to(torch.float64))

    @property
    def parts(self) -> tuple[Strategy, ...]:
        """The strategies that it combines: itself, unless it is a combination."""
        return (self,)

    @property
    def parameters(self) -> dict[str, Any]:
        """The hyper-parameters by name."""
        return dataclasses.asdict(self)

    def identity(self) -> dict[str, Any]:
        """Return everything that distinguishes its runs from those of other strategies, ready for JSON."""
        return {"strategy": self.name, "strategy_version": self.version, "parameters": self.parameters}

    def __str__(self) -> str:
        """Return the name, and every hyper-parameter that differs from its default; `strategies.parse` reads it back."""
        return "+".join(write(getattr(part, "name", type(part).__name__), part) for part in self.parts)
