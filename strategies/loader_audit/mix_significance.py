"""Test the sampled class mix against the intended one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from strategies.class_mix import expected_mix, normalise, power_shares
from strategies.draw.sentence_weights import sentence_weights
from strategies.labels import IGNORED, Labels

ALPHA = 1e-3
"""The rate of false alarms."""
MIN_EXPECTED = 5
"""Labels expected in a cell; with fewer, the chi-square distribution is not to be trusted."""
CUSTOM = "the sampler's own"
"""The name of a mix that a sampler was asked for and that is not tested."""
POWERS = {"balanced": 0.0, "square-root": 0.5, "natural": 1.0}
"""Class mixes by name: the power of the class count that they are proportional to."""

Intended = str | float | Sequence[float] | Tensor | np.ndarray


def intended_mix(intended: Intended | None, labels: Labels) -> tuple[str, Tensor]:
    """Return the name of the intended class mix, and the share that each class should have of the sampled labels, `(C,)`.

    Parameters
    ----------
    intended
        "balanced", "natural" or "square-root"; a power p, for shares proportional to n_c^p; one share per class, `(C,)`; or one
        weight per item, `(N,)`. None is "balanced" for items with one label; for items with many, the mix that results from
        sampling by the geometric mean of label weights, as `SentenceSampler` does.
    labels
        The labels of the data set.

    Raises
    ------
    ValueError
        If `intended` is none of these.

    Examples
    --------
    >>> intended_mix("natural", Labels.of([0, 0, 0, 1]))[1].tolist()
    [0.75, 0.25]
    """
    counts = labels.counts()
    if intended is None and not labels.single_label:
        return "by sentence weights", expected_mix(labels, sentence_weights(labels, counts.inverse()))
    if intended is None or isinstance(intended, str):
        name = intended or "balanced"
        if name in POWERS:
            return name, normalise(power_shares(counts.values, POWERS[name]))
    elif isinstance(intended, int | float):
        return f"n_c^{intended:g}", normalise(power_shares(counts.values, float(intended)))
    else:
        shares = torch.as_tensor(intended, dtype=torch.float64)
        valid = shares.ndim == 1 and bool((shares.isfinite() & (shares >= 0)).all()) and bool(shares.sum() > 0)
        if valid and len(shares) == labels.num_classes:
            return "as given", shares / shares.sum()
        if valid and len(shares) == len(labels):
            return "by item weights", expected_mix(labels, shares)
    given = repr(intended) if isinstance(intended, str) else f"{len(torch.as_tensor(intended))} numbers"
    raise ValueError(
        f"intended must be one of {', '.join(map(repr, POWERS))}, a power of the class counts, {labels.num_classes} shares "
        f"of the classes or {len(labels)} weights of the items, none negative and not all 0; given: {given}"
    )


@dataclass(frozen=True)
class MixTest:
    """The result of a chi-square test of a class mix."""

    p_value: float | None
    """None where too few labels were sampled to test."""
    pooled: tuple[int, ...] = ()
    """Classes that were tested as one, because each has too few labels."""

    @property
    def rejects(self) -> bool:
        """Whether the sampled mix is not the tested one, at a false-alarm rate of 1 in 1,000."""
        return self.p_value is not None and self.p_value < ALPHA


def chi_square_test(sampled: Labels, mix: Tensor) -> MixTest:
    """Test whether the labels of sampled items have the class mix `mix (C,)`.

    Labels of one item are sampled together, so for items with many the statistic is corrected by its design effects (Rao and
    Scott 1984, second order). Classes with fewer than 5 expected labels are pooled.

    >>> chi_square_test(Labels.of([0] * 90 + [1] * 10), torch.tensor([0.5, 0.5])).rejects
    True
    """
    counts = sampled.counts().values.double()
    total = counts.sum()
    if bool((counts[mix == 0] > 0).any()):
        return MixTest(0.0)  # a class was sampled that should never be
    cell_of_class, pooled = _cells(mix * total)
    cells = int(cell_of_class.max()) + 1
    if cells < 2 or not total:
        return MixTest(None)
    tested = cell_of_class >= 0

    def per_cell(class_values: Tensor) -> Tensor:
        return torch.zeros(cells, dtype=torch.float64).index_add_(0, cell_of_class[tested], class_values[tested])

    observed, shares = per_cell(counts), per_cell(mix.double())
    statistic = ((observed - total * shares) ** 2 / (total * shares)).sum()
    effects = torch.ones(cells - 1) if sampled.single_label else _design_effects(sampled, cell_of_class, shares)
    return MixTest(_upper_tail(float(statistic), effects), pooled)


def _cells(expected: Tensor) -> tuple[Tensor, tuple[int, ...]]:
    """Return the cell of each class, `(C,)`, -1 where no label is expected, and the classes that share a cell.

    Rare classes are pooled into cell 0, from the rarest on, until it is large enough.
    """
    cell_of_class = torch.full((len(expected),), -1)
    order = torch.argsort(expected, stable=True)
    order = order[expected[order] > 0]
    pooled, pooled_expected = 0, 0.0
    while pooled < len(order) and (float(expected[order[pooled]]) < MIN_EXPECTED or 0 < pooled_expected < MIN_EXPECTED):
        pooled_expected += float(expected[order[pooled]])
        pooled += 1
    cell_of_class[order[:pooled]] = 0
    separate = order[pooled:]
    cell_of_class[separate] = torch.arange(len(separate)) + (pooled > 0)
    return cell_of_class, tuple(order[:pooled].tolist()) if pooled > 1 else ()


def _design_effects(sampled: Labels, cell_of_class: Tensor, shares: Tensor) -> Tensor:
    """Return by how much each direction of the mix varies more than if labels were sampled one by one, `(cells - 1,)`.

    They are the eigenvalues of the covariance of the items' deviations from the mix, relative to that of single labels.
    """
    labelled = sampled.values != IGNORED
    cell = cell_of_class[sampled.values[labelled]]
    item = sampled.item_of_position()[labelled][cell >= 0]
    counts = torch.zeros(len(sampled), len(shares), dtype=torch.float64)  # of the labels of each item in each cell
    counts.index_put_((item, cell[cell >= 0]), torch.ones(len(item), dtype=torch.float64), accumulate=True)
    deviations = counts - counts.sum(1, keepdim=True) * shares
    deviations = (deviations - deviations.mean(0)) / shares.sqrt()
    effects: Tensor = torch.linalg.eigvalsh(deviations.T @ deviations / counts.sum())
    return effects[1:].clamp_min(0)  # the first is 0: shares sum to 1


def _upper_tail(statistic: float, effects: Tensor) -> float:
    """Return the p value of a statistic that is a sum of chi-square variables, weighted by `effects` (Satterthwaite)."""
    mean, squares = float(effects.sum()), float((effects**2).sum())
    if mean <= 0:
        return 1.0 if statistic < 1e-9 else 0.0
    degrees, scaled = mean**2 / squares, statistic * mean / squares
    # The upper tail of the chi-square distribution.
    return float(torch.special.gammaincc(torch.tensor(degrees / 2).double(), torch.tensor(scaled / 2).double()))
