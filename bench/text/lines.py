"""Text on one line."""

from __future__ import annotations


def one_line(text: str) -> str:
    r"""Return the text on one line: line breaks, control characters and runs of blanks become one blank.

    >>> one_line("a\n b\tc")
    'a b c'
    """
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
