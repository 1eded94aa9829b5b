"""Train on mixed pairs: mixup, and Remix, which gives the label of a pair to its rarer class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from strategies.labels import IGNORED, ClassCounts, Labels
from strategies.notation import NotationError
from strategies.optional_import import optional_import
from strategies.registry import register
from strategies.strategy import Mixed, Strategy


@register
@dataclass(frozen=True)
class Mixup(Strategy):
    """Each item is mixed with a random other one of its batch, inputs and targets in the same shares.

    Zhang et al. (2018), ICLR: `x = lambda x_i + (1 - lambda) x_j`, targets alike, `lambda ~ Beta(alpha, alpha)`. One
    lambda a batch and partners by a random permutation, as in published code; alpha 1 as for CIFAR there (the paper's
    ImageNet takes less). Partners keep the class mix, so it leaves the prior that training sees.

    >>> targets, generator = torch.tensor([[0], [0], [1]]), torch.Generator().manual_seed(0)
    >>> mixed = Mixup().mix(targets, ClassCounts.of([0, 0, 1]), generator=generator)
    >>> mixed.partner.shape, mixed.lambda_x.shape, mixed.lambda_y.shape
    (torch.Size([3]), torch.Size([3]), torch.Size([3, 1]))
    """

    alpha: float = 1.0
    name: ClassVar[str] = "mixup"
    title: ClassVar[str] = "items are mixed with random others of their batch, targets in the same shares"
    formula: ClassVar[str] = "lambda CE(z, y_i) + (1 - lambda) CE(z, y_j), z of lambda x_i + (1 - lambda) x_j"
    paper: ClassVar[str] = "Zhang et al. (2018), ICLR"
    cost: ClassVar[str] = "the loss of every batch is taken twice, against both targets"
    folder: ClassVar[str] = "mix"
    order_matters: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_alpha(self.name, self.alpha)

    def mix(self, targets: Tensor, counts: ClassCounts, *, generator: Generator) -> Mixed:
        return pairs(targets, self.alpha, generator)


@register
@dataclass(frozen=True)
class Remix(Strategy):
    """mixup, but the target of a pair goes to its rarer class, unless the counts are near or the rarer one's share is small.

    Chou et al. (2020), ECCV Workshops: `lambda_y = 0` if `n_i / n_j >= kappa` and `lambda < tau`; 1 if
    `n_i / n_j <= 1 / kappa` and `1 - lambda < tau`; else lambda. Positions are compared one by one; one without a label,
    or whose partner has none, keeps lambda. What prior it teaches depends on the model, so it has none to declare.

    >>> targets, generator = torch.tensor([[0], [1]]), torch.Generator().manual_seed(0)
    >>> mixed = Remix().mix(targets, ClassCounts.of([0] * 9 + [1]), generator=generator)
    >>> mixed.lambda_y.shape
    torch.Size([2, 1])
    """

    alpha: float = 1.0
    kappa: float = 3.0
    tau: float = 0.5
    name: ClassVar[str] = "remix"
    title: ClassVar[str] = "mixup whose targets go to the rarer class of a pair"
    formula: ClassVar[str] = (
        "lambda_y = 0 if n_i / n_j >= kappa and lambda < tau; 1 if the other way round; else lambda"
    )
    paper: ClassVar[str] = "Chou et al. (2020), ECCV Workshops"
    cost: ClassVar[str] = "the loss of every batch is taken twice, against both targets"
    folder: ClassVar[str] = "mix"
    order_matters: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_alpha(self.name, self.alpha)
        if not self.kappa > 1:
            raise NotationError(f"remix: kappa, a ratio of counts, must be more than 1; given: {self.kappa}")
        if not 0 <= self.tau <= 1:
            raise NotationError(f"remix: tau, a share of a pair, must be from 0 to 1; given: {self.tau}")

    def mix(self, targets: Tensor, counts: ClassCounts, *, generator: Generator) -> Mixed:
        mixed = pairs(targets, self.alpha, generator)
        theirs = targets[mixed.partner]
        count = counts.at_least_one().to(targets.device)
        own, others = count[targets.clamp_min(0)], count[theirs.clamp_min(0)]
        share = mixed.lambda_y
        labelled = (targets != IGNORED) & (theirs != IGNORED)
        to_partner = labelled & (own >= self.kappa * others) & (share < self.tau)
        to_itself = labelled & (others >= self.kappa * own) & (1 - share < self.tau)
        return Mixed(mixed.partner, mixed.lambda_x, share.masked_fill(to_partner, 0.0).masked_fill(to_itself, 1.0))

    def effective_prior(self, labels: Labels, counts: ClassCounts) -> None:
        return None


def pairs(targets: Tensor, alpha: float, generator: Generator) -> Mixed:
    """Random partners and one lambda for the batch; what it draws depends on the number of items alone."""
    items, device = len(targets), targets.device
    partner = torch.randperm(items, generator=generator, device=generator.device).to(device)
    lambda_x = torch.full((items,), beta(alpha, generator), device=device)
    return Mixed(partner, lambda_x, lambda_x.unsqueeze(1).expand(targets.shape))


def beta(alpha: float, generator: Generator) -> float:
    """A number of Beta(alpha, alpha), from one uniform number by the inverse of the distribution function."""
    with optional_import("mixup"):
        from scipy.special import betaincinv

    uniform = torch.rand((), generator=generator, dtype=torch.float64, device=generator.device)
    return float(betaincinv(alpha, alpha, uniform.item()))


def check_alpha(name: str, alpha: float) -> None:
    """Refuses what Beta(alpha, alpha) is not defined for."""
    if not alpha > 0:
        raise NotationError(f"{name}: alpha must be more than 0; given: {alpha}")
