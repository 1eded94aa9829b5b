"""Text on one line, and the last line of a text."""

from __future__ import annotations


def one_line(text: str) -> str:
    r"""Return the text on one line: line breaks, control characters and runs of blanks become one blank.

    >>> one_line("a\n b\tc")
    'a b c'
    """
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def shorten(text: str, most: int = 200) -> str:
    """Return the beginning of a text on one line, of at most so many letters.

    >>> shorten("a long, long text", 8)
    'a long,…'
    """
    return one_line(text) if len(text) <= most else f"{one_line(text[: most - 1])}…"


def last_line(text: str) -> str:
    r"""Return the last line that is not blank, without the blanks around it; empty where there is none.

    >>> last_line("Traceback\n  ValueError: no kernel\n\n"), last_line("\n")
    ('ValueError: no kernel', '')
    """
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
