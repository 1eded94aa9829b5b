"""A protocol as the report writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.text.numbers import settings


def describe_protocol(protocol: Mapping[str, Any]) -> str:
    """Names and values of the fields that make a difference, in a row."""
    return settings(relevant_fields(protocol))


def relevant_fields(protocol: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a protocol that make a difference: rows of numbers have no words, and a group of one is none.

    >>> relevant_fields({"model": "mlp", "steps": 1600, "unk_rate": 0.0, "embedding_scale": 0.1, "length_group": 1})
    {'model': 'mlp', 'steps': 1600}
    """
    of_words = ("unk_rate", "embedding_scale", "embedding_adam") if protocol.get("model") == "mlp" else ()
    of_tables = ("embedding_scale", "embedding_adam") if protocol.get("model_source") else ()
    idle = [*of_words, *of_tables, *(["length_group"] if protocol.get("length_group") == 1 else [])]
    return {key: value for key, value in protocol.items() if key not in idle}
