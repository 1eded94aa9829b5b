"""What is done to each column of a table, and why: one plan, as a list to read, as a transformer, and as code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from bench.user_data.column_values import (
    make_transformer,
    to_categories,
    to_dates,
    to_numbers,
    to_truth,
)
from bench.user_data.text_encodings import TextFeatures, make_text_transformer, text_transformer_code

Kind = Literal["number", "true or false", "codes", "categories", "date", "text", "target", "not used"]
_KIND_NAMES = {
    "number": "numbers",
    "true or false": "truth values",
    "codes": "codes",
    "categories": "categories",
    "date": "dates",
    "text": "text",
}
_LISTED = 20
"""Columns of one treatment that a note lists."""
_WITH_INDICATOR = ("number", "true or false", "codes", "date")
"""Kinds of columns whose missing values have a feature of their own; categories have a category of their own."""


@dataclass(frozen=True)
class PlannedColumn:
    """One column: what its values are, what is done to them, and why."""

    column: str
    kind: Kind
    treatment: str
    reason: str
    note: str = ""
    """What a user should check: how values were read that can be read otherwise, or not at all."""
    has_missing: bool = False
    decimal: str = "."
    thousands: str = ""
    formats: tuple[str, ...] = ()
    categories: tuple[Any, ...] = ()

    @property
    def is_marked(self) -> bool:
        """Whether numbers are written with marks other than a decimal point."""
        return (self.decimal, self.thousands) != (".", "")

    def prepare(self, values: pd.Series) -> pd.Series:
        """Return values of the column, which may be strings or have types, as numbers, categories, dates or texts."""
        if self.kind == "true or false":
            return to_truth(values)
        if self.kind == "date":
            return to_dates(values, self.formats)
        if self.kind == "categories":
            return to_categories(values)
        if self.kind == "text":
            return values.astype(object)
        return to_numbers(values, self.decimal, self.thousands)


@dataclass(frozen=True)
class ColumnPlan:
    """The columns of a table in their order."""

    columns: tuple[PlannedColumn, ...]
    features: TextFeatures = "ngrams"
    """How a column of text becomes numbers."""

    def of_kind(self, *kinds: Kind) -> list[PlannedColumn]:
        """Return the columns of these kinds."""
        return [column for column in self.columns if column.kind in kinds]

    @property
    def used(self) -> list[PlannedColumn]:
        """The columns that features are made of."""
        return [column for column in self.columns if column.kind not in ("target", "not used")]

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Return (column, kind, treatment, reason) of every column, to be shown as a table."""
        return [(column.column, column.kind, column.treatment, column.reason) for column in self.columns]

    def prepare(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the columns that features are made of, as numbers, categories and dates; a column may have strings or types.

        Raises
        ------
        KeyError
            If a column is not there.
        """
        return pd.DataFrame({column.column: column.prepare(frame[column.column]) for column in self.used})

    def transformer(self) -> Any:
        """Return scikit-learn's ColumnTransformer, unfitted, that makes features of what `prepare` returns.

        The number of features is that of the plan, whatever rows it is fitted on. Medians, means and standard deviations come
        from the rows that it is fitted on; which values have a feature of their own is part of the plan.
        """
        steps = self._columns_of_steps()
        steps["texts"] = {name: make_text_transformer(self.features) for name in steps["texts"]}
        return make_transformer(**steps)

    def text_code(self) -> str:
        """Return Python source, with its imports, that defines `text_transformer`, the unfitted transformer of a text column."""
        return text_transformer_code(self.features)

    def without(self, reasons: Mapping[str, str]) -> ColumnPlan:
        """Return the plan with more columns left out, and why."""
        columns = (
            PlannedColumn(column.column, "not used", "left out", reasons[column.column])
            if column.column in reasons
            else column
            for column in self.columns
        )
        return ColumnPlan(tuple(columns), self.features)

    def notes(self) -> list[str]:
        """Return what a user of the results should know: of what kind the columns are, which are left out, what to check."""
        said = {
            "columns used": [(column.column, _KIND_NAMES[column.kind]) for column in self.used],
            "columns left out": [(column.column, column.reason) for column in self.of_kind("not used")],
            "please check": [(column.column, column.note) for column in self.used if column.note],
        }
        return [f"{what}: {_join_alike(columns)}" for what, columns in said.items() if columns]

    def _columns_of_steps(self) -> dict[str, Any]:
        """The columns of each step of the transformer."""
        return {
            "numbers": [column.column for kind in ("number", "true or false") for column in self.of_kind(kind)],
            "dates": [column.column for column in self.of_kind("date")],
            "categories": {column.column: list(column.categories) for column in self.of_kind("codes", "categories")},
            "missing": [column.column for column in self.used if column.has_missing and column.kind in _WITH_INDICATOR],
            "texts": [column.column for column in self.of_kind("text")],
        }


def _join_alike(columns: list[tuple[str, str]]) -> str:
    """Return columns with what is said of each in brackets, those of which the same is said together."""
    alike: dict[str, list[str]] = {}
    for name, what in columns:
        alike.setdefault(what, []).append(repr(name))
    return "; ".join(f"{_list_names(names)} ({what})" for what, names in alike.items())


def _list_names(names: list[str]) -> str:
    """Return names as an enumeration, the end of a long one left out."""
    if len(names) <= _LISTED + 1:
        return ", ".join(names)
    return f"{', '.join(names[:_LISTED])} and {len(names) - _LISTED} more"
