"""How names and numbers are written: labels of any kind must show as the text they are."""

from __future__ import annotations

import hashlib
import html
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tabulate import tabulate

NONE = "\N{EN DASH}"

MISSING = "-"
"""No number, where tables are sorted: DataTables takes it for one that is not there."""

_MARKUP = re.compile(r"[\\`*\[\]|$#~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


def line(text: str) -> str:
    """Text on one line: line breaks, control characters and runs of blanks become one blank."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def markdown(text: str) -> str:
    r"""Text on one line that Markdown, HTML and GitHub's `$math$` leave as it is, also in a table's cell.

    >>> print(markdown("a|b <i> $x$ tag_column"))
    a\|b &lt;i&gt; \$x\$ tag_column
    """
    return _MARKUP.sub(r"\\\g<0>", html.escape(line(text), quote=False))


def file_stem(name: str) -> str:
    """A name that is safe as a part of a file's name; a changed one carries a hash, so that two never meet.

    >>> file_stem("digits-lt"), file_stem("conll:some/dir(tag_column=3)")
    ('digits-lt', 'conll_some_dir_tag_column_3-2dad41')
    """
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("_.")[:80]
    return safe if safe == name else f"{safe}-{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:6]}"


def mean_sd(mean: float, sd: float) -> str:
    """Mean ± standard deviation, three decimals; a dash for what is not there.

    >>> mean_sd(0.7312, 0.0119), mean_sd(math.nan, math.nan) == NONE
    ('0.731 ± 0.012', True)
    """
    return NONE if math.isnan(mean) else f"{mean:.3f} ± {NONE if math.isnan(sd) else f'{sd:.3f}'}"


def signed(value: float) -> str:
    """A difference with its sign, three decimals.

    >>> signed(0.0312), signed(float("nan"))
    ('+0.031', '-')
    """
    return MISSING if value != value else f"{value:+.3f}"


def plain(value: float, form: str = ".3f") -> str:
    """A number that sorts, a hyphen for none.

    >>> plain(0.73119), plain(float("nan"))
    ('0.731', '-')
    """
    return MISSING if value != value else f"{value:{form}}"


def number(value: float | None, decimals: int = 3) -> str:
    """A number with this many decimals, a dash if there is none."""
    return NONE if value is None or math.isnan(value) else f"{value:,.{decimals}f}"


def percent(share: float) -> str:
    """A share in per cent, two decimals, a dash if there is none."""
    return NONE if math.isnan(share) else f"{share:.2%}"


def amount(value: float | None) -> str:
    """A number of any size to three significant digits, a dash if there is none.

    >>> amount(1234567.0), amount(12.345), amount(0.00123)
    ('1,230,000', '12.3', '0.00123')
    """
    if value is None or math.isnan(value):
        return NONE
    return f"{float(f'{value:.3g}'):,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def times(value: float | None) -> str:
    """A ratio to three significant digits, a dash if there is none.

    >>> times(1.234), times(123.4)
    ('1.23x', '123x')
    """
    return NONE if value is None else f"{value:.3g}x" if value < 100 else f"{value:.0f}x"


def settings(values: Mapping[str, Any]) -> str:
    """Names and values in a row; a nested mapping stands in brackets.

    >>> settings({"steps": 3200, "optimiser": {"name": "adam", "learning_rate": 0.003}, "decay": None})
    'steps 3,200, optimiser (name adam, learning rate 0.003)'
    """
    return ", ".join(
        f"{name.replace('_', ' ')} {_setting(value)}" for name, value in values.items() if value is not None
    )


def _setting(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"({settings(value)})"
    if isinstance(value, list | tuple):
        return " ".join(map(_setting, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table of cells that are Markdown already: the first column to the left, numbers to the right."""
    align = ["left", *["right"] * (len(header) - 1)]
    return tabulate(list(rows), headers=header, tablefmt="pipe", disable_numparse=True, colalign=align)


def bullets(items: Iterable[str]) -> str:
    """A Markdown list of items that are Markdown already."""
    return "\n".join(f"- {item}" for item in items)
