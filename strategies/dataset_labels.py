"""The labels of a data set, wherever it keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Subset, TensorDataset

from strategies.labels import Labels


def labels_of(source: Any, asked_by: str) -> Labels:
    """The labels that `source` is or holds: class ids `(N,)`, one sequence of them an item, `Labels`, or a data set.

    A data set holds them as `targets` or `labels`, a `TensorDataset` as its last tensor; a `Subset`, nested or not, takes its
    parent's at its own indices. A ValueError names `asked_by` and says how to give them where none are found.

    >>> from torch.utils.data import Subset, TensorDataset
    >>> data = TensorDataset(torch.zeros(4, 2), torch.tensor([0, 1, 1, 0]))
    >>> labels_of(Subset(data, [1, 2]), "a sampler").values.tolist()
    [1, 1]
    """
    if isinstance(source, Labels):
        return source
    if isinstance(source, Subset):
        return labels_of(source.dataset, asked_by).take(torch.as_tensor(source.indices, dtype=torch.int64))
    if isinstance(source, TensorDataset):
        return _as_labels(source.tensors[-1], asked_by)
    if isinstance(source, Dataset):
        for name in ("targets", "labels"):
            if getattr(source, name, None) is not None:
                return _as_labels(getattr(source, name), asked_by)
        raise ValueError(
            f"{asked_by} needs to know the class of every item, and {type(source).__name__} has no attribute "
            f"`targets` or `labels`; give labels=..., one class id an item, in the order of the data set"
        )
    return _as_labels(source, asked_by)


def _as_labels(values: Any, asked_by: str) -> Labels:
    given = type(values).__name__
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()  # a pandas Series
    if isinstance(values, Sequence) and not isinstance(values, str) and len(values) and _many(values[0]):
        values = [each.tolist() if isinstance(each, Tensor | np.ndarray) else each for each in values]
        if all(_whole(label) for item in values for label in item):
            return Labels.packed(values)
    elif isinstance(values, Sequence) and not isinstance(values, str) and len(values):
        if all(_whole(label) for label in values):
            return Labels.of(values)
    elif isinstance(values, Tensor | np.ndarray) and values.ndim in (1, 2):
        tensor = values if isinstance(values, Tensor) else _tensor(values)
        if tensor is not None and not tensor.is_floating_point() and not tensor.is_complex():
            return Labels.of(tensor) if tensor.ndim == 1 else Labels.rectangular(_ids(tensor, asked_by))
    raise ValueError(
        f"{asked_by} needs labels that are class ids, whole numbers from 0: of shape (N,), one sequence of ids an item, or a "
        f"data set that holds them; given: {given}{_described(values)}. Map class names to ids first."
    )


def _ids(labels: Tensor, asked_by: str) -> Tensor:
    """Class ids `(N, P)`; a matrix of nothing but 0 and 1 may mean something else, and is sent back."""
    if labels.shape[1] > 1 and bool(((labels == 0) | (labels == 1)).all()):
        raise ValueError(
            f"{asked_by} cannot tell what labels of shape {tuple(labels.shape)} with nothing but 0 and 1 are. If column c says "
            "whether an item has class c, give [row.nonzero().flatten() for row in labels]; if they are class ids, "
            "give Labels.rectangular(labels)."
        )
    return labels


def _many(value: Any) -> bool:
    return not isinstance(value, str) and (isinstance(value, Sequence) or getattr(value, "ndim", 0) == 1)


def _whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) or (
        isinstance(value, Tensor) and value.ndim == 0 and not value.is_floating_point()
    )


def _tensor(values: np.ndarray) -> Tensor | None:
    try:
        return torch.as_tensor(values if values.flags.writeable else values.copy())
    except (TypeError, ValueError):  # strings, objects
        return None


def _described(values: Any) -> str:
    if isinstance(values, Tensor | np.ndarray):
        return f" of shape {tuple(values.shape)}, {values.dtype}"
    if isinstance(values, Sequence) and not isinstance(values, str) and len(values):
        return f" of {type(values[0]).__name__}"
    return ""
