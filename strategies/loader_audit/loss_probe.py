"""Measure by what factor a loss lets each class count, from its gradients: for losses whose code cannot be read."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from strategies.loader_audit.preserved_state import preserve_state

TARGETS = 2_048
"""Targets of the batch that a loss is given, about."""
TARGETS_OF_A_CLASS = 4
"""The fewest of a class."""
JITTER = 1e-3
"""Standard deviation of the logits around 0: losses that choose the hardest items have no ties."""
NO_GRADIENT = 1e-6
"""A class is ignored if its gradients are this much smaller than the largest."""

Call = Callable[[Any, Tensor, Tensor], Any]
"""Calls a loss with logits `(M, C)` and targets `(M,)`, in the shapes that it takes."""


@dataclass(frozen=True)
class ProbedLoss:
    """What the gradients of a loss say.

    Parameters
    ----------
    factors
        How much more a target of each class counts than with plain cross-entropy, `(C,)`, up to scale; 0 for a class that is
        ignored or has no targets.
    ignored_classes
        The classes whose targets have no gradient.
    """

    factors: Tensor
    ignored_classes: tuple[int, ...]


class UnreadableLossError(Exception):
    """A loss cannot be measured; its text says why."""


def probe_loss(loss: Callable[..., Any], mix: Tensor) -> ProbedLoss:
    """Measure by what factor a loss lets each class count.

    At equal logits a model prefers no class. If the class mix is such that the mean gradient is 0 there, training stays there:
    this neutral mix is balanced for plain cross-entropy, and the prior for a loss that corrects for a prior. The factors are
    its inverse. It is found from the gradients for the targets of each class, in one batch that has the class mix `mix (C,)`,
    because some losses depend on the whole batch. The scale of loss and logits cancels.

    Raises
    ------
    UnreadableLossError
        If no usual shape of logits and targets gives a loss with gradients, or no class mix is neutral.

    Examples
    --------
    >>> probe_loss(nn.CrossEntropyLoss(weight=torch.tensor([1.0, 4.0])), torch.tensor([0.5, 0.5])).factors.round(decimals=2)
    tensor([0.2000, 0.8000], dtype=torch.float64)
    """
    present = (mix > 0).nonzero().squeeze(1)
    if len(present) < 2:
        raise UnreadableLossError("there are labels of one class only")
    numbers = (mix[present].double() * TARGETS).round().long().clamp_min(TARGETS_OF_A_CLASS)
    generator = torch.Generator().manual_seed(0)
    targets = torch.repeat_interleave(present, numbers)
    targets = targets[torch.randperm(len(targets), generator=generator)]
    jitter = JITTER * torch.randn(len(targets), len(mix), generator=generator)
    gradients = _find_gradients(loss, jitter, targets)
    summed = torch.zeros(len(mix), len(mix)).index_add_(0, targets, gradients)
    by_class = summed[present][:, present].double() / numbers.unsqueeze(1)
    sizes = by_class.abs().amax(1)
    counted = sizes > NO_GRADIENT * sizes.max()
    factors = torch.zeros(len(mix), dtype=torch.float64)
    factors[present[counted]] = 1 / _neutral_mix(by_class[counted][:, counted])
    return ProbedLoss(factors / factors.sum(), tuple(present[~counted].tolist()))


def _neutral_mix(gradients: Tensor) -> Tensor:
    """Return the shares q `(K,)` of K classes for which the mean of their gradients `(K, K)` is the same for every logit.

    A gradient that is the same for every logit moves them together, which changes no preference.
    """
    classes = len(gradients)
    if classes < 2:
        raise UnreadableLossError("it has gradients for one class only")
    scaled = gradients / gradients.abs().max()
    system = torch.zeros(classes + 1, classes + 1, dtype=torch.float64)
    system[:classes, :classes], system[:classes, -1], system[-1, :classes] = scaled.T, -1.0, 1.0
    total = torch.zeros(classes + 1, dtype=torch.float64)
    total[-1] = 1.0
    try:
        shares: Tensor = torch.linalg.solve(system, total)[:classes]
    except RuntimeError:  # singular
        shares = torch.full((classes,), torch.nan)
    if not bool((shares > 0).all()) or not bool(shares.isfinite().all()):
        raise UnreadableLossError("there is no class mix at which it prefers no class")
    return shares


def _find_gradients(loss: Callable[..., Any], logits: Tensor, targets: Tensor) -> Tensor:
    """Return the gradients of a loss at `logits (M, C)`, `(M, C)`, called in the first way in which it has any."""
    device = next((tensor.device for tensor in _tensors_of(loss)), torch.device("cpu"))
    logits, targets = logits.to(device), targets.to(device)
    problems = []
    for call in _CALLS if logits.shape[1] != 2 else (_CALLS[0], *_BINARY_CALLS, *_CALLS[1:]):
        for inputs in _INPUTS:
            try:
                with preserve_state([loss]):
                    own = copy.deepcopy(loss) if isinstance(loss, nn.Module) else loss
                    if not bool(_value(call(own, inputs(1e3 * logits), targets)).isfinite().all()):
                        continue  # it takes probabilities, say, and these are logits
                    leaf = logits.clone().requires_grad_()
                    (gradients,) = torch.autograd.grad(_value(call(own, inputs(leaf), targets)).mean(), leaf)
            except Exception as error:  # whatever a loss raises if it is called in a way that it is not made for
                problems.append(f"{type(error).__name__}: {error}".splitlines()[0])
                continue
            if bool(gradients.isfinite().all()) and float(gradients.abs().max()) > 0:
                return gradients.cpu()
    raise UnreadableLossError(problems[0] if problems else "it has no finite gradients")


def _value(returned: Any) -> Tensor:
    """Return the loss of what a loss function returns: itself, the first of a tuple, or the entry "loss" of a dictionary."""
    if isinstance(returned, Mapping):
        returned = returned["loss"]
    return torch.as_tensor(returned[0] if isinstance(returned, tuple) else returned)


def _tensors_of(loss: Any) -> list[Tensor]:
    return [*loss.parameters(), *loss.buffers()] if isinstance(loss, nn.Module) else []


def _log_probabilities(logits: Tensor) -> Tensor:
    """They are logits too, and the only ones that `NLLLoss` takes."""
    return logits.log_softmax(1)


def _probabilities(logits: Tensor) -> Tensor:
    return logits.softmax(1)


def _of_positive(inputs: Tensor) -> Tensor:
    """Return one logit or probability `(M,)` of two."""
    return inputs[:, 1] if bool((inputs >= 0).all()) else inputs[:, 1] - inputs[:, 0]


def _one_hot(inputs: Tensor, targets: Tensor) -> Tensor:
    return F.one_hot(targets, inputs.shape[1]).to(inputs.dtype)


_INPUTS: tuple[Callable[[Tensor], Tensor], ...] = (_log_probabilities, _probabilities)
"""What a loss may take."""
_CALLS: tuple[Call, ...] = (
    lambda loss, inputs, targets: loss(inputs, targets),
    lambda loss, inputs, targets: loss(inputs, _one_hot(inputs, targets)),
    lambda loss, inputs, targets: loss(
        inputs, targets, features=torch.ones_like(inputs[:, :1])
    ),  # as losses of this package
    lambda loss, inputs, targets: loss(inputs.T[None, :, :, None], targets[None, :, None]),  # pictures (N, C, H, W)
)
_BINARY_CALLS: tuple[Call, ...] = (
    lambda loss, inputs, targets: loss(_of_positive(inputs), targets.to(inputs.dtype)),
    lambda loss, inputs, targets: loss(_of_positive(inputs)[:, None], targets[:, None].to(inputs.dtype)),
)
