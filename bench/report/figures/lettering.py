"""Text in figures: in characters that the font has, and no wider than there is room."""

from __future__ import annotations

import textwrap
from functools import cache

from matplotlib import font_manager
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font

from bench.report.text import line

FONT = "DejaVu Sans"  # comes with matplotlib, so figures look the same everywhere


def drawable(text: str) -> str:
    """Text on one line in characters that the figures' font has; any other shows as its code.

    >>> drawable("PER 人")
    'PER U+4EBA'
    """
    return "".join(char if ord(char) in _characters() else f"U+{ord(char):04X}" for char in line(text))


def inches(text: str, size: float, weight: str = "normal") -> float:
    """How wide one drawable line is in the figures' font, `size` in points."""
    font = _font(weight)
    font.set_size(size, 72)
    font.set_text(text)
    return float(font.get_width_height()[0]) / 64 / 72


def fitted(text: str, room: float, size: float, weight: str = "normal") -> list[str]:
    """Text as drawable lines that are not wider than `room` inches."""
    candidates = (textwrap.wrap(drawable(text), width) for width in range(200, 0, -2))
    return next(lines for lines in candidates if all(inches(each, size, weight) <= room for each in lines))


@cache
def _characters() -> frozenset[int]:
    return frozenset(_font().get_charmap())


@cache
def _font(weight: str = "normal") -> FT2Font:
    return font_manager.get_font(font_manager.findfont(FontProperties(family=FONT, weight=weight)))


def label(text: str, *, width: int, lines: int = 3) -> str:
    """A name of any length for a figure: drawable, shortened in its middle, wrapped to `lines` of `width` characters.

    >>> label("weighted-random-sampler(power=0.25)", width=16, lines=2)
    'weighted-random…\\npler(power=0.25)'
    """
    text = drawable(text)
    wrapped = textwrap.wrap(text, width)
    room = lines * width
    while len(wrapped) > lines:
        room -= 1
        wrapped = textwrap.wrap(_shortened(text, room), width)
    return "\n".join(wrapped)


def _shortened(text: str, room: int) -> str:
    head, tail = room // 2, (room - 1) // 2
    return text if len(text) <= room else f"{text[:head]}…{text[len(text) - tail :]}"
