"""What the values of each column are, found from its type and its values: numbers, categories, dates, text, ids."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bench.text.numbers import plural
from bench.user_data.column_plan import ColumnPlan, PlannedColumn
from bench.user_data.column_values import LARGEST, TRUTH, to_categories, to_dates, to_numbers, to_text, to_truth
from bench.user_data.date_formats import find_date_formats
from bench.user_data.suspicious_columns import explain_id
from bench.user_data.text_encodings import TextFeatures, describe_features

MOST_CODES = 10
"""Integers with at most so many different values are categories: they may be codes, whose order means nothing."""
MOST_CATEGORIES = 30
"""Categories of a column that have a feature of their own; the others share none."""
MOSTLY = 0.95
"""Share of a column's values that must be numbers or dates if the others are to count as missing."""
MOST_STRINGS = 0.5
"""Share of different strings beyond which a column holds names, ids or text, not categories."""
WORDS_OF_TEXT = 3.0
"""Words per value, on average, from which a column of many different strings is text."""

_FEWEST_PER_CODE = 20
"""Rows per different whole number from which they may be codes."""
_DAY_OF_DIGITS = r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"
_WITH_UNIT = r"[+-]?[$€£¥][ \u00a0]?[+-]?[\d.,]+|[+-]?[\d.,]+[ \u00a0]?[$€£¥%]"
"""Amounts of money, and per cent."""
_AS_CODES = "integers of few values are taken as codes, not as quantities; to have these, write 1.0 in place of 1"
_INFINITIES = ("inf", "-inf", "+inf", "infinity", "-infinity")


def plan_columns(
    table: pd.DataFrame | Mapping[str, pd.Series],
    target: str,
    *,
    not_used: Mapping[str, str] | None = None,
    text: str = "",
    features: TextFeatures = "ngrams",
) -> ColumnPlan:
    """Decide what is done to each column of a table.

    Parameters
    ----------
    table
        Columns by name, with the rows whose values are known before the split; strings, numbers, dates or categories.
    target
        The column to predict.
    not_used
        Other columns that are no features, and why.
    text
        The column whose words are features.
    features
        How these become numbers.

    Examples
    --------
    >>> frame = pd.DataFrame(
    ...     {"amount": ["1.5", "", "7", "2"], "shop": ["a", "b", "a", "b"], "fraud": ["no", "no", "yes", "no"]}
    ... )
    >>> for column in plan_columns(frame, "fraud").columns:
    ...     print(column.column, "|", column.kind, "|", column.treatment, "|", column.reason)
    amount | number | median for missing values, an indicator of them, scaled | from 1.5 to 7; 1 missing
    shop | categories | a feature for each of 2 values | 2 different strings
    fraud | target | the label | chosen with --target
    """
    not_used = not_used or {}
    columns = []
    for name in map(str, table):
        if name == target:
            columns.append(PlannedColumn(name, "target", "the label", "chosen with --target"))
        elif name in not_used:
            columns.append(PlannedColumn(name, "not used", "left out", not_used[name]))
        elif name == text:
            columns.append(PlannedColumn(name, "text", describe_features(features), "chosen with --text"))
        else:
            columns.append(_plan_column(name, table[name]))
    return ColumnPlan(tuple(columns), features)


