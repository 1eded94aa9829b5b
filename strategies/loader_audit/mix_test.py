"""The class mix that was drawn, against the one that was intended."""

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
FEWEST = 5
"""Labels expected in a cell; with fewer, the chi-square distribution is not to be trusted."""
OWN = "the sampler's own"
"""The name of a mix that is not tested."""
POWERS = {"balanced": 0.0, "square-root": 0.5, "natural": 1.0}

Intended = str | float | Sequence[float] | Tensor | np.ndarray


def intended_mix(intended: Intended | None, labels: Labels) -> tuple[str, Tensor]:
    """The share that each class should have of the labels drawn, `(C,)`, and its name.

    "balanced", "natural", "square-root", a power p of n_c^p, one share a class, or one weight an item. If not given: balanced
    for one label an item, for many the mix that geometric-mean sentence weights give.

    >>> intended_mix("natural", Labels.of([0, 0, 0, 1]))[1].tolist()
    [0.75, 0.25]
    """
    counts = labels.counts()
    if intended is None and not labels.one_each:
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
    """A chi-square test: `p_value` is None where too little was drawn to tell; the classes `pooled` count as one."""

    p_value: float | None
    pooled: tuple[int, ...] = ()

    @property
    def rejects(self) -> bool:
        return self.p_value is not None and self.p_value < ALPHA


def compare(drawn: Labels, intended: Tensor) -> MixTest:
    """Tests whether labels `drawn`, item by item, come in the mix `intended (C,)`.

    Labels of one item come together, so for items with many the statistic is corrected by its design effects (Rao and Scott
    1984, second order). Classes with fewer than 5 expected labels are pooled.

    >>> compare(Labels.of([0] * 90 + [1] * 10), torch.tensor([0.5, 0.5])).rejects
    True
    """
    seen = drawn.counts().values.double()
    total = seen.sum()
    if bool((seen[intended == 0] > 0).any()):
        return MixTest(0.0)
    cell_of, pooled = _cells(intended * total)
    cells = int(cell_of.max()) + 1
    if cells < 2 or not total:
        return MixTest(None)
    observed = torch.zeros(cells, dtype=torch.float64).index_add_(0, cell_of[cell_of >= 0], seen[cell_of >= 0])
    expected = intended[cell_of >= 0].double()
    shares = torch.zeros(cells, dtype=torch.float64).index_add_(0, cell_of[cell_of >= 0], expected)
    statistic = ((observed - total * shares) ** 2 / (total * shares)).sum()
    effects = torch.ones(cells - 1) if drawn.one_each else _design_effects(drawn, cell_of, shares)
    return MixTest(_tail(float(statistic), effects), pooled)


def _cells(expected: Tensor) -> tuple[Tensor, tuple[int, ...]]:
    """The cell of each class (C,), -1 where nothing is expected; rare classes share one, with the next if they are too few."""
    cell_of = torch.full((len(expected),), -1)
    order = torch.argsort(expected, stable=True)
    order = order[expected[order] > 0]
    pooled, together = 0, 0.0
    while pooled < len(order) and (float(expected[order[pooled]]) < FEWEST or 0 < together < FEWEST):
        together += float(expected[order[pooled]])
        pooled += 1
    cell_of[order[:pooled]] = 0
    rest = order[pooled:]
    cell_of[rest] = torch.arange(len(rest)) + (pooled > 0)
    return cell_of, tuple(order[:pooled].tolist()) if pooled > 1 else ()


def _design_effects(drawn: Labels, cell_of: Tensor, shares: Tensor) -> Tensor:
    """How much more each direction of the mix varies than it would if labels came one by one (cells - 1,)."""
    labelled = drawn.values != IGNORED
    cell = cell_of[drawn.values[labelled]]
    item = drawn.item_of_position()[labelled][cell >= 0]
    held = torch.zeros(len(drawn), len(shares), dtype=torch.float64)
    held.index_put_((item, cell[cell >= 0]), torch.ones(len(item), dtype=torch.float64), accumulate=True)
    off = held - held.sum(1, keepdim=True) * shares
    off = (off - off.mean(0)) / shares.sqrt()
    effects: Tensor = torch.linalg.eigvalsh(off.T @ off / held.sum())
    return effects[1:].clamp_min(0)


def _tail(statistic: float, effects: Tensor) -> float:
    from scipy.stats import chi2

    mean, squares = float(effects.sum()), float((effects**2).sum())
    if mean <= 0:
        return 1.0 if statistic < 1e-9 else 0.0
    return float(chi2.sf(statistic * mean / squares, mean**2 / squares))
