"""What every loss shares: elements, weights, and a mean over valid targets, for one training or for a stack of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from strategies.labels import IGNORED

Reduction = Literal["weighted-mean", "mean"]


@dataclass(frozen=True)
class ClassWeights:
    """A weight a class, `values (C,)` or `(S, C)`, and what the weighted elements are divided by.

    "weighted-mean" divides by the weights of the batch's targets, as PyTorch's `CrossEntropyLoss(weight=...)` does, so the
    scale of the weights cancels; "mean" divides by the number of valid targets, so it does not.
    """

    values: Tensor
    reduction: Reduction = "weighted-mean"


class Loss(nn.Module):
    """A loss written once: `elements` for a stack, from which come `rows` for the trainer and `forward` for everybody else."""

    class_weights: Tensor | None

    def __init__(self, class_weights: ClassWeights | None = None) -> None:
        super().__init__()
        self.reduction: Reduction = class_weights.reduction if class_weights else "mean"
        values = None if class_weights is None else class_weights.values.to(torch.get_default_dtype())
        self.register_buffer("class_weights", values if values is None or values.ndim == 2 else values.unsqueeze(0))

    def elements(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Loss of each valid target: `logits (S, M, C)`, `targets (S, M)` with a class id everywhere -> `(S, M)`."""
        raise TypeError(f"{type(self).__name__} does not define elements(logits, targets)")

    def ignored(self, targets: Tensor) -> Tensor:
        """Which `targets (S, M)` take no part."""
        return targets == IGNORED

    def rows(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Mean loss of each training of a stack: `logits (S, M, C)`, `targets (S, M)` -> `(S,)`; 0 where no target is valid."""
        ignored = self.ignored(targets)
        classes = targets.masked_fill(ignored, 0)
        # `where`, not a product: an ignored position's loss may be infinite, and 0 * inf is not 0.
        loss = torch.where(ignored, 0.0, self.elements(logits, classes))
        weight = (~ignored).to(loss.dtype)
        divisor = weight
        if self.class_weights is not None:
            weight = weight * self.class_weights.to(loss.dtype).expand(len(classes), -1).gather(1, classes)
            loss = loss * weight
            divisor = weight if self.reduction == "weighted-mean" else divisor
        total = row_sum(divisor)
        return row_sum(loss) / torch.where(total > 0, total, 1.0)

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Mean loss over valid targets: `logits (..., C)`, `targets (...)` -> scalar."""
        if logits.shape[:-1] != targets.shape:
            raise ValueError(
                f"a loss takes logits (..., C) and targets (...), classes last; given: logits {tuple(logits.shape)}, "
                f"targets {tuple(targets.shape)}. Logits (N, C, L) must be transposed to (N, L, C)."
            )
        return self.rows(logits.reshape(1, -1, logits.shape[-1]), targets.reshape(1, -1))[0]


class CrossEntropy(Loss):
    """Softmax cross-entropy."""

    def elements(self, logits: Tensor, targets: Tensor) -> Tensor:
        return -F.log_softmax(logits, -1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)


def row_sum(x: Tensor) -> Tensor:
    """Sums `x (S, M)` over M from left to right, so that trailing zeros (padding) cannot change a bit of the result."""
    return x.cumsum(1)[:, -1] if x.shape[1] else x.sum(1)
