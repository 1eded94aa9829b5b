"""The last layer, where it is not part of the model's own forward pass: linear or cosine, on features `(S, ..., H)`."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from bench.models.layers import linear
from bench.models.model import Params


def linear_head(features: Tensor, params: Params) -> Tensor:
    """Return the logits `(S, ..., O)` of features `(S, B, H)`, or `(S, T, B, H)` for sentences."""
    return _by_time(lambda x: linear(x, params["head.weight"], params["head.bias"]), features)


def cosine_head(features: Tensor, params: Params, scale: Tensor) -> Tensor:
    """Return `scale (S,)` times the cosine of features and weights; the bias is not used."""
    weight = F.normalize(params["head.weight"], dim=-1) * scale.view(-1, 1, 1)
    no_bias = torch.zeros_like(params["head.bias"])
    return _by_time(lambda x: linear(F.normalize(x, dim=-1), weight, no_bias), features)


def _by_time(head: Callable[[Tensor], Tensor], features: Tensor) -> Tensor:
    """Apply the head to one time step after the other: no product's shape may depend on a neighbour's sentence length."""
    if features.ndim == 3:
        return head(features)
    return torch.stack([head(step) for step in features.unbind(1)], 1)
