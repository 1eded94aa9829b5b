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
            if hasattr(source, name):
                return _as_labels(getattr(source, name), asked_by)
        raise ValueError(
            f"{asked_by} needs to know the class of every item, and {type(source).__name__} has no attribute "
            f"`targets` or `labels`; give labels=..., one class id an item, in the order of the data set"
        )
    return _as_labels(source, asked_by)


def _as_labels(values: Any, asked_by: str) -> Labels:
    if isinstance(values, Tensor | np.ndarray) and values.ndim == 1:
        return Labels.of(values)
    if isinstance(values, Tensor | np.ndarray) and values.ndim == 2:
        return Labels.rectangular(values)
    if isinstance(values, Sequence) and not isinstance(values, str) and len(values):
        return Labels.packed(values) if isinstance(values[0], Sequence) else Labels.of(values)
    raise ValueError(
        f"{asked_by} needs labels: class ids of shape (N,), one sequence of ids an item, or a data set that holds them; "
        f"given: {type(values).__name__}{' of shape ' + str(tuple(values.shape)) if hasattr(values, 'shape') else ''}"
    )
