"""Numbers as text, for tables, figures and sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from bench.text.file_names import file_stem as _file_stem
from bench.text.lines import one_line as _one_line
from bench.text.markdown import escape_markdown as _escape_markdown
from bench.text.markdown import markdown_list as _markdown_list
from bench.text.markdown import markdown_table as _markdown_table

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


def format_ratio(value: float | None) -> str:
    """Return a ratio with three significant digits.

    >>> format_ratio(1.234), format_ratio(123.4)
    ('1.23x', '123x')
    """
    if value is None:
        return MISSING
    return f"{value:.3g}x" if value < 100 else f"{value:.0f}x"


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


# The old names, until the last caller uses the new ones.
file_stem, line, markdown = _file_stem, _one_line, _escape_markdown
bullets, table = _markdown_list, _markdown_table
NONE = MISSING
amount = format_amount
mean_sd = format_mean_sd
percent = format_percent
plain = format_number
settings = format_fields
signed = format_signed
times = format_ratio


def number(value: float | None, decimals: int = 3) -> str:
    """Return `format_number` with thousands separators and this many decimals."""
    return format_number(value, f",.{decimals}f")
