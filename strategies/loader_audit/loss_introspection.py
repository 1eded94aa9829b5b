"""Find out, from a loss itself, what it does about the class imbalance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from strategies.labels import ClassCounts
from strategies.strategy import Strategy

PRIORS = ("prior", "class_prior", "priors", "class_counts", "cls_num_list")
"""Attributes under which a loss may keep the class prior that it corrects for."""
LOG_PRIORS = ("log_prior", "log_class_prior", "log_priors")
"""The same, as logarithms."""


@dataclass(frozen=True)
class LossFacts:
    """What a loss does about the classes; None where it does nothing."""

    name: str = "the loss"
    weights: Tensor | None = None
    """Weight of each class, `(C,)`."""
    prior: Tensor | None = None
    """The class prior that the loss corrects for, `(C,)`."""
    ignored_class: int | None = None
    """The class id that the loss ignores."""
    pos_weight: float | None = None
    """The weight of the positive class in a binary loss on one logit."""

    @property
    def correction_factors(self) -> Tensor | None:
        """How much more a label of each class counts than with plain cross-entropy, `(C,)`, up to scale."""
        if self.weights is None and self.prior is None:
            return None
        weights = torch.ones(1, dtype=torch.float64) if self.weights is None else self.weights
        return weights if self.prior is None else weights / self.prior.clamp_min(1e-12)


def inspect_loss(loss: Any, class_weights: Any, loss_prior: Any, counts: ClassCounts) -> LossFacts:
    """Return what is known about a loss.

    Parameters
    ----------
    loss
        `nn.CrossEntropyLoss`, a loss or strategy of this package, or any module that keeps its weights or prior as an
        attribute; None for plain training.
    class_weights
        Weight of each class, `(C,)`, instead of those of the loss.
    loss_prior
        Class prior that the loss corrects for, `(C,)`, instead of that of the loss.
    counts
        Labels of each class in the data set.

    Raises
    ------
    ValueError
        If weights or prior are not one number for each of the C classes.

    Examples
    --------
    >>> inspect_loss(torch.nn.CrossEntropyLoss(ignore_index=2), None, None, ClassCounts.of([0, 1, 2])).ignored_class
    2
    """
    name = type(loss).__name__
    if isinstance(loss, Strategy):
        loss = loss.loss(counts)
    raw_weights = class_weights if class_weights is not None else getattr(loss, "weight", None)
    raw_weights = raw_weights if raw_weights is not None else getattr(loss, "class_weights", None)
    weights = _to_class_vector("class_weights", raw_weights)
    pos_weight = _read_pos_weight(loss, counts.num_classes)
    if pos_weight is not None and class_weights is None:
        weights = torch.tensor([1.0, pos_weight], dtype=torch.float64)
    _check_length(class_weights is not None, weights, loss, counts)
    prior = _to_class_vector("loss_prior", loss_prior if loss_prior is not None else _read_prior(loss))
    if prior is not None and len(prior) != counts.num_classes:
        raise ValueError(
            f"loss_prior must be one number for each of the {counts.num_classes} classes; given: {len(prior)} numbers"
        )
    ignored = getattr(loss, "ignore_index", None)
    majority = getattr(loss, "majority", None)
    if ignored is None and isinstance(majority, Tensor) and majority.numel() == 1:
        ignored = int(majority)  # the loss of the strategy `ignore-index`
    return LossFacts("class_weights" if loss is None else name, weights, prior, ignored, pos_weight)


def _check_length(given: bool, weights: Tensor | None, loss: Any, counts: ClassCounts) -> None:
    if weights is None or len(weights) == counts.num_classes:
        return
    if given or isinstance(loss, nn.CrossEntropyLoss | nn.NLLLoss):
        raise ValueError(
            f"{'class_weights' if given else 'the weight of the loss'} must be one number for each of the "
            f"{counts.num_classes} classes; given: {len(weights)}. Name classes that have no labels in class_names."
        )


def _read_pos_weight(loss: Any, classes: int) -> float | None:
    pos_weight = getattr(loss, "pos_weight", None)
    is_binary = classes == 2 and isinstance(pos_weight, Tensor) and pos_weight.numel() == 1
    return float(pos_weight) if is_binary and pos_weight is not None else None


def _read_prior(loss: Any) -> Any:
    for attribute in PRIORS:
        if isinstance(getattr(loss, attribute, None), Tensor | np.ndarray | list):
            return getattr(loss, attribute)
    for attribute in LOG_PRIORS:
        if isinstance(getattr(loss, attribute, None), Tensor):
            return getattr(loss, attribute).exp()
    return None


def _to_class_vector(name: str, given: Tensor | np.ndarray | Sequence[float] | None) -> Tensor | None:
    """Return one number per class as float64 `(C,)`, a prior divided by its sum; refuse another shape."""
    if given is None:
        return None
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
