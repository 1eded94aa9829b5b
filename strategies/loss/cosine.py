"""A last layer without bias whose logits are scaled cosines."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn


def cosine_logits(features: Tensor, weight: Tensor, scale: float | Tensor) -> Tensor:
    """Return `scale * cos(features, weight)`: `features (..., M, H)`, `weight (..., C, H)` -> `(..., M, C)`; 0 for a zero
    feature.

    `scale` is a number, or a tensor that broadcasts to the logits, such as one per class or one per run of a stack.

    >>> cosine_logits(torch.tensor([[3.0, 0.0]]), torch.tensor([[2.0, 0.0], [0.0, 5.0]]), scale=30.0).tolist()
    [[30.0, 0.0]]
    """
    return F.normalize(features, dim=-1) @ F.normalize(weight, dim=-1).mT * scale


class CosineHead(nn.Module):
    """A last layer without bias that returns `scale * cos(features, weight)`, for losses with margins such as LDAM.

    The weights start uniform in [-1, 1], scaled to length 1 per class.

    Parameters
    ----------
    in_features : int
        Features per item, H.
    classes : int
        Number of classes, C.
    scale : float, default 30.0
        Multiplies the cosines.
    generator : torch.Generator, optional
        Draws the first weights. Without it a generator seeded with 0 does, so two such heads are equal.

    Examples
    --------
    >>> head = CosineHead(64, 10, generator=torch.Generator().manual_seed(1))
    >>> logits = head(torch.ones(4, 64))
    >>> logits.shape, bool((logits.abs() <= 30).all())
    (torch.Size([4, 10]), True)
    """

    def __init__(self, in_features: int, classes: int, scale: float = 30.0, generator: Generator | None = None) -> None:
        super().__init__()
        generator = Generator().manual_seed(0) if generator is None else generator
        uniform = torch.empty(classes, in_features).uniform_(-1, 1, generator=generator)
        self.weight = nn.Parameter(F.normalize(uniform, dim=-1))
        self.scale = scale

    def forward(self, features: Tensor) -> Tensor:
        return cosine_logits(features, self.weight, self.scale)
