"""What a loss does about the classes, read from the loss itself."""

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
LOG_PRIORS = ("log_prior", "log_class_prior", "log_priors")


@dataclass(frozen=True)
class LossFacts:
    """`weights (C,)` of the classes, the `prior (C,)` that the loss corrects for, the class that it ignores: None where not."""

    name: str = "the loss"
    weights: Tensor | None = None
    prior: Tensor | None = None
    ignored: int | None = None
    pos_weight: float | None = None
    """Of a binary loss on one logit."""

    @property
    def factors(self) -> Tensor | None:
        """How much more a label of each class counts than with plain cross-entropy (C,), up to scale."""
        if self.weights is None and self.prior is None:
            return None
        weights = torch.ones(1, dtype=torch.float64) if self.weights is None else self.weights
        return weights if self.prior is None else weights / self.prior.clamp_min(1e-12)


def inspect_loss(loss: Any, class_weights: Any, loss_prior: Any, counts: ClassCounts) -> LossFacts:
    """Reads `nn.CrossEntropyLoss`, a loss or strategy of this package, any module that keeps its prior; None is plain training.

    >>> loss_seen(torch.nn.CrossEntropyLoss(ignore_index=2), None, None, ClassCounts.of([0, 1, 2])).ignored
    2
    """
    name = type(loss).__name__
    if isinstance(loss, Strategy):
        loss = loss.loss(counts)
    found = class_weights if class_weights is not None else getattr(loss, "weight", None)
    weights = _vector("class_weights", found if found is not None else getattr(loss, "class_weights", None))
    pos_weight = _pos_weight(loss, counts.num_classes)
    if pos_weight is not None and class_weights is None:
        weights = torch.tensor([1.0, pos_weight], dtype=torch.float64)
    _check_length(class_weights is not None, weights, loss, counts)
    prior = _vector("loss_prior", loss_prior if loss_prior is not None else _kept_prior(loss))
    if prior is not None and len(prior) != counts.num_classes:
        raise ValueError(
            f"loss_prior must be one number for each of the {counts.num_classes} classes; given: {len(prior)} numbers"
        )
    ignored = getattr(loss, "ignore_index", None)
    majority = getattr(loss, "majority", None)
    if ignored is None and isinstance(majority, Tensor) and majority.numel() == 1:
        ignored = int(majority)
    return LossFacts("class_weights" if loss is None else name, weights, prior, ignored, pos_weight)


def _check_length(given: bool, weights: Tensor | None, loss: Any, counts: ClassCounts) -> None:
    if weights is None or len(weights) == counts.num_classes:
        return
    if given or isinstance(loss, nn.CrossEntropyLoss | nn.NLLLoss):
        raise ValueError(
            f"{'class_weights' if given else 'the weight of the loss'} must be one number for each of the "
            f"{counts.num_classes} classes; given: {len(weights)}. Name classes that have no labels in class_names."
        )


def _pos_weight(loss: Any, classes: int) -> float | None:
    found = getattr(loss, "pos_weight", None)
    return float(found) if classes == 2 and isinstance(found, Tensor) and found.numel() == 1 else None


def _kept_prior(loss: Any) -> Any:
    for name in PRIORS:
        if isinstance(getattr(loss, name, None), Tensor | np.ndarray | list):
            return getattr(loss, name)
    for name in LOG_PRIORS:
        if isinstance(getattr(loss, name, None), Tensor):
            return getattr(loss, name).exp()
    return None


def _vector(name: str, given: Tensor | np.ndarray | Sequence[float] | None) -> Tensor | None:
    if given is None:
        return None
    try:
        whole = torch.as_tensor(given)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(
            f"{name} must be one number a class, shape (C,), in the order of the ids; given: {type(given).__name__}"
        ) from None
    vector = whole.detach().double().cpu()
    vector = vector.squeeze() if vector.numel() > 1 else vector.flatten()
    if vector.ndim != 1:
        raise ValueError(f"{name} must be one number a class, shape (C,); given: shape {tuple(whole.shape)}")
    return vector / vector.sum() if name == "loss_prior" else vector
