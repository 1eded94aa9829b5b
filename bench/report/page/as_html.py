"""The page as one HTML file: labels reach it escaped by Jinja, itables and matplotlib, never as markup."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bench.report.page.content import Page
from bench.report.page.datatable import engine, interactive
from bench.report.page.part import Drawing, Part, Table
from bench.report.page.svg import inline


def text(page: Page) -> str:
    """The whole file."""
    environment = Environment(
        loader=PackageLoader("bench.report.page", "template"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["element"] = _element
    return environment.get_template("report.html").render(page=page, engine=engine())


def _element(part: Part) -> Markup:
    if isinstance(part, Table):
        return interactive(part)
    if isinstance(part, Drawing):
        return inline(part)
    return Markup("<p>{}</p>").format(part)
