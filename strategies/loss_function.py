"""What all losses share: class weights, and a mean over valid targets, for one run or for a stack of runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from strategies.labels import IGNORED

Reduction = Literal["weighted-mean", "mean"]

_SIMD_FLOATS = 16
"""Floats in the widest vector register. The scalar loop over a tensor's end rounds differently, so targets are padded to it."""

_RENAMED = {"elements": "elementwise(logits, targets, context)", "draws": "is_random"}
"""Names that subclasses of `Loss` defined under earlier versions, and what replaces them."""


@dataclass(frozen=True)
class ClassWeights:
    """A weight per class, and what a weighted loss is divided by.

    Parameters
    ----------
    values : Tensor
        `(C,)`, or `(S, C)` for a stack of S runs.
    reduction : {"weighted-mean", "mean"}, default "weighted-mean"
        "weighted-mean" divides by the sum of the weights of the batch's targets, as PyTorch's `CrossEntropyLoss(weight=...)`
        does, so the scale of the weights cancels. "mean" divides by the number of valid targets, so it does not.
    """

    values: Tensor
    reduction: Reduction = "weighted-mean"


@dataclass(frozen=True)
class LossContext:
    """What some losses read besides logits and targets.

    Parameters
    ----------
    valid : Tensor
        `(S, M)` bool, the targets that are not ignored.
    features : Tensor, optional
        `(S, M, H)`, the inputs of the last layer; given only to strategies with `needs_features`.
    """

    valid: Tensor
    features: Tensor | None = None


