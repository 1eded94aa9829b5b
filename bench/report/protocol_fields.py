"""Protocols as the report shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.text.numbers import format_fields


def describe_protocol(protocol: Mapping[str, Any]) -> str:
    """Return names and values of the relevant fields as one enumeration."""
    return format_fields(relevant_fields(protocol))


def relevant_fields(protocol: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a protocol that have an effect on its runs.

    A model of numeric rows has no words to embed, a user's own model brings its embedding itself, and groups of one sequence
    do not group by length.

    >>> relevant_fields({"model": "mlp", "steps": 1600, "unk_rate": 0.0, "embedding_scale": 0.1, "length_group": 1})
    {'model': 'mlp', 'steps': 1600}
    """
    without_effect: set[str] = set()
    if protocol.get("model") == "mlp":
        without_effect |= {"unk_rate", "embedding_scale", "embedding_adam"}
    if protocol.get("model_source"):
        without_effect |= {"embedding_scale", "embedding_adam"}
    if protocol.get("length_group") == 1:
        without_effect.add("length_group")
    return {name: value for name, value in protocol.items() if name not in without_effect}


def is_estimator(protocol: Mapping[str, Any]) -> bool:
    """Whether the protocol is that of an estimator, which is fitted at once: without steps, checkpoints or layers."""
    return "estimator" in protocol
