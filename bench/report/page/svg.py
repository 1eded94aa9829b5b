"""Figures inside the page: SVG whose text is text, whose ids are its own, and that says in words what it shows."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import matplotlib
from markupsafe import Markup
from matplotlib.colors import to_hex

from bench.plotting.style import COLOURS, GREY, INK, LIGHT, STYLE
from bench.report.page.part import Drawing

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_REFERENCE = re.compile(r"(?<=url\(#)[^)]+|(?<=^#).+")
_REFERS = {f"{{{_XLINK}}}href", "href", "clip-path", "style"}
_BARE = dict.fromkeys(("Creator", "Date", "Format", "Type"))
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
"""Colours that the page's style sheet has as `--figure-<name>`: in the dark they need others to stand out."""


def inline(drawing: Drawing) -> Markup:
    """The figure as an element of the page; its `alt` is read out in its place."""
    with matplotlib.rc_context(LETTERS_AS_TEXT):
        written = io.StringIO()
        drawing.figure.savefig(written, format="svg", metadata=_BARE)
    root = ElementTree.fromstring(written.getvalue())
    for style in root.findall(f".//{{{_SVG}}}style/.."):
        style.remove(style.find(f"{{{_SVG}}}style"))  # type: ignore[arg-type]  # it would reach the whole page
    _own_ids(root, drawing.name)
    _follow_scheme(root)
    for size in ("width", "height"):
        del root.attrib[size]
    root.set("role", "img")
    root.set("aria-label", drawing.alt)
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    drawn = ElementTree.tostring(root, encoding="unicode")
    return Markup('<div class="figure" tabindex="0" role="group" aria-label="{}">{}</div>').format(
        f"figure: {drawing.name}", Markup(drawn)
    )


def _own_ids(root: ElementTree.Element, name: str) -> None:
    """Prefixes ids that something refers to, and takes the others away: the page holds many figures."""
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
                element.set(key, _REFERENCE.sub(lambda target: f"{name}-{target[0]}", value))
            elif key == "id" and value in used:
                element.set(key, f"{name}-{value}")
            elif key == "id":
                del element.attrib[key]


def _follow_scheme(root: ElementTree.Element) -> None:
    """Names colours by the page's variables. White letters stay: they stand on a cell of a heat map, which stays too."""
    named = {colour: f"var(--figure-{name})" for colour, name in _VARIABLES.items()}
    of_letters = {colour: variable for colour, variable in named.items() if colour != _WHITE}
    for element in root.findall(".//*[@style]"):
        _rename(element, of_letters if element.tag == f"{{{_SVG}}}text" else named)


def _rename(element: ElementTree.Element, colours: dict[str, str]) -> None:
    element.set("style", _COLOUR.sub(lambda found: colours.get(found[0], found[0]), element.attrib["style"]))
