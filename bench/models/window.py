"""The window tagger: the embedded words of a window, concatenated, and one hidden layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Generator, Tensor

from bench.models.layers import drop_features, linear, uniform
from bench.models.model import ModelFacts, Noise, Params, Shape


@dataclass(frozen=True)
class WindowTagger:
    """Collobert et al. (2011), "Natural language processing (almost) from scratch": window approach, ReLU for hard tanh."""

    facts: ClassVar[ModelFacts] = ModelFacts(step_work=1.0)

    name: str = "window-tagger"
    embedding: int = 50
    hidden: int = 128
    dropout: float = 0.0

    def init(self, shape: Shape, generator: Generator) -> Params:
        inputs, outputs = shape.positions * self.embedding, shape.labelled_positions * shape.classes
        return {
            "hidden.weight": uniform(self.hidden, inputs, fan_in=inputs, generator=generator),
            "hidden.bias": uniform(self.hidden, fan_in=inputs, generator=generator),
            "head.weight": uniform(outputs, self.hidden, fan_in=self.hidden, generator=generator),
            "head.bias": uniform(outputs, fan_in=self.hidden, generator=generator),
        }

    def features(self, params: Params, x: Tensor, valid: Tensor | None, noise: Noise = None) -> Tensor:
        hidden = linear(x.flatten(2), params["hidden.weight"], params["hidden.bias"], relu=True)
        return drop_features(hidden, self.dropout, noise)

    def forward(self, params: Params, x: Tensor, valid: Tensor | None, noise: Noise = None) -> Tensor:
        return linear(self.features(params, x, valid, noise), params["head.weight"], params["head.bias"])
