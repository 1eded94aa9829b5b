"""The ways in which a column of texts becomes numbers, by name."""

from __future__ import annotations

from typing import Any, Literal, get_args

from bench.errors import InputError
from bench.user_data import sentence_encoder, text_features
from strategies.notation import did_you_mean

TextFeatures = Literal["ngrams", "minilm"]

_DESCRIPTIONS: dict[TextFeatures, str] = {
    "ngrams": "TF-IDF of hashed words and pairs, 256 directions",
    "minilm": "frozen sentence embeddings of MiniLM, 384 numbers",
}


def check_features(name: str) -> TextFeatures:
    """Return the name of a kind of features; an InputError names those that there are."""
    for known in _DESCRIPTIONS:
        if name == known:
            return known
    raise InputError(f"--features {name}: {did_you_mean(name, get_args(TextFeatures))}")


def describe_features(features: TextFeatures) -> str:
    """Return what the features are, in a few words."""
    return _DESCRIPTIONS[features]


def make_text_transformer(features: TextFeatures) -> Any:
    """Return the unfitted transformer of a column of texts; an InputError where what it needs is not installed or fetched."""
    return sentence_encoder.sentence_encoder() if features == "minilm" else text_features.text_transformer()


def text_transformer_code(features: TextFeatures) -> str:
    """Return Python source, with its imports, that defines `text_transformer`, which makes the transformer."""
    return sentence_encoder.code() if features == "minilm" else text_features.code()


def compute_ahead(features: TextFeatures, column: Any) -> None:
    """Compute what is kept for all seeds and workers: the embeddings of all texts, which depend on no other text."""
    if features == "minilm":
        sentence_encoder.sentence_encoder().transform(column)
