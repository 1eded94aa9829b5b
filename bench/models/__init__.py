"""Models by name."""

from dataclasses import replace
from pathlib import Path

from bench.models.bilstm import BiLSTMTagger
from bench.models.check_module import check_module
from bench.models.mlp import MLP
from bench.models.model import Model, Shape
from bench.models.user_module import maker
from bench.models.window import WindowTagger

MODELS: tuple[WindowTagger | BiLSTMTagger | MLP, ...] = (WindowTagger(), BiLSTMTagger(), MLP())


def find_model(name: str, dropout: float = 0.0) -> Model:
    """The model of that name, dropping this share of what its last layer reads; `ValueError` names those there are."""
    for model in MODELS:
        if model.name == name:
            return replace(model, dropout=dropout)
    raise ValueError(f"unknown model {name!r}; known: {', '.join(model.name for model in MODELS)}")


def load_model(name: str, shape: Shape, *, source: str = "", dropout: float = 0.0) -> Model:
    """The model of that name, or the user's module `FILE.py:NAME`, tried on synthetic items of this shape.

    `source` is the hash of the user's file, empty for a model of this package. `InputError` says why a module cannot be
    trained.
    """
    if not source:
        return find_model(name, dropout)
    return check_module(Path(name).name, maker(name, source), shape)
