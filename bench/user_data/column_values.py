"""Values of columns as numbers, categories, dates and labels, and the features that are made of them.

A script for users holds the source of these functions, so they need pandas, numpy and scikit-learn alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

MISSING_WORDS = (
    *(
        "",
        "NA",
        "N/A",
        "n/a",
        "#N/A",
        "<NA>",
        "nan",
        "NaN",
        "NAN",
        "-nan",
        "null",
        "NULL",
        "Null",
        "none",
        "None",
        "NONE",
    ),
    *("NaT", "?", "-", "--", ".", "missing", "Missing"),
)
"""What stands for a missing value in a column of text."""
MISSING_LABELS = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "nan", "NaN", "NAN", "-nan", "null", "NULL", "NaT", "?")
"""What stands for a missing label; "None" and "missing" can be classes."""
MISSING_CATEGORY = "(missing)"
TRUTH = {
    **dict.fromkeys(("true", "yes", "t", "y", "on", "1", "1.0"), 1.0),
    **dict.fromkeys(("false", "no", "f", "n", "off", "0", "0.0"), 0.0),
}
"""Words for true and false, in lower case."""
LARGEST = 1e30
"""Numbers beyond it count as missing: their squares are infinite in float32."""


def to_text(column: pd.Series, missing: tuple[str, ...] = MISSING_WORDS) -> pd.Series:
    """Return values as strings without blanks around them, None where they are missing."""
    text = column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column
    if not pd.api.types.is_string_dtype(text.dtype) or text.dtype == object:
        text = text.map(str, na_action="ignore")
    text = text.astype("str").str.strip()
    return text.where(text.notna() & ~text.isin(missing))


def to_numbers(column: pd.Series, decimal: str = ".", thousands: str = "") -> pd.Series:
    """Return values as float64, without the characters `thousands`; what is no finite number is missing."""
    if pd.api.types.is_timedelta64_dtype(column.dtype):
        column = column.dt.total_seconds()
    if not pd.api.types.is_numeric_dtype(column.dtype):
        text = to_text(column)
        for mark in thousands:
            text = text.str.replace(mark, "", regex=False)
        if decimal != ".":
            text = text.str.replace(decimal, ".", regex=False)
        try:
            column = text.astype("float64[pyarrow]")  # all are numbers: much faster
        except (ImportError, ValueError):
            column = pd.to_numeric(text, errors="coerce")
    numbers = column.astype("float64")
    return numbers.where(numbers.abs() <= LARGEST)


def to_truth(column: pd.Series) -> pd.Series:
    """Return words for true and false as 1.0 and 0.0."""
    return to_text(column).str.lower().map(TRUTH).astype("float64")


def to_categories(column: pd.Series) -> pd.Series:
    """Return values as strings; the missing ones have a category of their own."""
    return to_text(column).fillna(MISSING_CATEGORY).astype(object)


def to_dates(column: pd.Series, formats: tuple[str, ...] = ()) -> pd.Series:
    """Return values as dates without a time zone; each is read in the first of the formats that fits."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        dates = column.dt.tz_localize(None).astype("datetime64[us]")
        return pd.Series(dates)
    text = to_text(column)
    dates = pd.Series(pd.NaT, index=column.index, dtype="datetime64[us]")
    for form in formats:
        left = dates.isna() & text.notna()
        if left.any():
            parsed = pd.to_datetime(text[left], format=form, errors="coerce", utc=True)
            dates[left] = parsed.dt.tz_localize(None).astype("datetime64[us]")
    return dates


def date_parts(dates: pd.DataFrame) -> pd.DataFrame:
    """Return year, month, day of the week, hour, and days since 1970 of each column of dates."""
    parts = {}
    for name in dates:
        date = dates[name].dt
        parts[f"{name} year"] = date.year.astype("float64")
        parts[f"{name} month"] = date.month.astype("float64")
        parts[f"{name} weekday"] = date.day_of_week.astype("float64")
        parts[f"{name} hour"] = (date.hour + date.minute / 60).astype("float64")
        parts[f"{name} days"] = (dates[name] - pd.Timestamp(1970, 1, 1)) / pd.Timedelta(days=1)
    return pd.DataFrame(parts)


def mark_missing(frame: pd.DataFrame) -> pd.DataFrame:
    """Return 1.0 where a value is missing, else 0.0."""
    return frame.isna().astype("float64")


def make_transformer(
    numbers: list[str], dates: list[str], categories: dict[str, list[Any]], missing: list[str], texts: dict[str, Any]
) -> Any:
    """Return an unfitted ColumnTransformer: medians for missing numbers, everything but categories scaled, and features
    that mark missing values. A value that is not among the categories of its column has no feature. `texts` holds the
    transformer of each column of text."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    def scale() -> list[Any]:
        return [SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()]

    encoder = OneHotEncoder(categories=list(categories.values()), handle_unknown="ignore", sparse_output=False)
    steps = [
        ("numbers", make_pipeline(*scale()), numbers),
        ("dates", make_pipeline(FunctionTransformer(date_parts), *scale()), dates),
        ("categories", encoder, list(categories)),
        ("missing", FunctionTransformer(mark_missing), missing),
        *((f"text {name}", transformer, name) for name, transformer in texts.items()),
    ]
    return ColumnTransformer([step for step in steps if step[2]], sparse_threshold=0)


def to_labels(column: pd.Series) -> pd.Series:
    """Return labels as strings without blanks around them, None where they are missing; 1.0 is the label "1"."""
    labels = to_text(column, MISSING_LABELS)
    present = labels.dropna().unique()
    numbers = pd.to_numeric(pd.Series(present, dtype="str"), errors="coerce").to_numpy("float64")
    if not (np.isfinite(numbers).all() and (numbers == numbers.round()).all()):
        return labels
    if all(word.isdigit() for word in present):  # 01 and 1 may be codes
        return labels
    names = {word: str(int(number)) for word, number in zip(present, numbers, strict=True)}
    return labels.map(names, na_action="ignore")
