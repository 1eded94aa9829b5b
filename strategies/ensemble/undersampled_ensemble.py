"""Base class of the ensembles whose members are trained on balanced, under-sampled rows."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

from torch import Tensor

from strategies.class_mix import normalise
from strategies.labels import ClassCounts, Labels
from strategies.notation import NotationError
from strategies.strategy import Inputs, Strategy


@dataclass(frozen=True)
class UndersampledEnsemble(Strategy):
    """Train many estimators, each on as many rows of every class as the rarest one has, by imbalanced-learn.

    Under-sampling leaves most rows out; many members, each on a sample of its own, use them after all. All hyper-parameters are
    whole numbers of 1 or more. One thread is used.
    """

    folder: ClassVar[str] = "ensemble"

    def __post_init__(self) -> None:
        for field in fields(self):
            if (value := getattr(self, field.name)) < 1:
                raise NotationError(f"{self.name}: {field.name} must be 1 or more; given: {value}")

    def why_not_applicable(self, labels: Labels, inputs: Inputs) -> str | None:
        if inputs == "tokens":
            return f"{self.name} is an ensemble of scikit-learn estimators, which take rows of numbers, not token ids"
        if not labels.single_label:
            return f"{self.name} is an ensemble of scikit-learn estimators, and an item here has many labels"
        return None

    def ensemble(self, estimator: Any, *, seed: int) -> Any:
        raise NotImplementedError

    def effective_prior(self, labels: Labels, counts: ClassCounts) -> Tensor | None:
        """Return equal shares of the classes that occur, because each member is trained on balanced rows."""
        return normalise((labels.counts().values > 0).double())
