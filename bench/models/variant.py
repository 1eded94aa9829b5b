"""The variant of a model that a strategy needs; the runs of a stack share it, as they share model and protocol."""

from __future__ import annotations

from dataclasses import dataclass

from strategies import Strategy
from strategies.combination import overrides


@dataclass(frozen=True)
class ModelVariant:
    """What a strategy needs of the model and the training step."""

    cosine: bool
    """The last layer returns scaled cosines."""
    features: bool
    """The loss needs the inputs of the last layer."""
    scaled: bool
    """In one of the phases only a scale per class of the last layer is trained."""
    mixes: bool
    """Items of a batch are mixed with each other."""

    @classmethod
    def of(cls, strategy: Strategy) -> ModelVariant:
        """Return the variant that a strategy needs."""
        return cls(
            cosine=strategy.cosine_scale is not None,
            features=strategy.needs_features,
            scaled=any(phase.trains == "scale" for phase in strategy.phases()),
            mixes=any(overrides(part, "mix") for part in strategy.parts),
        )
