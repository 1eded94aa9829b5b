"""What every loss shares: elements, weights, and a mean over valid targets, for one training or for a stack of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from strategies.labels import IGNORED

Reduction = Literal["weighted-mean", "mean"]

_SIMD_FLOATS = 16
"""Floats that the widest processors take at once: what is left over at the end is computed, and rounded, otherwise."""


@dataclass(frozen=True)
class ClassWeights:
    """A weight a class, `values (C,)` or `(S, C)`, and what the weighted elements are divided by.

    "weighted-mean" divides by the weights of the batch's targets, as PyTorch's `CrossEntropyLoss(weight=...)` does, so the
    scale of the weights cancels; "mean" divides by the number of valid targets, so it does not.
    """

    values: Tensor
    reduction: Reduction = "weighted-mean"


@dataclass(frozen=True)
class LossContext:
    """What some losses read beside logits and targets: which targets count, `valid (S, M)`; what the last layer read,
    `features (S, M, H)`."""

    valid: Tensor
    features: Tensor | None = None


class Loss(nn.Module):
    """A loss written once: `elements` for a stack, from which come `rows` for the trainer and `forward` for everybody else."""

    class_weights: Tensor | None
    is_random: ClassVar[bool] = False
    """Whether it draws numbers, on the host, each time that it is taken."""

    def __init__(self, class_weights: ClassWeights | None = None) -> None:
        super().__init__()
        self.reduction: Reduction = "mean"
        self.register_buffer("class_weights", None)
        if class_weights is not None:
            self.with_class_weights(class_weights)

    def with_class_weights(self, more: ClassWeights) -> Self:
        """This loss with class weights, multiplied into those that it has."""
        values = as_stack(more.values)
        self.class_weights = values if self.class_weights is None else self.class_weights * values
        self.reduction = more.reduction
        return self

    def elementwise(self, logits: Tensor, targets: Tensor, context: LossContext) -> Tensor:
        """Loss of each valid target: `logits (S, M, C)`, `targets (S, M)` with a class id everywhere -> `(S, M)`.

        What it gives where `context.valid` is False does not count, but must not reach the others.
        """
        raise TypeError(f"{type(self).__name__} does not define elements(logits, targets, context)")

    def ignored(self, targets: Tensor) -> Tensor:
        """Which `targets (S, M)` take no part."""
        return targets == IGNORED

    def per_run(
        self,
        logits: Tensor,
        targets: Tensor,
        *,
        weight: Tensor | None = None,
        features: Tensor | None = None,
    ) -> Tensor:
        """Mean loss of each training of a stack: `logits (S, M, C)`, `targets (S, M)` -> `(S,)`; 0 where no target is valid.

        `weight (S, M)` multiplies the elements and leaves what they are divided by, as the shares of a mixed pair must.
        """
        logits = at_least_32_bits(logits)
        ignored = self.ignored(targets)
        classes = targets.masked_fill(ignored, 0)
        # `where`, not a product: an ignored position's loss may be infinite, and 0 * inf is not 0.
        loss = torch.where(ignored, 0.0, self.elementwise(logits, classes, LossContext(~ignored, features)))
        divisor = (~ignored).to(loss.dtype)
        if self.class_weights is not None:
            of_target = divisor * self.class_weights.to(loss.dtype).expand(len(classes), -1).gather(1, classes)
            loss = loss * of_target
            divisor = of_target if self.reduction == "weighted-mean" else divisor
        if weight is not None:
            loss = loss * weight
        return ratio_of_sums(loss, divisor)

    def forward(self, logits: Tensor, targets: Tensor, *, features: Tensor | None = None) -> Tensor:
        """Mean loss over valid targets: `logits (..., C)`, `targets (...)` -> scalar.

        `features (..., H)`, what the last layer read, is for losses that say so.
        """
        if logits.shape[:-1] != targets.shape:
            raise ValueError(
                f"a loss takes logits (..., C) and targets (...), classes last; given: logits {tuple(logits.shape)}, "
                f"targets {tuple(targets.shape)}. Logits (N, C, L) must be transposed to (N, L, C)."
            )
        if targets.is_floating_point():
            raise ValueError(f"targets are class ids, of an integer type; given: {targets.dtype}")
        made_for = {each.shape[1] for each in self.buffers() if each.ndim == 2 and each.shape[1] > 1}
        if made_for - {logits.shape[-1]}:
            raise ValueError(
                f"this loss was made from the counts of {min(made_for)} classes; given: logits of {logits.shape[-1]}. "
                "Name all classes: ClassCounts.of(labels, class_names)."
            )
        if features is not None:
            features = features.reshape(1, -1, features.shape[-1])
        logits, targets = logits.reshape(1, -1, logits.shape[-1]), targets.reshape(1, -1)
        return self.per_run(logits, targets, features=features)[0]


def at_least_32_bits(logits: Tensor) -> Tensor:
    """Logits of half precision in float32: sums of many would lose what tells them apart."""
    return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits


class CrossEntropy(Loss):
    """Softmax cross-entropy."""

    def elementwise(self, logits: Tensor, targets: Tensor, context: LossContext) -> Tensor:
        return cross_entropy(logits, targets)


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """`-log softmax(logits)` at the targets: `(S, M, C)`, `(S, M)` -> `(S, M)`."""
    return -log_softmax(logits).gather(-1, targets.unsqueeze(-1)).squeeze(-1)


def log_softmax(logits: Tensor) -> Tensor:
    """Over the last dimension of `(..., M, C)`, laid out with the classes first.

    For a few classes on a CPU that is an order of magnitude faster than torch's own way, one target after another. The
    targets are filled up to whole vectors, so that no target's value depends on how many others there are.
    """
    M = logits.shape[-2]
    classes_first = F.pad(logits, (0, 0, 0, -M % _SIMD_FLOATS)).mT.contiguous()
    return F.log_softmax(classes_first, -2).mT[..., :M, :]


def as_stack(values: Tensor) -> Tensor:
    """`(C,)` or `(S, C)` in any type -> `(1, C)` or `(S, C)` in the default float type: how losses keep a number a class."""
    values = values.to(torch.get_default_dtype())
    return values if values.ndim == 2 else values.unsqueeze(0)


def ratio_of_sums(loss: Tensor, divisor: Tensor) -> Tensor:
    """`loss (S, M)` summed over `divisor (S, M)` summed, `(S,)`; 0 where that is 0."""
    total = sequential_sum(divisor)
    return sequential_sum(loss) / torch.where(total > 0, total, 1.0)


def sequential_sum(x: Tensor) -> Tensor:
    """Sums `x (S, M)` over M from left to right, so that trailing zeros (padding) cannot change a bit of the result."""
    return x.cumsum(1)[:, -1] if x.shape[1] else x.sum(1)
