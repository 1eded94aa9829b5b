"""Tables inside the page: sorted, searched and downloaded by DataTables, which itables brings into the file once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pandas as pd
from itables import options, to_html_datatable
from itables.javascript import generate_init_offline_itables_html
from markupsafe import Markup

from bench.report.text import line

MISSING = "-"
"""What DataTables sorts as no number."""
_PAGE = 25


def engine() -> Markup:
    """DataTables itself, for all tables of the page."""
    notebook = re.compile(r"<noscript>.*?</noscript>", re.DOTALL)  # a logo and advice for notebooks
    return Markup(notebook.sub("", generate_init_offline_itables_html(options.dt_bundle)))


def interactive(rows: Sequence[Mapping[str, str]], name: str) -> Markup:
    """Rows of text as a table; `name` is unique in the page and names the downloaded file. Columns of numbers sort as such."""
    frame = pd.DataFrame([{line(key): line(cell) for key, cell in row.items()} for row in rows], dtype=object)
    long = len(frame) > _PAGE
    html = to_html_datatable(
        frame,
        connected=False,
        allow_html=False,  # said here, since itables reads defaults from a file of the user's
        showIndex=False,
        table_id=f"table-{name}",
        classes="display compact",
        style="width:100%;margin:0",
        layout={
            "topStart": "buttons",
            "topEnd": "search",
            "bottomStart": "info",
            "bottomEnd": "paging" if long else None,
        },
        buttons=[{"extend": kind, "title": name} for kind in ("csv", "excel")],
        paging=long,
        pageLength=_PAGE,
        language={"search": "Search", "info": "_TOTAL_ rows", "infoFiltered": "of _MAX_"},
        maxBytes=0,
        maxColumns=0,
        display_logo_when_loading=False,
        text_in_header_can_be_selected=False,
    )
    return Markup(f'<div class="table">{html}</div>')


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
