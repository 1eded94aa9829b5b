"""Markdown: escaped text, tables and lists. Names of tasks, classes and strategies must show as the text that they are."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from tabulate import tabulate

from bench.text.lines import one_line

# An underscore inside a word is no markup, and escaping it would only make names hard to read in the file.
_MARKUP = re.compile(r"[\\`*\[\]|$#~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


def escape_markdown(text: str) -> str:
    r"""Return the text on one line, escaped so that Markdown, HTML and GitHub's `$math$` show it unchanged, also in a table.

    >>> print(escape_markdown("a|b <i> $x$ tag_column"))
    a\|b &lt;i&gt; \$x\$ tag_column
    """
    return _MARKUP.sub(r"\\\g<0>", html.escape(one_line(text), quote=False))


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; cells are Markdown already. The first column is aligned left, all others right."""
    align = ["left", *["right"] * (len(header) - 1)]
    return tabulate(list(rows), headers=header, tablefmt="pipe", disable_numparse=True, colalign=align)


def markdown_list(items: Iterable[str]) -> str:
    """Return a bulleted list; items are Markdown already."""
    return "\n".join(f"- {item}" for item in items)
