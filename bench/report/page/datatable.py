"""Tables inside the page: sorted, searched and downloaded by DataTables, which itables brings into the file once."""

from __future__ import annotations

import re

import pandas as pd
from itables import options, to_html_datatable
from itables.javascript import generate_init_offline_itables_html
from markupsafe import Markup

from bench.report.page.part import Table
from bench.text.numbers import line

_PAGE = 25


def engine() -> Markup:
    """DataTables itself, for all tables of the page."""
    notebook = re.compile(r"<noscript>.*?</noscript>", re.DOTALL)  # a logo and advice for notebooks
    return Markup(notebook.sub("", generate_init_offline_itables_html(options.dt_bundle)))


def interactive(table: Table) -> Markup:
    """The table as an element of the page. Columns of numbers sort as such."""
    frame = pd.DataFrame([{line(key): line(cell) for key, cell in row.items()} for row in table.rows], dtype=object)
    long = len(frame) > _PAGE
    html = to_html_datatable(
        frame,
        connected=False,
        allow_html=False,  # said here, since itables reads defaults from a file of the user's
        showIndex=False,
        table_id=f"table-{table.name}",
        classes="display compact",
        style="width:100%;margin:0",
        layout={
            "topStart": "buttons",
            "topEnd": "search",
            "bottomStart": "info",
            "bottomEnd": "paging" if long else None,
        },
        buttons=[{"extend": kind, "title": table.name, "footer": False} for kind in ("csv", "excel")],
        paging=long,
        pageLength=_PAGE,
        language={"search": "Search", "info": "_TOTAL_ rows", "infoFiltered": "of _MAX_"},
        maxBytes=0,
        maxColumns=0,
        display_logo_when_loading=False,
        text_in_header_can_be_selected=False,
    )
    return Markup(f'<div class="table">{html}</div>')
