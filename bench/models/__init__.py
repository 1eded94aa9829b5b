"""Models by name."""

from bench.models.bilstm import BiLSTMTagger
from bench.models.mlp import MLP
from bench.models.model import Model
from bench.models.window import WindowTagger

MODELS: tuple[Model, ...] = (WindowTagger(), BiLSTMTagger(), MLP())


def find_model(name: str) -> Model:
    """The model of that name; `ValueError` names those there are."""
    for model in MODELS:
        if model.name == name:
            return model
    raise ValueError(f"unknown model {name!r}; known: {', '.join(model.name for model in MODELS)}")
