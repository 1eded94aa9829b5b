"""Read the labels of a data set, wherever it keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Subset, TensorDataset

from strategies.labels import Labels


def read_labels(source: Any, caller: str) -> Labels:
    """Return the labels that `source` is or holds.

    Parameters
    ----------
    source
        Class ids `(N,)` as a tensor, array, list or pandas Series; one sequence of class ids per item; class ids `(N, P)`;
        `Labels`; or a data set. A data set holds its labels as `targets` or `labels`, a `TensorDataset` as its last tensor; a
        `Subset`, nested or not, takes those of its parent at its own indices.
    caller
        Who needs the labels, to be named in an error.

    Raises
    ------
    ValueError
        If there are no labels, or they are not class ids.

    Examples
    --------
    >>> from torch.utils.data import Subset, TensorDataset
    >>> data = TensorDataset(torch.zeros(4, 2), torch.tensor([0, 1, 1, 0]))
    >>> read_labels(Subset(data, [1, 2]), "a sampler").values.tolist()
    [1, 1]
    """
    if isinstance(source, Labels):
        return source
    if isinstance(source, Subset):
        return read_labels(source.dataset, caller).take(torch.as_tensor(source.indices, dtype=torch.int64))
    if isinstance(source, TensorDataset):
        return _to_labels(source.tensors[-1], caller)
    if isinstance(source, Dataset):
        for attribute in ("targets", "labels"):
            if getattr(source, attribute, None) is not None:
                return _to_labels(getattr(source, attribute), caller)
        raise ValueError(
            f"{caller} needs to know the class of every item, and {type(source).__name__} has no attribute "
            f"`targets` or `labels`; give labels=..., one class id per item, in the order of the data set"
        )
    return _to_labels(source, caller)


def _to_labels(values: Any, caller: str) -> Labels:
    given_type = type(values).__name__
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()  # a pandas Series
    is_sequence = isinstance(values, Sequence) and not isinstance(values, str) and len(values) > 0
    if is_sequence and _is_item_sequence(values[0]):
        items = [item.tolist() if isinstance(item, Tensor | np.ndarray) else item for item in values]
        if all(_is_whole_number(label) for item in items for label in item):
            return Labels.packed(items)
        values = items
    elif is_sequence:
        if all(_is_whole_number(label) for label in values):
            return Labels.of(values)
    elif isinstance(values, Tensor | np.ndarray) and values.ndim in (1, 2):
        tensor = values if isinstance(values, Tensor) else _to_tensor(values)
        if tensor is not None and not tensor.is_floating_point() and not tensor.is_complex():
            return Labels.of(tensor) if tensor.ndim == 1 else Labels.rectangular(_check_not_one_hot(tensor, caller))
    raise ValueError(
        f"{caller} needs labels that are class ids, whole numbers from 0: of shape (N,), one sequence of ids per item, or a "
        f"data set that holds them; given: {given_type}{_describe(values)}. Map class names to ids first."
    )


def _check_not_one_hot(labels: Tensor, caller: str) -> Tensor:
    """Return class ids `(N, P)`; refuse a matrix of nothing but 0 and 1, which may be one-hot, multi-hot or class ids."""
    if labels.shape[1] > 1 and bool(((labels == 0) | (labels == 1)).all()):
        raise ValueError(
            f"{caller} cannot know whether labels of shape {tuple(labels.shape)} that are all 0 or 1 are class ids. If column c "
            "says whether an item has class c, give [row.nonzero().flatten() for row in labels]; if they are class ids, "
            "give Labels.rectangular(labels)."
        )
    return labels


def _is_item_sequence(value: Any) -> bool:
    """Whether the first of several values is itself a sequence: items with many labels."""
    return not isinstance(value, str) and (isinstance(value, Sequence) or getattr(value, "ndim", 0) == 1)


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
