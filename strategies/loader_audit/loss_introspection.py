"""Find out, from a loss itself, what it does about the class imbalance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from strategies.class_mix import expected_mix
from strategies.combination import overrides
from strategies.labels import Labels
from strategies.loader_audit.loss_probe import ProbedLoss, UnreadableLossError, probe_loss
from strategies.strategy import Strategy

WEIGHTS = ("weight", "class_weights", "class_weight", "weights", "alpha")
"""Attributes under which a loss may keep class weights."""
PRIORS = ("prior", "class_prior", "priors", "class_counts", "cls_num_list")
"""Attributes under which a loss may keep the class prior that it corrects for."""
LOG_PRIORS = ("log_prior", "log_class_prior", "log_priors")
"""The same, as logarithms."""
PAD_SHARE = 1e-3
"""Share of padding in the batch on which a loss is measured."""
TORCH_LOSSES = (nn.CrossEntropyLoss, nn.NLLLoss)
"""Losses that do nothing about the classes but what their attribute `weight` says."""


@dataclass(frozen=True)
class LossFacts:
    """What a loss does about the classes; None where it does nothing, or nothing is known."""

    name: str = "the loss"
    given: bool = False
    """Whether a loss, class weights or a prior were given."""
    weights: Tensor | None = None
    """The class weights that it keeps, `(C,)`."""
    factors: Tensor | None = None
    """How much more a label of each class counts than with plain cross-entropy, `(C,)`, up to scale."""
    ignored_classes: tuple[int, ...] = ()
    """The class ids that the loss ignores."""
    pos_weight: float | None = None
    """The weight of the positive class in a binary loss on one logit."""
    is_remedy: bool = False
    """Whether it is that of a strategy that changes the loss: then the natural class mix is as right as a balanced one."""
    problem: str | None = None
    """Why the loss could not be read; None where it could."""


def inspect_loss(
    loss: Any, class_weights: Any, loss_prior: Any, labels: Labels, mix: Tensor, pad_classes: Sequence[int] = ()
) -> LossFacts:
    """Return what is known about a loss.

    What the user says comes first, then what a strategy declares; the attributes of PyTorch's own losses are read; any other
    loss is measured (see `probe_loss`), and its attributes are read if that fails.

    Parameters
    ----------
    loss
        A loss of PyTorch, a loss or strategy of this package, or any function of logits and targets; None for plain training.
    class_weights
        Weight of each class, `(C,)`, instead of those of the loss.
    loss_prior
        Class prior that the loss corrects for, `(C,)`, instead of that of the loss.
    labels
        The labels of the data set.
    mix
        The class mix of the batches, `(C,)`.
    pad_classes
        Class ids that are padding: they have no share of the mix, but a loss may ignore them or not.

    Raises
    ------
    ValueError
        If weights or prior are not one number for each of the C classes.

    Examples
    --------
    >>> inspect_loss(nn.CrossEntropyLoss(ignore_index=2), None, None, Labels.of([0, 1, 2]), torch.ones(3) / 3).ignored_classes
    (2,)
    """
    classes = labels.num_classes
    weights = (
        _read_weights(loss, classes) if class_weights is None else _to_class_vector("class_weights", class_weights)
    )
    _check_length(class_weights is not None, weights, loss, classes)
    pos_weight = _read_pos_weight(loss, classes)
    if pos_weight is not None and class_weights is None:
        weights = torch.tensor([1.0, pos_weight], dtype=torch.float64)
    given_prior = None if loss_prior is None else _to_class_vector("loss_prior", loss_prior)
    if given_prior is not None and len(given_prior) != classes:
        raise ValueError(
            f"loss_prior must be one number for each of the {classes} classes; given: {len(given_prior)} numbers"
        )
    prior = _read_prior(loss, classes) if given_prior is None else given_prior
    facts = partial(
        LossFacts,
        name=_name_loss(loss) if loss is not None else "the loss" if class_weights is None else "class_weights",
        given=any(argument is not None for argument in (loss, class_weights, loss_prior)),
        weights=weights,
        pos_weight=pos_weight,
        is_remedy=isinstance(loss, Strategy) and _overrides_any(loss, "loss", "class_weights", "phases", "adjust"),
    )
    ignored = _read_ignored(loss, weights)
    is_read = loss is None or class_weights is not None or given_prior is not None or pos_weight is not None
    if is_read or (type(loss) in TORCH_LOSSES and (prior is None or len(prior) == classes)):
        return facts(factors=_combine(weights, prior), ignored_classes=ignored)
    try:
        measured = _measure(loss, labels, mix, pad_classes)
    except UnreadableLossError as error:
        kept = _combine(weights, prior)
        return facts(factors=kept, ignored_classes=ignored, problem=str(error) if kept is None else None)
    return facts(factors=measured.factors, ignored_classes=tuple({*ignored, *measured.ignored_classes}))


def _measure(loss: Any, labels: Labels, mix: Tensor, pad_classes: Sequence[int]) -> ProbedLoss:
    """Return what a strategy declares about its loss, or else what the gradients of the loss say."""
    mix = mix if int((mix > 0).sum()) > 1 else expected_mix(labels)
    if isinstance(loss, Strategy):
        counts = labels.counts()
        declared = (
            None
            if _overrides_any(loss, "resample", "index_stream", "item_weights", "ensemble")
            else loss.effective_prior(labels, counts)
        )
        if declared is not None:
            natural = expected_mix(labels)
            return ProbedLoss(torch.where(natural > 0, declared / natural, 0.0), ())
        try:
            # In the end, it is the loss of the last phase which decides.
            loss = loss.phases()[-1].strategy.training_loss(counts)
        except (ValueError, TypeError) as error:
            raise UnreadableLossError(str(error)) from None
    if isinstance(loss, str):
        raise UnreadableLossError(f"it is a name; give strategies.get({loss!r})")
    if isinstance(loss, type):
        raise UnreadableLossError(f"it is a class; give an instance, such as {loss.__name__}()")
    if not callable(loss):
        raise UnreadableLossError(f"a {type(loss).__name__} cannot be called with logits and targets")
    if pad_classes:
        mix = mix.index_fill(0, torch.tensor(pad_classes), PAD_SHARE)
    return probe_loss(loss, mix)


def _overrides_any(strategy: Strategy, *hooks: str) -> bool:
    return any(overrides(part, hook) for part in strategy.parts for hook in hooks)


def _name_loss(loss: Any) -> str:
    if isinstance(loss, partial):
        return _name_loss(loss.func)
    name = getattr(loss, "__name__", type(loss).__name__)
    return "the loss" if name == "<lambda>" else name


def _combine(weights: Tensor | None, prior: Tensor | None) -> Tensor | None:
    """Return the factors of a loss with these class weights that corrects for this prior, `(C,)`; None if it does neither."""
    if weights is None and prior is None:
        return None
    weights = torch.ones(1, dtype=torch.float64) if weights is None else weights
    return weights if prior is None else weights / prior.clamp_min(1e-12)


def _check_length(given: bool, weights: Tensor | None, loss: Any, classes: int) -> None:
    if weights is None or len(weights) == classes:
        return
    if given or isinstance(loss, TORCH_LOSSES):
        raise ValueError(
            f"{'class_weights' if given else 'the weight of the loss'} must be one number for each of the "
            f"{classes} classes; given: {len(weights)}. Name classes that have no labels in class_names."
        )


def _read_weights(loss: Any, classes: int) -> Tensor | None:
    """Return the class weights that a loss keeps; None if what it keeps under such a name is something else."""
    for attribute in WEIGHTS:
        kept = getattr(loss, attribute, None)
        if not isinstance(kept, Tensor | np.ndarray | list | tuple):
            continue
        try:
            vector = _to_class_vector("class_weights", kept)
        except ValueError:
            continue
        if vector is not None and (len(vector) == classes or isinstance(loss, TORCH_LOSSES)):
            return vector
    return None


def _read_ignored(loss: Any, weights: Tensor | None) -> tuple[int, ...]:
    ignored = getattr(loss, "ignore_index", None)
    without_weight = () if weights is None else tuple((weights == 0).nonzero().flatten().tolist())
    return (*([ignored] if isinstance(ignored, int) else []), *without_weight)


def _read_pos_weight(loss: Any, classes: int) -> float | None:
    pos_weight = getattr(loss, "pos_weight", None)
    is_binary = classes == 2 and isinstance(pos_weight, Tensor) and pos_weight.numel() == 1
    return float(pos_weight) if is_binary and pos_weight is not None else None


def _read_prior(loss: Any, classes: int) -> Tensor | None:
    for attribute in (*PRIORS, *LOG_PRIORS):
        kept = getattr(loss, attribute, None)
        if not isinstance(kept, Tensor | np.ndarray | list) or len(kept) != classes:
            continue
        vector = torch.as_tensor(kept).detach().double().cpu()
        vector = vector.exp() if attribute in LOG_PRIORS else vector
        if vector.ndim == 1:
            return vector / vector.sum()
    return None


def _to_class_vector(name: str, given: Tensor | np.ndarray | Sequence[float]) -> Tensor:
    """Return one number per class as float64 `(C,)`, a prior divided by its sum; refuse another shape."""
    try:
        tensor = torch.as_tensor(given)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(
            f"{name} must be one number per class, shape (C,), in the order of the ids; given: {type(given).__name__}"
        ) from None
    vector = tensor.detach().double().cpu()
    vector = vector.squeeze() if vector.numel() > 1 else vector.flatten()
    if vector.ndim != 1:
        raise ValueError(f"{name} must be one number per class, shape (C,); given: shape {tuple(tensor.shape)}")
    return vector / vector.sum() if name == "loss_prior" else vector
