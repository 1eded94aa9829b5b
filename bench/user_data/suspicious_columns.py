"""Columns that a model should not learn from: ids, copies of the target, and columns that give the target away."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.tasks.row_chunks import RowChunks
from bench.tasks.splitting import Ids

DETERMINES = 0.98
"""Balanced accuracy of one column from which it tells the target."""
GIVES_AWAY = 0.85
"""Lower limit of the share of one class among the rows with one value from which the value tells the class."""
FEW_VALUES = 20
"""Different values of a column that are looked at one by one."""
_MOST_ROWS, _MOST_VALUES = 6_000, 200_000
"""Rows, and values of all columns, that leaks are searched in, so that wide tables take no longer."""
_FEWEST_OF_CLASS = 10
"""Rows that a class must have to count in the balanced accuracy."""

_ID_NAME = re.compile(
    r"(?i)(^|[^a-z])(id|ids|uid|uuid|guid|key|index|idx|rowid|row_?number|no|nr)$|[a-z](Id|ID|Key)$|^udi$"
)
"""Names of columns that are called ids."""
_FEWEST_IDS = 20
"""Rows from which a column of different values is noticed: a few numbers often differ by chance."""


def explain_id(name: str, values: pd.Series) -> str:
    """Return why a column of whole numbers or strings is an id, or nothing if it is none.

    Ids are different in every row, and also count up, or fill their range, or are called ids.
    """
    if len(values) < _FEWEST_IDS or not values.is_unique:
        return ""
    if not pd.api.types.is_numeric_dtype(values.dtype):
        return "a different string in every row: an id or a name"
    if values.is_monotonic_increasing or values.is_monotonic_decreasing:
        return "whole numbers that count the rows: an id"
    if values.max() - values.min() < 2 * len(values):
        return f"every whole number from {values.min():g} to {values.max():g} at most once: an id"
    return "a different whole number in every row, and called an id" if _ID_NAME.search(name) else ""


def find_copies(columns: Iterable[tuple[str, pd.Series]], labels: NDArray[Any]) -> list[str]:
    """Return the columns that are the target under other names: one value for each class, in all rows.

    Examples
    --------
    >>> features = pd.DataFrame({"flag": [1.0, 0.0, 0.0, 1.0], "age": [30.0, 30.0, 51.0, 44.0]})
    >>> find_copies(features.items(), np.array(["yes", "no", "no", "yes"]))
    ['flag']
    """
    classes, names = pd.factorize(labels)
    copies = []
    for name, column in columns:
        if column.iloc[:1000].nunique(dropna=False) > len(names):
            continue
        values, different = pd.factorize(column, use_na_sentinel=False)
        if len(different) == len(names) and len(np.unique(values * len(names) + classes)) == len(names):
            copies.append(str(name))
    return copies


def find_leaks(features: pd.DataFrame | RowChunks, labels: NDArray[Any], train: Ids) -> list[str]:
    """Return notes on columns that give the target away, which are often known only after it.

    A column does so in either of two ways. Alone, in a small decision tree, it tells all classes apart: balanced accuracy
    `DETERMINES` at least, over two folds. Or, among at most `FEW_VALUES` different values or in being missing, one value comes
    with one class, which is not the class of most rows: the lower limit of the 95% interval of that share is at least
    `GIVES_AWAY`.

    Measured on training parts (60% of the rows), the best single columns of tables without leaks reach a balanced accuracy of .97
    (iris), .89 (breast cancer), .84 (online shoppers), .81 (wine), .78 (ai4i2020) and .26 (digits), and a lower limit of .79
    (digits) or .5 and less. The leaks of ai4i2020, of which each explains some of the failures, have lower limits of .90 to .95.

    Parameters
    ----------
    features, labels
        All rows, and their labels `(N,)`, strings.
    train
        The rows of the training part, in ascending order: no others are looked at.
    """
    rows = train[_choose_rows(labels[train], min(_MOST_ROWS, max(500, _MOST_VALUES // features.shape[1])))]
    features, labels = features.take(rows), labels[rows]
    reasons = {}
    for name in map(str, features.columns):
        if reason := _explain_leak(name, features[name], labels):
            reasons[name] = reason
    if not reasons:
        return []
    alike = _flags_next_to(features, list(reasons))
    known, them = ("it is", "it") if len(reasons) == 1 else ("they are", "them")
    note = (
        f"{join_names(map(repr, reasons))} may give the target away: {next(iter(reasons.values()))}; if {known} known only "
        f"after the target, leave {them} out: {' '.join(f'--drop {shlex.quote(name)}' for name in [*reasons, *alike])}"
    )
    if alike:
        note += f" ({join_names(map(repr, alike))} {'is a rare flag' if len(alike) == 1 else 'are rare flags'} next to them)"
    return [note]


def join_names(names: Iterable[str]) -> str:
    """Return names as an enumeration.

    >>> join_names(["a", "b", "c"])
    'a, b and c'
    """
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _choose_rows(labels: NDArray[Any], most: int) -> NDArray[np.int64]:
    """Return rows spread over all classes; about as many as allowed, of which a rare class keeps all it can."""
    if len(labels) <= most:
        return np.arange(len(labels))
    classes, names = pd.factorize(labels)
    share = max(1, most // len(names))
    chosen = [
        members[:: max(1, len(members) // share)]
        for members in (np.flatnonzero(classes == c) for c in range(len(names)))
    ]
    return np.sort(np.concatenate(chosen))


def _explain_leak(name: str, values: pd.Series, labels: NDArray[Any]) -> str:
    column = values.astype("int64") if pd.api.types.is_datetime64_any_dtype(values.dtype) else values
    codes, different = pd.factorize(column, use_na_sentinel=False)
    if len(different) <= FEW_VALUES:
        shown = [name_value(value) for value in different]
        if reason := _explain_value(name, codes, shown, labels):
            return reason
    missing = values.isna().to_numpy()
    if (
        missing.any()
        and not missing.all()
        and (reason := _explain_value(name, missing.astype(int), ["given", "missing"], labels))
    ):
        return reason
    numbers = (
        codes if column.dtype == object or pd.api.types.is_string_dtype(column.dtype) else column.to_numpy("float64")
    )
    accuracy = _score_alone(np.asarray(numbers, "float64"), labels)
    if accuracy >= DETERMINES:
        return f"{name!r} alone tells the classes apart (balanced accuracy {accuracy:.3f} on training rows)"
    return ""


def _explain_value(name: str, codes: NDArray[Any], shown: Sequence[str], labels: NDArray[Any]) -> str:
    """Return how a value gives a class away, or nothing."""
    classes, names = pd.factorize(labels)
    table = np.zeros((len(shown), len(names)))
    np.add.at(table, (codes, classes), 1)
    totals, priors = table.sum(axis=1, keepdims=True), table.sum(axis=0) / len(labels)
    lowest = _lower_limit(table, np.maximum(totals, 1))
    lowest[:, priors > 0.5] = 0  # what most rows are anyway
    value, label = map(int, np.unravel_index(lowest.argmax(), lowest.shape))
    if lowest[value, label] < GIVES_AWAY:
        return ""
    share, total = table[value, label] / totals[value, 0], int(totals[value, 0])
    return (
        f"{share:.0%} of the {total:,} training rows with {name!r} = {shown[value]} are of class {names[label]}, "
        f"and {priors[label]:.1%} of all"
    )


def _lower_limit(count: NDArray[np.float64], total: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lower limit of Wilson's 95% interval of a share."""
    z, share = 1.96, count / total
    centre = share + z**2 / (2 * total)
    return (centre - z * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))) / (1 + z**2 / total)


