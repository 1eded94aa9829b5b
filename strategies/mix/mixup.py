"""Train on mixed pairs of items: mixup, and Remix, which gives the label of a pair to its rarer class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from strategies.labels import IGNORED, ClassCounts, Labels
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Mixed, Strategy


@register
@dataclass(frozen=True)
class Mixup(Strategy):
    """Mix each item with a random other one of its batch, inputs and targets in the same shares.

    `x = lambda x_i + (1 - lambda) x_j`, and the same for targets, with `lambda ~ Beta(alpha, alpha)`. As in published code,
    there is one lambda per batch, and partners come from a random permutation, which keeps the class mix: the class prior is
    not changed.

    Parameters
    ----------
    alpha : float, default 1.0
        Of the Beta distribution, above 0; 1 as for CIFAR in the paper, which takes less for ImageNet.

    References
    ----------
    Zhang et al. (2018), "mixup: Beyond empirical risk minimization", ICLR.

    Examples
    --------
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
    cost: ClassVar[str] = "the loss of every batch is computed twice, against both targets"
    folder: ClassVar[str] = "mix"
    order_matters: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_alpha(self.name, self.alpha)

    def mix(self, targets: Tensor, counts: ClassCounts, *, generator: Generator) -> Mixed:
        return random_pairs(targets, self.alpha, generator)


@register
@dataclass(frozen=True)
class Remix(Strategy):
    """Mixup, but the target of a pair goes to its rarer class, unless the counts are close or the share of the rarer one is
    small.

    `lambda_y = 0` if `n_i / n_j >= kappa` and `lambda < tau`; 1 if `n_i / n_j <= 1 / kappa` and `1 - lambda < tau`; else
    lambda. Positions are compared one by one; one without a label, or whose partner has none, keeps lambda. The prior that it
    teaches depends on the model, so no effective prior is declared.

    Parameters
    ----------
    alpha : float, default 1.0
        Of the distribution of lambda, Beta(alpha, alpha), above 0.
    kappa : float, default 3.0
        Ratio of counts from which on the rarer class gets the target, above 1.
    tau : float, default 0.5
        Share of the more frequent class below which the rarer one gets the target, from 0 to 1.

    References
    ----------
    Chou et al. (2020), "Remix: rebalanced mixup", ECCV Workshops.

    Examples
    --------
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
    cost: ClassVar[str] = "the loss of every batch is computed twice, against both targets"
    folder: ClassVar[str] = "mix"
    order_matters: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_alpha(self.name, self.alpha)
        if not self.kappa > 1:
            raise NotationError(f"remix: kappa, a ratio of counts, must be more than 1; given: {self.kappa}")
        if not 0 <= self.tau <= 1:
            raise NotationError(f"remix: tau, a share of a pair, must be from 0 to 1; given: {self.tau}")

    def mix(self, targets: Tensor, counts: ClassCounts, *, generator: Generator) -> Mixed:
        mixed = random_pairs(targets, self.alpha, generator)
        partner_targets = targets[mixed.partner]
        count = counts.at_least_one().to(targets.device)
        own, others = count[targets.clamp_min(0)], count[partner_targets.clamp_min(0)]
        share = mixed.lambda_y
        labelled = (targets != IGNORED) & (partner_targets != IGNORED)
        to_partner = labelled & (own >= self.kappa * others) & (share < self.tau)
        to_itself = labelled & (others >= self.kappa * own) & (1 - share < self.tau)
        return Mixed(mixed.partner, mixed.lambda_x, share.masked_fill(to_partner, 0.0).masked_fill(to_itself, 1.0))

    def effective_prior(self, labels: Labels, counts: ClassCounts) -> None:
        return None


def random_pairs(targets: Tensor, alpha: float, generator: Generator) -> Mixed:
    """Return random partners and one lambda for the batch; the random numbers depend on the number of items only."""
    items, device = len(targets), targets.device
    partner = torch.randperm(items, generator=generator, device=generator.device).to(device)
    lambda_x = torch.full((items,), draw_beta(alpha, generator), device=device)
    return Mixed(partner, lambda_x, lambda_x.unsqueeze(1).expand(targets.shape))


def draw_beta(alpha: float, generator: Generator) -> float:
    """Return a number from Beta(alpha, alpha), from one uniform number by the inverse of the distribution function."""
    from scipy.special import betaincinv

    uniform = torch.rand((), generator=generator, dtype=torch.float64, device=generator.device)
    return float(betaincinv(alpha, alpha, uniform.item()))


def check_alpha(name: str, alpha: float) -> None:
    """Raise a NotationError unless Beta(alpha, alpha) is defined."""
    if not alpha > 0:
        raise NotationError(f"{name}: alpha must be more than 0; given: {alpha}")
