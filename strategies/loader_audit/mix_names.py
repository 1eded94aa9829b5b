"""The name of a class mix: a power of the class counts, or that of effective numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from strategies.class_mix import log_slope, normalise, power_shares
from strategies.loader_audit.context import Wiring
from strategies.loader_audit.mix_test import POWERS, compare

CLOSE = 1e-3
"""Relative difference within which weights are taken for those of a formula."""
BETAS = (0.9, 0.99, 0.999, 0.9999, 0.99999)
"""Of the effective numbers `(1 - beta^n) / (1 - beta)` (Cui et al. 2019)."""


def explained(wiring: Wiring) -> tuple[str, str] | None:
    """The name of the mix that is drawn, and the `intended=` that asks for it; None where it has none."""
    counts = wiring.counts.values
    shares = _of_the_weights(wiring)
    if shares is None:
        return next((_named(p) for p in POWERS.values() if _drawn_as(wiring, normalise(power_shares(counts, p)))), None)
    power = power_of(shares, counts)
    if power is not None and power in POWERS.values():
        return _named(power)
    for beta in BETAS:
        effective = torch.where(counts > 0, counts / (1 - beta ** counts.double()).clamp_min(1e-300), 0.0)
        if torch.allclose(effective / effective.sum(), shares, rtol=CLOSE, atol=0.0):
            return f"the mix of effective numbers, beta={beta:g}", "intended=sample_weights"
    return None if power is None else _named(power)


def power_of(shares: Tensor, counts: Tensor) -> float | None:
    """p where `shares (C,)` are n_c^p, rounded; None where they are no power. Of two classes only a multiple of 0.05 is.

    >>> power_of(torch.tensor([0.6, 0.3, 0.1]), torch.tensor([36, 9, 1])), power_of(torch.ones(2) / 2, torch.tensor([9, 1]))
    (0.5, 0.0)
    """
    kept = counts > 0
    if not bool((shares[kept] > 0).all()) or bool((shares[~kept] > 0).any()):
        return None
    grain = 20 if int(kept.sum()) == 2 else 1000
    slope = log_slope(shares, counts) or 0.0  # equal counts are of any power: 0 is the simplest
    power = round(slope * grain) / grain + 0.0  # no -0.0
    right = torch.allclose(normalise(power_shares(counts, power)), shares.double(), rtol=CLOSE, atol=0.0)
    return power if right else None


def _of_the_weights(wiring: Wiring) -> Tensor | None:
    """The mix that the sampler's weights ask for, where they are one number a class (C,)."""
    weights = wiring.source.weights
    if weights is None or not len(weights) == wiring.items == len(wiring.given) or not wiring.given.one_each:
        return None
    mean, least, most = wiring.mean_by_class(weights)
    counts = wiring.counts.values
    if not bool(((most - least) <= CLOSE * mean)[counts > 0].all()):
        return None
    mix = torch.where(counts > 0, mean * counts, 0.0)
    return mix / mix.sum() if float(mix.sum()) > 0 else None


def _drawn_as(wiring: Wiring, mix: Tensor) -> bool:
    test = None if wiring.drawn is None else compare(wiring.drawn, mix)
    return test is not None and test.p_value is not None and not test.rejects


def _named(power: float) -> tuple[str, str]:
    name = next((name for name, each in POWERS.items() if each == power), None)
    return (f"the {name} mix", f"intended={name!r}") if name else (f"the mix n_c^{power:g}", f"intended={power:g}")
