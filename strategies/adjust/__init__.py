"""Remedies that adjust finished logits."""

import importlib
from typing import Any

from strategies.adjust.fitted_thresholds import FittedThresholds, fit_thresholds

__all__ = ["FittedThresholds", "TunedThresholds", "fit_thresholds"]


def __getattr__(name: str) -> Any:
    if name == "TunedThresholds":  # its module imports scikit-learn, which this package does not need
        return importlib.import_module("strategies.tuned_thresholds").TunedThresholds
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