def _score_alone(values: NDArray[np.float64], labels: NDArray[Any]) -> float:
    """Return the balanced accuracy of a small decision tree on one column, over two folds; 0 if it is low for sure."""
    from sklearn.tree import DecisionTreeClassifier

    names, classes = np.unique(labels, return_inverse=True)
    known = np.bincount(classes)[classes] >= _FEWEST_OF_CLASS
    if len(np.unique(classes[known])) < 2:
        return 0.0
    x, y = np.nan_to_num(values, nan=np.nanmin(values) - 1.0).astype(np.float32)[known, None], classes[known]
    if _bound_accuracy(x[:, 0], y) < DETERMINES:
        return 0.0
    leaves = max(8, 2 * len(names))
    tree = DecisionTreeClassifier(max_leaf_nodes=leaves, min_samples_leaf=5, class_weight="balanced", random_state=0)
    fold = np.empty(len(y), np.int64)
    fold[np.argsort(y, kind="stable")] = np.arange(len(y)) % 2  # halves of each class
    predicted = np.empty_like(y)
    for number in (0, 1):
        predicted[fold == number] = tree.fit(x[fold != number], y[fold != number]).predict(x[fold == number])
    return _mean_recall(y, predicted)


def _bound_accuracy(values: NDArray[np.float32], y: NDArray[np.int64]) -> float:
    """Return a balanced accuracy on these rows that few thresholds cannot exceed: that of the best class of each of many bins of
    equal weight, and a bin for thresholds inside of one. It takes a fraction of the time of a tree."""
    counts, bins = np.bincount(y), int(np.clip(len(y) // 10, 8, 400))
    order = np.argsort(values, kind="stable")
    weight = 1 / (int((counts > 0).sum()) * counts[y[order]])
    place = np.minimum(np.cumsum(weight) * bins, bins - 1).astype(np.int64)
    mass = np.bincount(place * len(counts) + y[order], weights=weight, minlength=bins * len(counts))
    return float(mass.reshape(bins, len(counts)).max(axis=1).sum()) + 1 / bins


def _mean_recall(y: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    counts = np.bincount(y)
    return float((np.bincount(y[predicted == y], minlength=len(counts)) / np.maximum(counts, 1))[counts > 0].mean())


def _flags_next_to(features: pd.DataFrame, leaks: Sequence[str]) -> list[str]:
    """Return the rare flags in an unbroken row of flags that holds two leaks or more: they are likely to mean the same thing."""
    flags = [name for name in features if _is_rare_flag(features[name])]
    order = {str(name): place for place, name in enumerate(features.columns)}
    rows: list[list[str]] = []
    for name in map(str, flags):
        if rows and order[name] == order[rows[-1][-1]] + 1:
            rows[-1].append(name)
        else:
            rows.append([name])
    return [name for row in rows if len(set(row) & set(leaks)) >= 2 for name in row if name not in leaks]


def _is_rare_flag(values: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(values.dtype) and values.isin((0.0, 1.0)).all() and values.mean() < 0.1)


def name_value(value: Any) -> str:
    """Return a value as a user wrote it."""
    return f"{value:g}" if isinstance(value, float) else str(value)
