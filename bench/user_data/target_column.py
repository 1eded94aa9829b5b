"""The column to predict: found by its name, read as classes, and refused where it has none."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.errors import InputError
from bench.text.lines import one_line
from bench.text.numbers import plural
from bench.user_data.column_recognition import find_number_format
from bench.user_data.column_values import to_labels, to_numbers, to_text

_LISTED = 12
"""Columns that a message lists in full."""
_FEW, _MANY, _MOST = 10, 20, 100
"""Different labels up to which they are classes however few rows there are; different numbers from which a target may be
continuous, and beyond which whole numbers are."""
_MOST_CLASSES = 500
_ROWS_PER_CLASS = 10


@dataclass(frozen=True)
class Target:
    """The labels of a table's rows."""

    column: str
    labels: pd.Series
    """A string per row, None where there is no label."""
    notes: tuple[str, ...]


def find_column(asked: str, columns: Iterable[str], option: str) -> tuple[str, tuple[str, ...]]:
    """Return the column that an option names, and a note if only case or blanks differ.

    Raises
    ------
    InputError
        If there is no such column; it names the nearest ones, or all.

    Examples
    --------
    >>> find_column("is fraud ", ["amount", "Is Fraud"], "--target")
    ('Is Fraud', ("--target 'is fraud ' is the column 'Is Fraud'",))
    """
    names = list(columns)
    if asked in names:
        return asked, ()
    alike = [name for name in names if _fold(name) == _fold(asked)]
    if len(alike) == 1:
        return alike[0], (f"{option} {asked!r} is the column {alike[0]!r}",)
    if len(alike) > 1:
        raise InputError(f"{option} {asked!r}: there are {' and '.join(map(repr, alike))}; write the one that is meant")
    folded = {_fold(name): name for name in names}
    nearest = [folded[name] for name in difflib.get_close_matches(_fold(asked), folded, n=3, cutoff=0.6)]
    if len(names) <= _LISTED:
        hint = f"the columns are {', '.join(names)}"
        hint = f"did you mean {nearest[0]!r}? {hint}" if nearest else hint
    elif nearest:
        hint = f"did you mean {' or '.join(map(repr, nearest))}? There are {len(names)} columns"
    else:
        hint = f"the {len(names)} columns begin with {', '.join(names[:_LISTED])}"
    raise InputError(f"{option} {asked!r}: there is no such column; {hint}")


def read_target(column: str, values: pd.Series, source: str, bins_code: Callable[[], str]) -> Target:
    """Return the labels of a column.

    Parameters
    ----------
    column
        Its name.
    values
        A value per row.
    source
        The file's name, for messages.
    bins_code
        Returns code that makes classes of a column of numbers, which the message about a continuous target gives.

    Raises
    ------
    InputError
        If there is one class only, or so many values that they are numbers to predict, or ids.
    """
    labels = _read_labels(values)
    counts = labels.value_counts()
    if counts.empty:
        raise InputError(f"{source}: no row has a label: the column {column!r} is empty; name another --target")
    if len(counts) == 1:
        raise InputError(
            f"{source}: all {counts.sum():,} labels are the same, {column} = {quote_label(counts.index[0])}, so there is nothing "
            "to predict: name another --target, or add rows of another class"
        )
    _refuse_continuous(column, counts, source, bins_code)
    notes = []
    if missing := len(labels) - int(counts.sum()):
        notes.append(f"{plural(missing, 'row')} without a label in {column!r} left out")
    different = pd.Series(values.dropna().unique())
    if pd.api.types.is_string_dtype(different.dtype) or different.dtype == object:
        names = different.map(str)
        if names.str.strip().nunique() < names.nunique():
            stripped = int(values.isin(different[names != names.str.strip()]).sum())
            notes.append(f"{plural(stripped, 'label')} with blanks around them: the blanks are not part of the label")
    if changed := [
        name for name in to_text(different).dropna().unique() if name not in counts.index and _is_number(name)
    ]:
        notes.append(f"labels such as {changed[0]} are read as {int(float(changed[0]))}")
    notes += _note_spellings(column, counts)
    return Target(column, labels, tuple(notes))


def _read_labels(values: pd.Series) -> pd.Series:
    """Return what `to_labels` does, from the different values, of which there are few."""
    if values.dtype == object:  # 1, True and "1" are different labels, and equal values
        return to_labels(values)
    classes, different = pd.factorize(values)
    return to_labels(pd.Series(different)).reindex(classes).set_axis(values.index)


def quote_label(label: object) -> str:
    """Return a label in quotes on one line, its end left out where it is long."""
    text = one_line(str(label))
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


def _fold(name: str) -> str:
    return "".join(char for char in name.casefold() if char.isalnum()) or name


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _refuse_continuous(column: str, counts: pd.Series, source: str, bins_code: Callable[[], str]) -> None:
    """Raise an InputError if labels are numbers of a continuous quantity, or ids."""
    classes, rows = len(counts), int(counts.sum())
    words = pd.Series(counts.index, dtype="str")
    numbers = to_numbers(words, *find_number_format(words))
    # A few words among numbers, such as "unknown", do not make them classes.
    if numbers.notna().mean() > 0.9:
        whole = bool((numbers.dropna() % 1 == 0).all())
        few_rows = classes > _FEW and rows < (_ROWS_PER_CLASS if classes > _MANY else 2) * classes
        if few_rows or (classes > _MANY and not whole) or classes > _MOST:
            lowest, highest = numbers.min(), numbers.max()
            raise InputError(
                f"{source}: the target {column!r} is continuous ({classes:,} different numbers from {lowest:g} to {highest:g} in "
                f"{rows:,} rows), and classes are compared here; make classes of it: {bins_code()}"
            )
    elif classes > _FEW and rows < 2 * classes:
        raise InputError(
            f"{source}: {classes:,} different labels in {rows:,} rows, such as {quote_label(counts.index[0])}: the column "
            f"{column!r} holds ids or names, not classes; name another --target"
        )
    if classes > _MOST_CLASSES:
        raise InputError(
            f"{source}: the target {column!r} has {classes:,} classes, and at most {_MOST_CLASSES} can be compared; join the "
            "rare ones"
        )


def _note_spellings(column: str, counts: pd.Series) -> list[str]:
    """Return a note on labels that differ in case alone; they stay classes of their own, as in A and a."""
    folded: dict[str, list[str]] = {}
    for label in counts.index:
        folded.setdefault(str(label).casefold(), []).append(label)
    alike: Sequence[list[str]] = [labels for labels in folded.values() if len(labels) > 1]
    return [
        f"{' and '.join(f'{quote_label(label)} ({counts[label]:,} rows)' for label in labels)} differ in case alone and are "
        f"classes of their own; if they are one, write them alike in {column!r}"
        for labels in alike[:3]
    ]