class Loss(nn.Module):
    """Base class of all losses: a mean over the valid targets of a batch.

    A subclass overrides `elementwise`, and reads everything that depends on the class counts from buffers of shape `(S, C)`
    (see `as_stack`). Users call `loss(logits, targets)`; the harness calls `per_run` on a stack of S runs that are trained
    together.

    The loss of a run must not depend on the other runs of its stack, not even in its last bit. Use `steep_power` of
    `strategies.loss.focal` instead of `q ** exponent`, `sequential_sum` instead of a sum or mean over items, and `log_softmax`
    or `cross_entropy` of this module: torch rounds some functions differently at the end of a tensor.

    Parameters
    ----------
    class_weights : ClassWeights, optional
        Multiplied into the loss of each target.

    Examples
    --------
    >>> class Squared(Loss):
    ...     def elementwise(self, logits, targets, context):
    ...         return cross_entropy(logits, targets) ** 2
    >>> loss_fn = Squared()
    >>> round(loss_fn(torch.zeros(3, 2), torch.tensor([0, 1, -100])).item(), 4)  # (log 2)^2
    0.4805
    """

    class_weights: Tensor | None
    is_random: ClassVar[bool] = False
    """Whether each call draws random numbers on the host."""
    num_classes: int | None = None
    """Number of classes of the counts that it was built from; None where it was built without any."""
    built_by: str = ""
    """The strategy that built it, with all its hyper-parameters."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Refuse names of earlier versions, which would never be read."""
        super().__init_subclass__(**keywords)
        for old, new in _RENAMED.items():
            if old in vars(cls):
                raise TypeError(f"{cls.__qualname__} defines {old}, which is not used any more; rename it to {new}")

    def __init__(self, class_weights: ClassWeights | None = None) -> None:
        super().__init__()
        self.reduction: Reduction = "mean"
        self.register_buffer("class_weights", None)
        if class_weights is not None:
            self.with_class_weights(class_weights)

    def with_class_weights(self, class_weights: ClassWeights) -> Self:
        """Multiply class weights into those that this loss has, if any, and return the loss itself."""
        values = as_stack(class_weights.values)
        self.class_weights = values if self.class_weights is None else self.class_weights * values
        self.reduction = class_weights.reduction
        return self

    def elementwise(self, logits: Tensor, targets: Tensor, context: LossContext) -> Tensor:
        """Return the loss of each target, before class weights and the mean.

        Parameters
        ----------
        logits : Tensor
            `(S, M, C)` for S runs, M targets each, C classes.
        targets : Tensor
            `(S, M)` int64 class ids. Ignored targets are replaced by class 0; `context.valid` is False there. The values that
            this method returns for them are discarded, but they must not influence those of other targets.
        context : LossContext
            Which targets are valid, and the inputs of the last layer, if asked for.

        Returns
        -------
        Tensor
            `(S, M)`.
        """
        raise TypeError(f"{type(self).__name__} does not define elementwise(logits, targets, context)")

    def ignored_mask(self, targets: Tensor) -> Tensor:
        """Return which of the `targets (S, M)` are left out of the loss."""
        return targets == IGNORED

    def per_run(
        self,
        logits: Tensor,
        targets: Tensor,
        *,
        weight: Tensor | None = None,
        features: Tensor | None = None,
    ) -> Tensor:
        """Return the mean loss of each run of a stack, `(S,)`; 0 for a run without a valid target.

        Parameters
        ----------
        logits : Tensor
            `(S, M, C)`.
        targets : Tensor
            `(S, M)` int64 class ids, or `IGNORED`.
        weight : Tensor, optional
            `(S, M)`, multiplies the loss of each target but not what the sum is divided by; the shares of mixed pairs.
        features : Tensor, optional
            `(S, M, H)`, the inputs of the last layer.
        """
        logits = at_least_32_bits(logits)
        ignored = self.ignored_mask(targets)
        classes = targets.masked_fill(ignored, 0)
        # `where`, not a product: an ignored position's loss may be infinite, and 0 * inf is not 0.
        loss = torch.where(ignored, 0.0, self.elementwise(logits, classes, LossContext(~ignored, features)))
        divisor = (~ignored).to(loss.dtype)
        if self.class_weights is not None:
            target_weights = divisor * self.class_weights.to(loss.dtype).expand(len(classes), -1).gather(1, classes)
            loss = loss * target_weights
            divisor = target_weights if self.reduction == "weighted-mean" else divisor
        if weight is not None:
            loss = loss * weight
        return ratio_of_sums(loss, divisor)

    def forward(self, logits: Tensor, targets: Tensor, *, features: Tensor | None = None) -> Tensor:
        """Return the mean loss over all valid targets, a scalar.

        Parameters
        ----------
        logits : Tensor
            `(..., C)`, classes last.
        targets : Tensor
            `(...)` of an integer type: class ids, or `IGNORED` (-100).
        features : Tensor, optional
            `(..., H)`, the inputs of the last layer, for losses that read them.

        Raises
        ------
        ValueError
            If logits are not one number per class and target, targets are not class ids, or there are other classes than those
            of the counts. On a CUDA device, where reading a target would wait for the device, an id out of range is found by
            PyTorch's own kernels instead.
        """
        self._check_shapes(logits, targets, features)
        if targets.dtype != torch.int64:
            targets = targets.long()
        if targets.device.type == "cpu" and not torch.compiler.is_compiling():
            _check_range(targets, logits.shape[-1])
        if features is not None:
            features = features.reshape(1, -1, features.shape[-1])
        logits, targets = logits.reshape(1, -1, logits.shape[-1]), targets.reshape(1, -1)
        return self.per_run(logits, targets, features=features)[0]

    def extra_repr(self) -> str:
        classes = "" if self.num_classes is None else f"num_classes={self.num_classes}"
        return ", ".join(filter(None, (self.built_by, classes)))

    def _get_name(self) -> str:
        return type(self).__name__.lstrip("_")

    def _check_shapes(self, logits: Tensor, targets: Tensor, features: Tensor | None) -> None:
        """Raise a ValueError that names the fix, unless all that can be known without reading a number is right."""
        for name, given in (("logits", logits), ("targets", targets)):
            if not isinstance(given, Tensor):
                raise ValueError(f"{name} must be a tensor; given: {type(given).__name__}")
        if not logits.is_floating_point():
            raise ValueError(f"logits must be floating-point numbers, one per class; given: {logits.dtype}")
        if logits.ndim == 0 or logits.shape[-1] == 1 or (logits.ndim == 1 and logits.shape == targets.shape):
            raise ValueError(
                f"a binary model needs two logits, one per class; given: logits {tuple(logits.shape)}. End the model with "
                "nn.Linear(features, 2), or call the loss with torch.stack([torch.zeros_like(z), z], -1) for a single logit z "
                "of shape (...)."
            )
        if logits.shape[:-1] != targets.shape:
            raise ValueError(
                f"a loss takes logits (..., C) and targets (...), classes last; given: logits {tuple(logits.shape)}, "
                f"targets {tuple(targets.shape)}. {_shape_fix(logits, targets)}"
            )
        if targets.is_floating_point() or targets.is_complex() or targets.dtype == torch.bool:
            raise ValueError(f"targets are class ids, of an integer type; given: {targets.dtype}. Use targets.long().")
        if self.num_classes not in (None, logits.shape[-1]):
            raise ValueError(
                f"this loss was built from the counts of {self.num_classes} classes; given: logits of {logits.shape[-1]}. "
                "Name all classes: ClassCounts.of(labels, class_names); if you have numbers of labels instead, one per class: "
                "ClassCounts.from_counts(numbers)."
            )
        if features is not None and features.shape[:-1] != targets.shape:
            raise ValueError(
                f"features are the inputs of the last layer, (..., H), one vector per target; given: features "
                f"{tuple(features.shape)}, targets {tuple(targets.shape)}"
            )
        own = next((buffer.device for buffer in self._buffers.values() if buffer is not None), logits.device)
        if not logits.device == targets.device == own:
            raise ValueError(
                f"logits, targets and loss must be on one device; given: logits on {logits.device}, targets on "
                f"{targets.device}, the loss on {own}. Use loss_fn.to(device) and targets.to(device)."
            )


