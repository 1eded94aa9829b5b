"""Read the labels of a data set, wherever it keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import ConcatDataset, Dataset, StackDataset, Subset, TensorDataset

from strategies.labels import IGNORED, Labels

HELD_AS = ("targets", "labels", "target", "label")
"""Attributes, or names of columns or members, under which a data set may hold its labels."""


def read_labels(source: Any, caller: str, ignore_index: int = IGNORED) -> Labels:
    """Return the labels that `source` is or holds.

    Parameters
    ----------
    source
        Class ids `(N,)` as a tensor, array, list or pandas Series; one sequence of class ids, or one mask, per item; class ids
        `(N, ...)`; `Labels`; or a data set. A data set holds its labels as an attribute or a column of a name in `HELD_AS`, a
        `TensorDataset` or a `StackDataset` of a tuple as its last member; a `Subset`, nested or not, takes those of its parent at
        its own indices, a `ConcatDataset` those of its parts.
    caller
        Who needs the labels, to be named in an error.
    ignore_index
        The id of what has no label, besides -100.

    Raises
    ------
    ValueError
        If there are no labels, or they are not class ids, or not one for each item.

    Examples
    --------
    >>> from torch.utils.data import Subset, TensorDataset
    >>> data = TensorDataset(torch.zeros(4, 2), torch.tensor([0, 1, 1, 0]))
    >>> read_labels(Subset(data, [1, 2]) + data, "a sampler").values.tolist()
    [1, 1, 0, 1, 1, 0]
    """
    if isinstance(source, Labels):
        return source if ignore_index == IGNORED else source.without(ignore_index)
    if isinstance(source, Subset):
        return read_labels(source.dataset, caller, ignore_index).take(
            torch.as_tensor(source.indices, dtype=torch.int64)
        )
    if isinstance(source, ConcatDataset):
        return Labels.concatenated([read_labels(part, caller, ignore_index) for part in source.datasets])
    if isinstance(source, StackDataset):
        members = source.datasets
        if isinstance(members, tuple):
            return read_labels(members[-1], caller, ignore_index)
        if (name := next((name for name in HELD_AS if name in members), None)) is not None:
            return read_labels(members[name], caller, ignore_index)
        how = f"data.datasets[{list(members)[-1]!r}]"
        raise ValueError(_say_where_labels_are(source, caller, f"has the members {', '.join(members)}", how))
    if isinstance(source, TensorDataset):
        return _to_labels(source.tensors[-1], caller, ignore_index)
    if isinstance(source, Dataset) or isinstance(getattr(source, "column_names", None), list | dict):
        labels = _to_labels(_held_labels(source, caller), caller, ignore_index)
        if hasattr(source, "__len__") and len(labels) != len(source):
            raise ValueError(
                f"{caller} needs one label for each of the {len(source)} items of the {type(source).__name__}, which holds "
                f"{len(labels)}; give labels=..., in the order of the data set"
            )
        return labels
    return _to_labels(source, caller, ignore_index)


def _held_labels(dataset: Any, caller: str) -> Any:
    """Return what a data set holds as labels, in an attribute or in a column."""
    columns = getattr(dataset, "column_names", None)
    if isinstance(columns, dict):  # splits by name, as in a DatasetDict
        raise ValueError(
            f"{caller} needs the labels of one data set; given: a {type(dataset).__name__} of {', '.join(columns)}. "
            f"Give one of them, such as data[{next(iter(columns), 'train')!r}]."
        )
    if isinstance(columns, list):
        if (column := next((name for name in HELD_AS if name in columns), None)) is not None:
            return dataset[column]
        how = f"data[{columns[-1]!r}]" if columns else "y"
        raise ValueError(_say_where_labels_are(dataset, caller, f"has the columns {', '.join(columns)}", how))
    for attribute in HELD_AS:
        held = getattr(dataset, attribute, None)
        if held is not None and not callable(held):
            return held
    how = "[int(y) for _, y in data]"
    try:
        item = dataset[0]
    except Exception:  # it has no items, or fails in the training loop too, and with a better message
        item = None
    if isinstance(item, Mapping):
        key = next((key for key in item if key in HELD_AS), "label")
        how = f"[item[{key!r}] for item in data]"
    raise ValueError(_say_where_labels_are(dataset, caller, "has no attribute `targets` or `labels`", how))


def _say_where_labels_are(dataset: Any, caller: str, why: str, how: str) -> str:
    return (
        f"{caller} needs to know the class of every item, and {type(dataset).__name__} {why}; give labels=..., one class id per "
        f"item, in the order of the data set, such as labels={how}"
    )


def _to_labels(values: Any, caller: str, ignore_index: int = IGNORED) -> Labels:
    given_type = type(values).__name__
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()  # a pandas Series
    is_sequence = isinstance(values, Sequence) and not isinstance(values, str) and len(values) > 0
    if is_sequence and not isinstance(values, list | tuple):
        values = list(values)  # a column that is read anew with each item
    if is_sequence and _is_item_sequence(values[0]):
        if all(isinstance(item, Tensor | np.ndarray) for item in values):
            if all(_is_integer(item) for item in values):
                return Labels.packed(values, ignore_index=ignore_index)
        else:
            values = [item.tolist() if isinstance(item, Tensor | np.ndarray) else item for item in values]
            if all(_is_whole_number(label) for item in values for label in item):
                return Labels.packed(values, ignore_index=ignore_index)
    elif is_sequence:
        if all(_is_whole_number(label) for label in values):
            return Labels.of(values, ignore_index=ignore_index)
    elif isinstance(values, Tensor | np.ndarray) and values.ndim > 0:
        tensor = values if isinstance(values, Tensor) else _to_tensor(values)
        if tensor is not None and _is_integer(tensor):
            if tensor.ndim == 1:
                return Labels.of(tensor, ignore_index=ignore_index)
            return Labels.rectangular(_check_not_one_hot(tensor, caller), ignore_index=ignore_index)
    raise ValueError(
        f"{caller} needs labels that are class ids, whole numbers from 0: of shape (N,), one sequence of ids per item, or a "
        f"data set that holds them; given: {given_type}{_describe(values)}. Map class names to ids first."
    )


def _check_not_one_hot(labels: Tensor, caller: str) -> Tensor:
    """Return class ids `(N, P)`; refuse a matrix of nothing but 0 and 1, which may be one-hot, multi-hot or class ids."""
    if labels.ndim == 2 and labels.shape[1] > 1 and bool(((labels == 0) | (labels == 1)).all()):
        raise ValueError(
            f"{caller} cannot know whether labels of shape {tuple(labels.shape)} that are all 0 or 1 are class ids. If column c "
            "says whether an item has class c, give [row.nonzero().flatten() for row in labels]; if they are class ids, "
            "give Labels.rectangular(labels)."
        )
    return labels


def _is_item_sequence(value: Any) -> bool:
    """Whether the first of several values is itself a sequence: items with many labels."""
    return not isinstance(value, str) and (isinstance(value, Sequence) or getattr(value, "ndim", 0) > 0)


def _is_integer(values: Tensor | np.ndarray) -> bool:
    if isinstance(values, Tensor):
        return not values.is_floating_point() and not values.is_complex()
    return values.dtype.kind in "iub"


def _is_whole_number(value: Any) -> bool:
    return isinstance(value, int | np.integer) or (
        isinstance(value, Tensor) and value.ndim == 0 and not value.is_floating_point()
    )


def _to_tensor(values: np.ndarray) -> Tensor | None:
    try:
        return torch.as_tensor(values if values.flags.writeable else values.copy())
    except (TypeError, ValueError):  # strings, objects
        return None


def _describe(values: Any) -> str:
    if isinstance(values, Tensor | np.ndarray):
        return f" of shape {tuple(values.shape)}, {values.dtype}"
    if isinstance(values, Sequence) and not isinstance(values, str) and len(values):
        return f" of {type(values[0]).__name__}"
    return ""