def _plan_column(name: str, values: pd.Series) -> PlannedColumn:
    """Decide by the type of a column, and by its values where they are strings."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return _plan_categories(name, to_text(values), listed=True)
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _plan_dates(name, to_dates(values), ())
    if pd.api.types.is_bool_dtype(values.dtype):
        return _plan_truth(name, to_truth(values))
    if pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_timedelta64_dtype(values.dtype):
        return _plan_numbers(name, values, to_numbers(values))
    if any(isinstance(value, list | tuple | set | dict | bytes | np.ndarray) for value in values.dropna().head(100)):
        return PlannedColumn(
            name, "not used", "left out", "its values are lists, objects or bytes; make columns of them"
        )
    return _plan_strings(name, to_text(values))


def _plan_strings(name: str, text: pd.Series) -> PlannedColumn:
    """Decide by what the strings are: numbers, words for true and false, dates, text, ids or categories."""
    present = text.dropna()
    if present.empty:
        return PlannedColumn(name, "not used", "left out", "no value in any row")
    if present.head(100).str.fullmatch(_DAY_OF_DIGITS).all() and to_dates(present, ("%Y%m%d",)).notna().all():
        return _plan_dates(name, to_dates(text, ("%Y%m%d",)), ("%Y%m%d",))
    if (numbers := _read_plain_numbers(text)) is not None and not present.str.match(r"0\d").any():
        return _plan_numbers(name, text, numbers)
    counts = present.value_counts()
    words = pd.Series(counts.index.astype("str"))
    if len(words) <= len(TRUTH) and set(words.str.lower()) <= set(TRUTH) and not set(words) <= {"0", "1"}:
        return _plan_truth(name, to_truth(text))
    if not _has_leading_zeros(words):
        decimal, thousands = find_number_format(words)
        numbers = to_numbers(words, decimal, thousands)
        of_numbers = float(counts.to_numpy()[numbers.notna() | words.str.lower().isin(_INFINITIES)].sum()) / len(
            present
        )
        if of_numbers >= MOSTLY:
            return _plan_numbers(name, text, to_numbers(text, decimal, thousands), decimal, thousands)
    if formats := find_date_formats(words):
        dates = to_dates(text, formats)
        if int(dates.notna().sum()) >= MOSTLY * len(present):
            return _plan_dates(name, dates, formats, unread=int((dates.isna() & text.notna()).sum()))
    return _plan_categories(name, text)


def _plan_truth(name: str, values: pd.Series) -> PlannedColumn:
    if (constant := _explain_constant(values)) is not None:
        return PlannedColumn(name, "not used", "left out", constant)
    reason = _with_missing(f"{values.mean():.1%} true", values)
    return PlannedColumn(name, "true or false", _numeric_treatment(values), reason, has_missing=_has_missing(values))


def _read_plain_numbers(text: pd.Series) -> pd.Series | None:
    """Return what `to_numbers` returns if every string is a number with a decimal point, which is fast to find out; else None."""
    try:
        numbers = text.astype("float64[pyarrow]").astype("float64")
    except ValueError:
        return None
    return numbers.where(numbers.abs() <= LARGEST)


def _plan_numbers(
    name: str, values: pd.Series, numbers: pd.Series, decimal: str = ".", thousands: str = ""
) -> PlannedColumn:
    present = numbers.dropna()
    if (constant := _explain_constant(numbers)) is not None:
        return PlannedColumn(name, "not used", "left out", constant)
    whole = bool((present % 1 == 0).all())
    if whole and (reason := explain_id(name, present)):
        return PlannedColumn(name, "not used", "left out", reason)
    notes = ["the decimal mark is a comma"] if decimal == "," else []
    notes += [f"{' and '.join(map(repr, thousands))} left out of its numbers"] if thousands else []
    unread = values[numbers.isna() & values.notna()]
    if len(unread):
        notes.append(
            f"{plural(len(unread), 'value')} such as {str(unread.iloc[0])[:20]!r} no finite number, so missing"
        )
    reason = f"from {present.min():g} to {present.max():g}"
    planned = PlannedColumn(
        name,
        "number",
        _numeric_treatment(numbers),
        _with_missing(reason, numbers, notes),
        "; ".join(notes),
        _has_missing(numbers),
        decimal,
        thousands,
    )
    if not whole or _are_floats(values) or present.head(1000).nunique() > MOST_CODES:
        return planned
    counts = present.value_counts()
    if not 2 < len(counts) <= MOST_CODES or len(present) < _FEWEST_PER_CODE * len(counts):
        return planned
    codes = tuple(map(float, sorted(counts.index)))
    reason = f"{len(counts)} different whole numbers {planned.reason}: perhaps codes, so their order is not used"
    note = "; ".join(filter(None, [_AS_CODES, planned.note]))
    treatment = _categorical_treatment(codes, len(counts))
    return replace(planned, kind="codes", treatment=treatment, reason=reason, note=note, categories=codes)


def _are_floats(values: pd.Series) -> bool:
    """Return whether numbers come as floats: by their type, or written with a point as in 1.0, so they are no codes."""
    if pd.api.types.is_string_dtype(values.dtype):
        return bool(values.str.contains(".", regex=False).any())
    return bool(pd.api.types.is_float_dtype(values.dtype))


def _plan_dates(name: str, dates: pd.Series, formats: tuple[str, ...], unread: int = 0) -> PlannedColumn:
    if (constant := _explain_constant(dates)) is not None:
        return PlannedColumn(name, "not used", "left out", constant)
    notes = [f"read as {' or '.join(formats)}"] if formats and formats != ("ISO8601",) else []
    notes += [f"{plural(unread, 'value')} no date, so missing"] if unread else []
    reason = f"from {dates.min():%Y-%m-%d} to {dates.max():%Y-%m-%d}"
    treatment = f"year, month, weekday, hour and days, {_numeric_treatment(dates)}"
    return PlannedColumn(
        name,
        "date",
        treatment,
        _with_missing(reason, dates, notes),
        "; ".join(notes),
        _has_missing(dates),
        formats=formats,
    )


def _plan_categories(name: str, text: pd.Series, *, listed: bool = False) -> PlannedColumn:
    """Plan a column of strings; `listed`: the table itself says that they are categories."""
    if (reason := _explain_constant(text)) is not None:
        return PlannedColumn(name, "not used", "left out", reason)
    present = text.dropna()
    if not listed and (reason := _explain_strings(name, present)):
        return PlannedColumn(name, "not used", "left out", reason)
    counts = to_categories(text).value_counts()
    kept = counts[counts >= _fewest(len(text))].head(MOST_CATEGORIES)
    if kept.empty:
        return PlannedColumn(
            name, "not used", "left out", f"{plural(len(counts), 'value')}, none of them in {_fewest(len(text))} rows"
        )
    reason = f"{plural(present.nunique(), 'different string')}"
    return PlannedColumn(
        name,
        "categories",
        _categorical_treatment(kept.index, len(counts)),
        _with_missing(reason, text),
        has_missing=_has_missing(text),
        categories=tuple(sorted(map(str, kept.index))),
    )


def _explain_strings(name: str, present: pd.Series) -> str:
    """Return why a column of strings is not used, or nothing: ids, names and text differ in most rows."""
    different = present.nunique()
    if different <= MOST_CATEGORIES or different < MOST_STRINGS * len(present):
        return ""
    words = (present.head(1000).str.count(r"\s+") + 1).mean()
    if words >= WORDS_OF_TEXT:
        return f"text, {words:.0f} words per value; to predict from it: --text {name!r}"
    return explain_id(name, present) or f"{different:,} different strings in {len(present):,} rows: an id or a name"


def _explain_constant(values: pd.Series) -> str | None:
    """Return why a column tells nothing, or None."""
    present = values.dropna()
    if present.empty:
        return "no value in any row"
    if len(present) == len(values) and (present == present.iloc[0]).all():
        return f"the same value in every row: {str(present.iloc[0])[:30]}"
    return None


def _has_leading_zeros(words: pd.Series) -> bool:
    """Return whether strings of digits are codes such as 00123, which are no numbers."""
    return bool(words.str.fullmatch(r"0\d+").any() and words.str.fullmatch(r"\d+").all())


def find_number_format(words: pd.Series) -> tuple[str, str]:
    """Return the decimal mark, and the marks to leave out of numbers: between thousands, and of currencies and per cent.

    >>> find_number_format(pd.Series(["1,234", "12,000"])), find_number_format(pd.Series(["1,5", "2,25"]))
    (('.', ','), (',', ''))
    >>> find_number_format(pd.Series(["1.234,50", "7"])), find_number_format(pd.Series(["1.5", "2"]))
    ((',', '.'), ('.', ''))
    >>> find_number_format(pd.Series(["$1,234.50", "$7"])), find_number_format(pd.Series(["4.5%", "12 %"]))
    (('.', '$,'), ('.', ' %'))
    """
    units = ""
    if words.str.fullmatch(_WITH_UNIT).mean() >= MOSTLY:
        units = "".join(unit for unit in " \u00a0$€£¥%" if words.str.contains(unit, regex=False).any())
        for unit in units:
            words = words.str.replace(unit, "", regex=False)
    with_comma = words[words.str.contains(",", regex=False)]
    if len(with_comma) == 0:
        blank = words.str.fullmatch(r"[+-]?\d{1,3}([ \u00a0\u202f]\d{3})+(\.\d+)?")
        return ".", units + ((re.search(r"[ \u00a0\u202f]", words[blank].iloc[0]) or " ")[0] if blank.any() else "")
    if with_comma.str.fullmatch(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?").mean() >= MOSTLY:
        return ".", units + ","
    if with_comma.str.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+,\d+").any():
        return ",", units + "."
    return (",", units) if with_comma.str.fullmatch(r"[+-]?\d*,\d+").mean() >= MOSTLY else (".", units)


def _fewest(rows: int) -> int:
    """Rows that a category must have for a feature of its own."""
    return max(2, min(10, rows // 1000))


def _has_missing(values: pd.Series) -> bool:
    return bool(values.isna().any())


def _with_missing(reason: str, values: pd.Series, notes: Sequence[str] = ()) -> str:
    missing = int(values.isna().sum())
    return "; ".join([reason, *notes, *([f"{missing:,} missing"] if missing else [])])


def _numeric_treatment(values: pd.Series) -> str:
    return "median for missing values, an indicator of them, scaled" if _has_missing(values) else "scaled"


def _categorical_treatment(kept: Collection[Any], total: int) -> str:
    if len(kept) == total:
        return f"a feature for each of {plural(total, 'value')}"
    return f"a feature for each of the {len(kept)} most frequent of {total:,} values; the others have none"
