"""Remedies that adjust finished logits."""

from strategies.adjust.fitted_thresholds import FittedThresholds, fit_thresholds

__all__ = ["FittedThresholds", "fit_thresholds"]
