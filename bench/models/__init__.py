"""Models by name."""

from dataclasses import replace

from bench.models.bilstm import BiLSTMTagger
from bench.models.mlp import MLP
from bench.models.model import Model
from bench.models.window import WindowTagger

MODELS: tuple[WindowTagger | BiLSTMTagger | MLP, ...] = (WindowTagger(), BiLSTMTagger(), MLP())


def find_model(name: str, dropout: float = 0.0) -> Model:
    """The model of that name, dropping this share of what its last layer reads; `ValueError` names those there are."""
    for model in MODELS:
        if model.name == name:
            return replace(model, dropout=dropout)
    raise ValueError(f"unknown model {name!r}; known: {', '.join(model.name for model in MODELS)}")
