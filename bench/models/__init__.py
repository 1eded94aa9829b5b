"""Models by name."""

from dataclasses import replace
from pathlib import Path

from bench.models.bilstm import BiLSTMTagger
from bench.models.check_module import tried
from bench.models.mlp import MLP
from bench.models.model import Model, Shape
from bench.models.user_module import maker
from bench.models.window import WindowTagger
from bench.planning.protocol import Protocol

MODELS: tuple[WindowTagger | BiLSTMTagger | MLP, ...] = (WindowTagger(), BiLSTMTagger(), MLP())


def find_model(name: str, dropout: float = 0.0) -> Model:
    """The model of that name, dropping this share of what its last layer reads; `ValueError` names those there are."""
    for model in MODELS:
        if model.name == name:
            return replace(model, dropout=dropout)
    raise ValueError(f"unknown model {name!r}; known: {', '.join(model.name for model in MODELS)}")


def model_for(protocol: Protocol, shape: Shape) -> Model:
    """The protocol's model: one of this package, or the reader's own module, tried on made items of this shape.

    `InputError` says why a module cannot be trained.
    """
    if not protocol.model_source:
        return find_model(protocol.model, protocol.dropout)
    return tried(Path(protocol.model).name, maker(protocol.model, protocol.model_source), shape)