def check_trainable(loss: object, source: str) -> None:
    """Raise a TypeError that says what is missing if a loss cannot be trained with; `source` is what returned it."""
    if isinstance(loss, Loss):
        if type(loss).elementwise is not Loss.elementwise or type(loss).per_run is not Loss.per_run:
            return
        lacks = f"{type(loss).__name__}, which does not define it"
    else:
        lacks = f"{type(loss).__name__}, which does not derive from Loss"
    raise TypeError(
        f"{source}: loss(counts) must return a strategies.Loss that defines elementwise(logits (S, M, C), targets (S, M), "
        f"context) and returns one value per target, (S, M); given: {lacks}"
    )


def _shape_fix(logits: Tensor, targets: Tensor) -> str:
    """Return how to correct two shapes that do not fit."""
    if logits.ndim > 2 and (logits.shape[0], *logits.shape[2:]) == tuple(targets.shape):
        return "Classes are in dimension 1, as nn.CrossEntropyLoss takes them: use logits.movedim(1, -1)."
    if logits.shape == targets.shape:
        return (
            "Targets are class ids, not one number per class: use targets.argmax(-1) if they are one-hot. A model with one "
            "logit per target needs a second."
        )
    if (*logits.shape[:-1], 1) == tuple(targets.shape):
        return "Use targets.squeeze(-1)."
    return "There must be one row of logits per target."


def _check_range(targets: Tensor, classes: int) -> None:
    """Raise a ValueError if a target is neither a class nor ignored."""
    if not targets.numel():
        return
    lowest, highest = (int(bound) for bound in targets.aminmax())
    if highest < classes and (lowest >= 0 or not ((targets < 0) & (targets != IGNORED)).any()):
        return
    void = highest if highest >= classes else int(targets[(targets < 0) & (targets != IGNORED)][0])
    raise ValueError(
        f"targets must be class ids from 0 to {classes - 1}, one for each logit, or {IGNORED} where there is none; given: "
        f"{void}. If {void} marks what is not to be predicted: targets.masked_fill(targets == {void}, {IGNORED})."
    )


def at_least_32_bits(logits: Tensor) -> Tensor:
    """Convert logits of half precision to float32, in which sums over many items keep their digits."""
    return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits


class CrossEntropy(Loss):
    """Softmax cross-entropy."""

    def elementwise(self, logits: Tensor, targets: Tensor, context: LossContext) -> Tensor:
        return cross_entropy(logits, targets)


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return `-log softmax(logits)` at the targets: `logits (S, M, C)`, `targets (S, M)` -> `(S, M)`."""
    return -log_softmax(logits).gather(-1, targets.unsqueeze(-1)).squeeze(-1)


def log_softmax(logits: Tensor) -> Tensor:
    """Return the log softmax over the last dimension of `(..., M, C)`, computed with the classes first.

    For a few classes on a CPU that is an order of magnitude faster than torch's own order, which takes one target after
    another. The M targets are padded to whole vectors, so that the value of one does not depend on how many others there are.
    """
    M = logits.shape[-2]
    classes_first = F.pad(logits, (0, 0, 0, -M % _SIMD_FLOATS)).mT.contiguous()
    return F.log_softmax(classes_first, -2).mT[..., :M, :]


def as_stack(values: Tensor) -> Tensor:
    """Return `(C,)` or `(S, C)` values as `(1, C)` or `(S, C)` of the default float type: how losses keep one number per
    class.
    """
    values = values.to(torch.get_default_dtype())
    return values if values.ndim == 2 else values.unsqueeze(0)


def ratio_of_sums(loss: Tensor, divisor: Tensor) -> Tensor:
    """Return the sum of `loss (S, M)` over M divided by that of `divisor (S, M)`, `(S,)`; 0 where the divisor is 0."""
    total = sequential_sum(divisor)
    return sequential_sum(loss) / torch.where(total > 0, total, 1.0)


def sequential_sum(x: Tensor) -> Tensor:
    """Sum `x (S, M, ...)` over M from left to right, so that trailing zeros (padding) cannot change a bit of the result."""
    return x.cumsum(1)[:, -1] if x.shape[1] else x.sum(1)
