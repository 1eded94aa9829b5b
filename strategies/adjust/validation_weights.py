"""Weights of validation labels, where the data to predict have another class mix than validation."""

from __future__ import annotations

import torch
from torch import Tensor


def weigh_to_prior(targets: Tensor, prior: Tensor) -> Tensor:
    """Return a weight per label, `(L,)` float64 with mean 1: `prior_c / share_c`, so that classes weigh as in `prior (C,)`.

    Classes without a label cannot be weighted; the others keep their proportions. A ValueError if the prior is not one of the
    classes of `targets (L,)`.

    >>> weigh_to_prior(torch.tensor([0, 0, 0, 1]), torch.tensor([0.5, 0.5])).tolist()
    [0.666..., 0.666..., 0.666..., 2.0]
    """
    prior = prior.double()
    if prior.dim() != 1 or not bool((prior.isfinite() & (prior >= 0)).all()) or not float(prior.sum()) > 0:
        raise ValueError(f"a target prior has one share per class, not negative, not all 0; given: {prior.tolist()}")
    if not len(targets):
        return torch.ones(0, dtype=torch.float64)
    if int(targets.max()) >= len(prior):
        raise ValueError(f"a target prior has one share per class, also for class {targets.max()}; given: {len(prior)}")
    counts = torch.bincount(targets, minlength=len(prior))
    by_class = prior / counts.clamp_min(1)
    total = float((by_class * counts).sum())
    by_class = by_class * (len(targets) / total) if total > 0 else by_class
    same = (by_class - 1).abs() < 1e-6  # so that rounding moves no cut where the mix is that of the prior
    return torch.where(same, 1.0, by_class)[targets]


def effective_labels(targets: Tensor, weights: Tensor, classes: int) -> Tensor:
    """Return how many equally weighted labels of each class `(C,)` carry as much information: Kish's `(sum w)^2 / sum w^2`.

    A class that is weighted up as a whole has no more labels for it: one label that counts fifty times is still one.

    >>> effective_labels(torch.tensor([0, 0, 1]), torch.tensor([1.0, 1.0, 50.0]), 3).tolist()
    [2.0, 1.0, 0.0]
    """
    if not len(targets):
        return torch.zeros(classes, dtype=torch.float64)
    scaled = weights.double() / weights.max()
    total, squares = (torch.bincount(targets, w, minlength=classes) for w in (scaled, scaled**2))
    return total**2 / squares.clamp_min(torch.finfo(torch.float64).tiny)
