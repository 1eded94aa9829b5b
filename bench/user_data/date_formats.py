"""The formats in which a column of strings writes dates."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

_DAYS = (
    *(
        "%d.%m.%Y",
        "%d/%m/%Y",
        "%m/%d/%Y",
        "%d-%m-%Y",
        "%m-%d-%Y",
        "%Y/%m/%d",
        "%Y.%m.%d",
        "%d %b %Y",
        "%d %B %Y",
        "%d-%b-%Y",
    ),
    *("%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%b-%y"),
)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_TRIED = 300
"""Different values that are tried."""
_MOST_OTHERS = 0.05
"""Share of the different values that may be no dates."""
_LOOKS_LIKE_DATE = r"(?i).*\d.*[-/.: ].*\d.*"


def find_date_formats(values: pd.Series) -> tuple[str, ...]:
    """Return the formats of strings that are dates, the most common one first; none if more than a few strings are no dates.

    A day and a month that cannot be distinguished are read as the format that more of the other values need, else as day before
    month; formats of one column may differ.

    Parameters
    ----------
    values
        Different values of the column, without missing ones.

    Examples
    --------
    >>> find_date_formats(pd.Series(["2024-01-31", "2024-02-01 12:00"]))
    ('ISO8601',)
    >>> find_date_formats(pd.Series(["31/01/2024", "1/2/2024"])), find_date_formats(pd.Series(["Feb", "Mar"]))
    (('%d/%m/%Y',), ())
    """
    tried = values.iloc[:: max(1, len(values) // _TRIED)].astype("str")
    looks = tried.str.fullmatch(_LOOKS_LIKE_DATE)
    if looks.mean() < 1 - _MOST_OTHERS:
        return ()
    tried = tried[looks]
    fits = {form: mask for form, mask in _try_formats(tried) if mask.any()}
    formats: list[str] = []
    left = pd.Series(True, index=tried.index)
    while left.any() and fits:
        best = max(fits, key=lambda form: int((fits[form] & left).sum()))
        if not (fits[best] & left).any():
            break
        formats.append(best)
        left &= ~fits[best]
    return () if left.mean() > _MOST_OTHERS else tuple(formats)


def _try_formats(values: pd.Series) -> Iterator[tuple[str, pd.Series]]:
    """Yield each format and which values it fits, until one fits all."""
    for form in ("ISO8601", "%H:%M", "%H:%M:%S", *(day + time for time in _TIMES for day in _DAYS)):
        fitting = pd.to_datetime(values, format=form, errors="coerce", utc=True).notna()
        yield form, fitting
        if fitting.all():
            return
