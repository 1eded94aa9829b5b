"""Tables in the page: sorted, searched and downloaded with DataTables, which itables puts into the file once."""

from __future__ import annotations

import re

import pandas as pd
from itables import options, to_html_datatable
from itables.javascript import generate_init_offline_itables_html
from markupsafe import Markup

from bench.report.page_parts import Table
from bench.text.lines import one_line

_ROWS_PER_PAGE = 25
_UNPAGED = ("ranking-", "leaderboard")
"""Tables whose rows links point at, or that compare everything, are not split into pages, which would hide some rows."""


def render_engine() -> Markup:
    """Return DataTables itself, for all tables of the page."""
    notebook = re.compile(r"<noscript>.*?</noscript>", re.DOTALL)  # a logo and advice for notebooks
    return Markup(notebook.sub("", generate_init_offline_itables_html(options.dt_bundle)))


def render_table(table: Table) -> Markup:
    """Return the table as an element of the page; columns of numbers sort as numbers."""
    frame = pd.DataFrame(
        [{one_line(key): one_line(cell) for key, cell in row.items()} for row in table.rows], dtype=object
    )
    is_paged = len(frame) > _ROWS_PER_PAGE and not table.name.startswith(_UNPAGED)
    html = to_html_datatable(
        frame,
        connected=False,
        allow_html=False,  # explicit, because itables reads defaults from a file of the user
        showIndex=False,
        table_id=f"table-{table.name}",
        classes="display compact",
        style="width:100%;margin:0",
        layout={
            "topStart": "buttons",
            "topEnd": "search",
            "bottomStart": "info",
            "bottomEnd": "paging" if is_paged else None,
        },
        buttons=[{"extend": kind, "title": table.name, "footer": False} for kind in ("csv", "excel")],
        paging=is_paged,
        pageLength=_ROWS_PER_PAGE,
        language={"search": "Search", "info": "_TOTAL_ rows", "infoFiltered": "of _MAX_"},
        maxBytes=0,
        maxColumns=0,
        display_logo_when_loading=False,
        text_in_header_can_be_selected=False,
    )
    return Markup(f'<div class="table">{html}</div>')
