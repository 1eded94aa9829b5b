"""Models by name, and the facts of each that planning and packing need."""

from dataclasses import replace
from pathlib import Path

from bench.models.bilstm import BiLSTMTagger
from bench.models.check_module import check_module
from bench.models.mlp import MLP
from bench.models.model import Model, ModelFacts, Shape
from bench.models.user_module import load_factory
from bench.models.window import WindowTagger

MODELS: tuple[WindowTagger | BiLSTMTagger | MLP, ...] = (WindowTagger(), BiLSTMTagger(), MLP())
"""The table of models: names, sizes, and `facts`."""


def find_facts(name: str) -> ModelFacts:
    """Return the facts of the model of that name, and the defaults for a user's module.

    >>> find_facts("mlp").stack_width
    40
    """
    return next((model.facts for model in MODELS if model.name == name), ModelFacts())


def find_model(name: str, dropout: float = 0.0) -> Model:
    """Return the model of that name with this dropout before its last layer; `ValueError` lists the known names."""
    for model in MODELS:
        if model.name == name:
            return replace(model, dropout=dropout)
    raise ValueError(f"unknown model {name!r}; known: {', '.join(model.name for model in MODELS)}")


def load_model(name: str, shape: Shape, *, source: str = "", dropout: float = 0.0) -> Model:
    """Return the model of that name, or the user's module `FILE.py:NAME`, checked on synthetic items of this shape.

    `source` is the hash of the user's file, empty for a model of this package. `InputError` says why a module cannot be
    trained.
    """
    if not source:
        return find_model(name, dropout)
    return check_module(Path(name).name, load_factory(name, source), shape)
