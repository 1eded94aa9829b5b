"""The features of a data set in the Hugging Face hub's form: which columns hold class numbers, and the names of the classes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.errors import InputError
from bench.text.lines import one_line

ClassNames = dict[str, tuple[str, ...]]
"""By column: the names of the classes that its numbers, or its lists of numbers, stand for."""


def read_parquet_classes(path: Path) -> ClassNames:
    """Return the class names that the schema of a Parquet file holds; none for any other file."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        metadata = parquet.read_schema(path).metadata or {}
    except (pa.ArrowException, OSError):
        return {}
    return parse_schema_metadata(metadata)


def parse_schema_metadata(metadata: Mapping[bytes, bytes]) -> ClassNames:
    """Return the class names in the metadata of an Arrow schema that the library datasets wrote.

    >>> label = {"names": ["bad", "good"], "_type": "ClassLabel"}
    >>> parse_schema_metadata({b"huggingface": json.dumps({"info": {"features": {"stars": label}}}).encode()})
    {'stars': ('bad', 'good')}
    """
    try:
        return _parse_features(json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"])
    except (ValueError, KeyError, TypeError):
        return {}


def read_card_classes(folder: Path, configuration: str = "") -> ClassNames:
    """Return the class names in a folder's card, the first lines of `README.md`, or else in `dataset_info.json`.

    A card with several configurations gives those of `configuration`, or of the first one.
    """
    for info in (*_read_card(folder / "README.md"), *_read_json(folder / "dataset_info.json")):
        if not configuration or info.get("config_name", configuration) == configuration:
            features = info.get("features", {})
            listed = isinstance(features, list)
            try:
                return _parse_features({entry["name"]: entry for entry in features} if listed else features)
            except (KeyError, TypeError, AttributeError):
                return {}
    return {}


def _read_card(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the entries of `dataset_info` between the two lines of dashes with which a card begins."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    head = text.partition("---\n")[2].partition("\n---")[0]
    if "dataset_info:" not in head:
        return
    try:
        import yaml
    except ImportError:
        raise InputError(f'{path}: reading its features needs PyYAML: pip install "imbalance-bench[hf]"') from None
    try:
        info = yaml.safe_load(head)["dataset_info"]
    except yaml.YAMLError as error:
        raise InputError(f"{path}: the card cannot be read: {one_line(str(error))}; correct it") from None
    yield from (entry for entry in (info if isinstance(info, list) else [info]) if isinstance(entry, Mapping))


def _read_json(path: Path) -> Iterator[Mapping[str, Any]]:
    if path.is_file():
        try:
            info = json.loads(path.read_bytes())
        except ValueError:
            return
        if isinstance(info, Mapping):
            yield info


def _parse_features(features: Mapping[str, Any]) -> ClassNames:
    named = {column: _find_names(feature) for column, feature in features.items()}
    return {column: names for column, names in named.items() if names}


def _find_names(feature: Any) -> tuple[str, ...]:
    """Return the class names of a label or of lists of labels, as a schema or a card writes them."""
    if isinstance(feature, list) and len(feature) == 1:
        feature = feature[0]
    if not isinstance(feature, Mapping):
        return ()
    names = feature.get("names")
    if isinstance(names, Mapping):  # a card writes '0': bad
        names = [names[key] for key in sorted(names, key=int)]
    if names:
        return tuple(map(str, names))
    inner = (_find_names(feature.get(key)) for key in ("feature", "sequence", "list", "dtype", "class_label"))
    return next(filter(None, inner), ())
