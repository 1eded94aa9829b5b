"""The multi-layer perceptron for rows of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch.nn.functional as F
from torch import Generator, Tensor

from bench.models.model import Params, Shape, linear, uniform


@dataclass(frozen=True)
class MLP:
    """Two hidden layers of 64 with ReLU."""

    name: str = "mlp"
    embedding: None = None
    hidden: int = 64

    def init(self, shape: Shape, generator: Generator) -> Params:
        sizes = [shape.features, self.hidden, self.hidden, shape.classes]
        params = {}
        for layer, (inputs, outputs) in zip(("layer1", "layer2", "head"), pairwise(sizes), strict=True):
            params[f"{layer}.weight"] = uniform(outputs, inputs, fan_in=inputs, generator=generator)
            params[f"{layer}.bias"] = uniform(outputs, fan_in=inputs, generator=generator)
        return params

    def features(self, params: Params, x: Tensor, valid: Tensor | None) -> Tensor:
        x = F.relu(linear(x, params["layer1.weight"], params["layer1.bias"]))
        return F.relu(linear(x, params["layer2.weight"], params["layer2.bias"]))

    def forward(self, params: Params, x: Tensor, valid: Tensor | None) -> Tensor:
        return linear(self.features(params, x, valid), params["head.weight"], params["head.bias"])
