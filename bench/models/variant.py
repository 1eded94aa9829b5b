"""What the trainings of a stack must share beside model and protocol."""

from __future__ import annotations

from dataclasses import dataclass

from strategies import Strategy
from strategies.combination import overrides


@dataclass(frozen=True)
class ModelVariant:
    """How a strategy's program is built: trainings of one build can be stacked."""

    cosine: bool
    """The last layer gives scaled cosines."""
    features: bool
    """The loss reads what the last layer reads."""
    scaled: bool
    """In some phase only a scale of the last layer is trained."""
    mixes: bool
    """Items of a batch are mixed with each other."""

    @classmethod
    def of(cls, strategy: Strategy) -> ModelVariant:
        """The build that a strategy needs."""
        return cls(
            cosine=strategy.cosine_scale is not None,
            features=strategy.needs_features,
            scaled=any(phase.trains == "scale" for phase in strategy.phases()),
            mixes=any(overrides(part, "mix") for part in strategy.parts),
        )
