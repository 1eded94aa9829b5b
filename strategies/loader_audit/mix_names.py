"""Name a class mix: a power of the class counts, or that of effective numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from strategies.class_mix import log_slope, normalise, power_shares
from strategies.loader_audit.context import CLOSE, AuditContext
from strategies.loader_audit.mix_significance import POWERS, chi_square_test

BETAS = (0.9, 0.99, 0.999, 0.9999, 0.99999)
"""Values of beta for which weights are compared with effective numbers `(1 - beta^n) / (1 - beta)` (Cui et al. 2019)."""


def name_sampled_mix(context: AuditContext) -> tuple[str, str] | None:
    """Return the name of the sampled mix, and the argument `intended=` that asks for it; None if it has no name."""
    counts = context.counts.values
    mix = _mix_of_weights(context)
    if mix is None:
        # Without weights, only the samples can say which mix it is: compare them with the usual ones.
        powers = (p for p in POWERS.values() if _is_sampled_mix(context, normalise(power_shares(counts, p))))
        return next((_name_power(power) for power in powers), None)
    power = fit_power(mix, counts)
    if power is not None and power in POWERS.values():
        return _name_power(power)
    for beta in BETAS:
        effective = torch.where(counts > 0, counts / (1 - beta ** counts.double()).clamp_min(1e-300), 0.0)
        if torch.allclose(effective / effective.sum(), mix, rtol=CLOSE, atol=0.0):
            return f"the mix of effective numbers, beta={beta:g}", "intended=sample_weights"
    return None if power is None else _name_power(power)


def fit_power(shares: Tensor, counts: Tensor) -> float | None:
    """Return the power p for which `shares (C,)` are proportional to n_c^p, rounded; None if there is none.

    Any two shares are a power of two counts, so of two classes only a multiple of 0.05 is accepted.

    >>> fit_power(torch.tensor([0.6, 0.3, 0.1]), torch.tensor([36, 9, 1])), fit_power(torch.ones(2) / 2, torch.tensor([9, 1]))
    (0.5, 0.0)
    """
    kept = counts > 0
    if not bool((shares[kept] > 0).all()) or bool((shares[~kept] > 0).any()):
        return None
    steps = 20 if int(kept.sum()) == 2 else 1000
    slope = log_slope(shares, counts) or 0.0  # equal counts are of any power: 0 is the simplest
    power = round(slope * steps) / steps + 0.0  # no -0.0
    fits = torch.allclose(normalise(power_shares(counts, power)), shares.double(), rtol=CLOSE, atol=0.0)
    return power if fits else None


def _mix_of_weights(context: AuditContext) -> Tensor | None:
    """Return the mix `(C,)` that results from the weights of the sampler, if these are constant within classes."""
    weights = context.source.weights
    if weights is None or not context.has_weight_per_item:
        return None
    counts = context.counts.values
    class_weights = context.class_weights(weights, counts > 0)
    if class_weights is None:
        return None
    mix = torch.where(counts > 0, class_weights * counts, 0.0)
    return mix / mix.sum() if float(mix.sum()) > 0 else None


def _is_sampled_mix(context: AuditContext, mix: Tensor) -> bool:
    if context.sampled_labels is None:
        return False
    test = chi_square_test(context.sampled_labels, mix)
    return test.p_value is not None and not test.rejects


def _name_power(power: float) -> tuple[str, str]:
    name = next((name for name, known_power in POWERS.items() if known_power == power), None)
    return (f"the {name} mix", f"intended={name!r}") if name else (f"the mix n_c^{power:g}", f"intended={power:g}")
