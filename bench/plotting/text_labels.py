"""Text in figures: limited to the characters of the font and broken into lines that fit."""

from __future__ import annotations

import re
import textwrap
from functools import cache

from matplotlib import font_manager
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font

from bench.text.lines import one_line

FONT = "DejaVu Sans"  # comes with matplotlib, so figures look the same everywhere
_MOST_LINES = 6
_MEASURING_DPI = 600  # so fine that hinting does not change widths


def drawable(text: str) -> str:
    """Return the text on one line; a character that the font lacks is replaced by its code.

    >>> drawable("PER 人")
    'PER U+4EBA'
    """
    return "".join(char if ord(char) in _characters() else f"U+{ord(char):04X}" for char in one_line(text))


def shorten_label(text: str, *, most: int) -> str:
    """Return a drawable name on one line; the middle of one with more than `most` characters is left out.

    >>> shorten_label("weighted-random-sampler(power=0.25)", most=21)
    'weighted-r…ower=0.25)'
    """
    text = drawable(text)
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-(most // 2) :]}"


def wrap_label(text: str, *, width: int) -> str:
    """Return a drawable name in lines of at most `width` characters; beyond six lines its middle is left out.

    >>> print(wrap_label("weighted-random-sampler(power=0.25)", width=24))
    weighted-random-sampler(
    power=0.25)
    """
    text = drawable(text)
    lines, kept = _wrap(text, width), _MOST_LINES * width
    while len(lines) > _MOST_LINES:
        kept -= 1
        lines = _wrap(f"{text[: kept // 2]}…{text[-kept // 2 :]}", width)
    return "\n".join(lines)


def fit_lines(text: str, room: float, size: float, weight: str = "normal") -> list[str]:
    """Return the text as drawable lines of at most `room` inches, as few as possible; `size` is in points."""
    text = drawable(text)
    for width in range(200, 0, -2):
        lines = _wrap(text, width)
        if all(width_in_inches(line, size, weight) <= room for line in lines):
            return lines
    raise ValueError(f"no character of size {size} fits into {room} inches")


def width_in_inches(text: str, size: float, weight: str = "normal") -> float:
    """Return the width of one drawable line; `size` is in points."""
    font = _font(weight)
    font.set_size(size, _MEASURING_DPI)
    font.set_text(text)
    return float(font.get_width_height()[0]) / 64 / _MEASURING_DPI


class _NameWrapper(textwrap.TextWrapper):
    """Breaks names, calls and paths also between their parts."""

    wordsep_re = re.compile(r"(\s+)|(?<=[+(,/_])(?=\S)|(?<=[A-Za-z]-)(?=[A-Za-z])")


def _wrap(text: str, width: int) -> list[str]:
    return _NameWrapper(width).wrap(text)


@cache
def _characters() -> frozenset[int]:
    return frozenset(_font().get_charmap())


@cache
def _font(weight: str = "normal") -> FT2Font:
    return font_manager.get_font(font_manager.findfont(FontProperties(family=FONT, weight=weight)))
