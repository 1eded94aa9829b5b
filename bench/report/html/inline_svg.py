"""Figures in the page: SVG with text as text, ids of its own, and a description in words."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import matplotlib
from markupsafe import Markup
from matplotlib.colors import to_hex

from bench.plotting.style import COLOURS, GREY, INK, LIGHT, STYLE
from bench.report.page_parts import Chart

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_REFERENCE = re.compile(r"(?<=url\(#)[^)]+|(?<=^#).+")
_REFERS = {f"{{{_XLINK}}}href", "href", "clip-path", "style"}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
LETTERS_AS_TEXT = {**STYLE, "svg.fonttype": "none"}
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_WHITE = "#ffffff"
_VARIABLES = {
    "#000000": "ink",
    INK: "ink",
    GREY: "grey",
    LIGHT: "light",
    STYLE["grid.color"]: "grid",
    _WHITE: "ground",
    **{to_hex(COLOURS[name]): name for name in ("blue", "vermilion")},
}
"""Colours that the page's style sheet defines as `--figure-<name>`, differently in dark mode."""


def render_svg(chart: Chart) -> Markup:
    """Return the figure as an element of the page; screen readers read its `alt`."""
    with matplotlib.rc_context(LETTERS_AS_TEXT):
        svg = io.StringIO()
        chart.figure.savefig(svg, format="svg", metadata=_NO_METADATA)
    root = ElementTree.fromstring(svg.getvalue())
    for style in root.findall(f".//{{{_SVG}}}style/.."):
        style.remove(style.find(f"{{{_SVG}}}style"))  # type: ignore[arg-type]  # it would reach the whole page
    _prefix_ids(root, chart.name)
    _name_colours(root)
    for size in ("width", "height"):
        del root.attrib[size]
    root.set("role", "img")
    root.set("aria-label", chart.alt)
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    element = ElementTree.tostring(root, encoding="unicode")
    return Markup('<div class="figure" tabindex="0" role="group" aria-label="{}">{}</div>').format(
        f"figure: {chart.name}", Markup(element)
    )


def _prefix_ids(root: ElementTree.Element, name: str) -> None:
    """Prefix ids that something refers to and remove all others, because the page holds many figures."""
    used = {
        target
        for element in root.iter()
        for key, value in element.attrib.items()
        if key in _REFERS
        for target in _REFERENCE.findall(value)
    }
    for element in root.iter():
        for key, value in list(element.attrib.items()):
            if key in _REFERS:
                element.set(key, _REFERENCE.sub(lambda match: f"{name}-{match[0]}", value))
            elif key == "id" and value in used:
                element.set(key, f"{name}-{value}")
            elif key == "id":
                del element.attrib[key]


def _name_colours(root: ElementTree.Element) -> None:
    """Replace colours by the page's variables, except white text: it is on a cell of a heat map, which keeps its colour."""
    variables = {colour: f"var(--figure-{name})" for colour, name in _VARIABLES.items()}
    of_text = {colour: variable for colour, variable in variables.items() if colour != _WHITE}
    for element in root.findall(".//*[@style]"):
        _rename(element, of_text if element.tag == f"{{{_SVG}}}text" else variables)


def _rename(element: ElementTree.Element, colours: dict[str, str]) -> None:
    element.set("style", _COLOUR.sub(lambda match: colours.get(match[0], match[0]), element.attrib["style"]))
