"""The page as one HTML file: labels are escaped by Jinja, itables and matplotlib, and never become markup."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bench.report import wording
from bench.report.html.datatable import render_engine, render_table
from bench.report.html.inline_svg import render_svg
from bench.report.page_content import Page
from bench.report.page_parts import Chart, Part, RowAnchors, Table


def render_html(page: Page) -> str:
    """Return the whole file."""
    environment = Environment(
        loader=PackageLoader("bench.report.html", "template"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["element"] = _render_part
    return environment.get_template("report.html").render(page=page, engine=render_engine(), words=wording)


def _render_part(part: Part) -> Markup:
    if isinstance(part, Table):
        return render_table(part)
    if isinstance(part, Chart):
        return render_svg(part)
    if isinstance(part, RowAnchors):
        return Markup("").join(
            Markup('<span class="row-anchor" id="{}" data-row="{}"></span>').format(anchor, row)
            for row, anchor in part.ids.items()
        )
    return Markup("<p>{}</p>").format(part)
