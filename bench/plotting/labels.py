"""Text in figures: in characters that the font has, and no wider than there is room."""

from __future__ import annotations

import re
import textwrap
from functools import cache

from matplotlib import font_manager
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font

from bench.text.numbers import line

FONT = "DejaVu Sans"  # comes with matplotlib, so figures look the same everywhere
_MOST_LINES = 6
_FINE = 600  # dots an inch, so that hinting does not matter


def drawable(text: str) -> str:
    """Text on one line in characters that the font has; any other shows as its code.

    >>> drawable("PER 人")
    'PER U+4EBA'
    """
    return "".join(char if ord(char) in _characters() else f"U+{ord(char):04X}" for char in line(text))


def label(text: str, *, width: int) -> str:
    """A name, drawable, in lines of `width` characters; one of more than six lines is shortened in its middle.

    >>> print(label("weighted-random-sampler(power=0.25)", width=24))
    weighted-random-sampler(
    power=0.25)
    """
    text = drawable(text)
    wrapped, room = _wrapped(text, width), _MOST_LINES * width
    while len(wrapped) > _MOST_LINES:
        room -= 1
        wrapped = _wrapped(f"{text[: room // 2]}…{text[-room // 2 :]}", width)
    return "\n".join(wrapped)


def fitted(text: str, room: float, size: float, weight: str = "normal") -> list[str]:
    """Text as drawable lines that are not wider than `room` inches."""
    candidates = (_wrapped(drawable(text), width) for width in range(200, 0, -2))
    return next(lines for lines in candidates if all(inches(each, size, weight) <= room for each in lines))


def inches(text: str, size: float, weight: str = "normal") -> float:
    """How wide one drawable line is, `size` in points."""
    font = _font(weight)
    font.set_size(size, _FINE)
    font.set_text(text)
    return float(font.get_width_height()[0]) / 64 / _FINE


class _Wrapper(textwrap.TextWrapper):
    """Breaks names, calls and paths between their parts too."""

    wordsep_re = re.compile(r"(\s+)|(?<=[+(,/_])(?=\S)|(?<=[A-Za-z]-)(?=[A-Za-z])")


def _wrapped(text: str, width: int) -> list[str]:
    return _Wrapper(width).wrap(text)


@cache
def _characters() -> frozenset[int]:
    return frozenset(_font().get_charmap())


@cache
def _font(weight: str = "normal") -> FT2Font:
    return font_manager.get_font(font_manager.findfont(FontProperties(family=FONT, weight=weight)))
