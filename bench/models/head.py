"""The last layer, where it is not a part of the model's own forward: linear or cosine, on features `(S, ..., H)`."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from bench.models.layers import linear
from bench.models.model import Params


def linear_head(features: Tensor, params: Params) -> Tensor:
    """Logits `(S, ..., O)` of features `(S, B, H)`, or `(S, T, B, H)` for sentences."""
    return _by_time(lambda x: linear(x, params["head.weight"], params["head.bias"]), features)


def cosine_head(features: Tensor, params: Params, scale: Tensor) -> Tensor:
    """`scale (S,)` times the cosine of features and weights; the bias takes no part."""
    weight = F.normalize(params["head.weight"], dim=-1) * scale.view(-1, 1, 1)
    nothing = torch.zeros_like(params["head.bias"])
    return _by_time(lambda x: linear(F.normalize(x, dim=-1), weight, nothing), features)


def _by_time(head: Callable[[Tensor], Tensor], features: Tensor) -> Tensor:
    """A sentence's steps one by one: the shape of a product must not know how long a neighbour's sentences are."""
    if features.ndim == 3:
        return head(features)
    return torch.stack([head(step) for step in features.unbind(1)], 1)
