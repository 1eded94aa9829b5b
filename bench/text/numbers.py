"""Numbers as text, for tables, figures and sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

MISSING = "-"
"""Shown in place of a missing number. A hyphen, because DataTables sorts it as a missing number."""


def format_number(value: float | None, form: str = ".3f") -> str:
    """Return a number in a format of `format()`, three decimals if none is given.

    >>> format_number(0.73119), format_number(819200, ",.0f"), format_number(float("nan"))
    ('0.731', '819,200', '-')
    """
    return MISSING if value is None or math.isnan(value) else f"{value:{form}}"


def format_signed(value: float | None) -> str:
    """Return a difference with its sign and three decimals.

    >>> format_signed(0.0312), format_signed(float("nan"))
    ('+0.031', '-')
    """
    return format_number(value, "+.3f")


def format_mean_sd(mean: float, sd: float) -> str:
    """Return mean ± standard deviation with three decimals; the standard deviation of one seed is a dash.

    >>> format_mean_sd(0.7312, 0.0119), format_mean_sd(math.nan, math.nan)
    ('0.731 ± 0.012', '-')
    """
    if math.isnan(mean):
        return MISSING
    return f"{mean:.3f} ± {format_number(sd)}"


def format_percent(share: float | None) -> str:
    """Return a share in per cent with two decimals.

    >>> format_percent(0.1341)
    '13.41%'
    """
    return format_number(share, ".2%")


def format_amount(value: float | None) -> str:
    """Return a number of any size with three significant digits.

    >>> format_amount(1234567.0), format_amount(12.345), format_amount(0.00123), format_amount(None)
    ('1,230,000', '12.3', '0.00123', '-')
    """
    if value is None or math.isnan(value):
        return MISSING
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def format_imbalance(counts: Sequence[int]) -> str:
    """Return the labels of the largest class per label of the smallest that occurs: with one decimal below 10.

    >>> format_imbalance([43, 29]), format_imbalance([990, 10, 0])
    ('1.5 : 1', '99 : 1')
    """
    occurring = [count for count in counts if count]
    ratio = max(occurring) / min(occurring)
    return f"{ratio:.1f} : 1" if ratio < 10 else f"{ratio:,.0f} : 1"


def format_ratio(value: float | None) -> str:
    """Return a ratio with three significant digits.

    >>> format_ratio(1.234), format_ratio(123.4)
    ('1.23x', '123x')
    """
    if value is None:
        return MISSING
    return f"{value:.3g}x" if value < 100 else f"{value:.0f}x"


def format_duration(seconds: float) -> str:
    """Return seconds in the usual words, two units at most.

    >>> format_duration(0.4), format_duration(45), format_duration(200), format_duration(3900), format_duration(200000)
    ('0 s', '45 s', '3 min 20 s', '1 h 5 min', '55 h 33 min')
    """
    minutes, rest = divmod(int(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def format_about(seconds: float) -> str:
    """Return an estimate of seconds, as rough as it is: tens of seconds, then minutes.

    >>> format_about(3), format_about(44), format_about(200), format_about(3900)
    ('10 s', '50 s', '4 min', '1 h 5 min')
    """
    if seconds <= 50:
        return f"{max(10, math.ceil(seconds / 10) * 10)} s"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} min" if minutes < 60 else format_duration(minutes * 60)


def plural(count: int, noun: str) -> str:
    """Return a count with its noun.

    >>> plural(1, "seed"), plural(5, "seed"), plural(2, "class"), plural(3, "remedy")
    ('1 seed', '5 seeds', '2 classes', '3 remedies')
    """
    if count != 1:
        noun = f"{noun[:-1]}ie" if noun.endswith("y") else f"{noun}e" if noun.endswith("ss") else noun
    return f"{count:,} {noun}{'s' * (count != 1)}"


def format_fields(values: Mapping[str, Any]) -> str:
    """Return names and values as one enumeration; None is left out, a nested mapping is in parentheses.

    >>> format_fields({"steps": 3200, "optimiser": {"name": "adam", "learning_rate": 0.003}, "decay": None})
    'steps 3,200, optimiser (name adam, learning rate 0.003)'
    """
    return ", ".join(
        f"{name.replace('_', ' ')} {_format_field(value)}" for name, value in values.items() if value is not None
    )


def _format_field(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"({format_fields(value)})"
    if isinstance(value, list | tuple):
        return " ".join(map(_format_field, value))
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return f"{value:,}" if is_whole else str(value)
