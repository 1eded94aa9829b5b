"""The multi-layer perceptron for rows of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import Generator, Tensor

from bench.models.layers import drop_features, linear, uniform
from bench.models.model import ModelFacts, Noise, Params, Shape


@dataclass(frozen=True)
class MLP:
    """Two hidden layers of 64 with ReLU."""

    facts: ClassVar[ModelFacts] = ModelFacts(step_work=0.12, stack_width=40)

    name: str = "mlp"
    embedding: None = None
    hidden: int = 64
    dropout: float = 0.0

    def init(self, shape: Shape, generator: Generator) -> Params:
        sizes = [shape.features, self.hidden, self.hidden, shape.classes]
        params = {}
        for layer, (inputs, outputs) in zip(("layer1", "layer2", "head"), pairwise(sizes), strict=True):
            params[f"{layer}.weight"] = uniform(outputs, inputs, fan_in=inputs, generator=generator)
            params[f"{layer}.bias"] = uniform(outputs, fan_in=inputs, generator=generator)
        return params

    def features(self, params: Params, x: Tensor, valid: Tensor | None, noise: Noise = None) -> Tensor:
        for layer in ("layer1", "layer2"):
            x = linear(x, params[f"{layer}.weight"], params[f"{layer}.bias"], relu=True)
        return drop_features(x, self.dropout, noise)

    def forward(self, params: Params, x: Tensor, valid: Tensor | None, noise: Noise = None) -> Tensor:
        return linear(self.features(params, x, valid, noise), params["head.weight"], params["head.bias"])
