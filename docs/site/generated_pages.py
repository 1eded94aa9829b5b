"""MkDocs hook: pages made from the code, and files of the repository that are not in docs/, without committing anything twice.

- `strategies.md` and `strategies-in-detail.md` come from the registry, `api/strategies.md` from `strategies.__all__`,
  `commands.md` from the help of the command line, and `recipes.md` from `examples/`.
- CONTRIBUTING.md, CHANGELOG.md and the reference results are added from where they are.

Links in Markdown are written as they work in the repository; `on_page_markdown` turns them into links of the site.
"""

from __future__ import annotations

import dataclasses
import os
import posixpath
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
RECIPES = sorted((ROOT / "examples").glob("*.py"))
PLACES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "strategies/CONTENTS.md": "strategies.md",
    **{f"examples/{path.name}": f"recipes.md#{path.stem}" for path in RECIPES},
}
"""Where the site shows a file of the repository; files in docs/ and results/reference/ keep their names."""

LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)#\s]+)")

COMMANDS = ("compare", "run", "status", "report", "list", "audit", "samplers", "train-bench", "speed-check", "fetch")


ESCAPED_BAR = "\\|"

DETAIL_OPTIONS = ("show_root_heading: false", "show_root_toc_entry: false", "show_bases: false", "members: false")
"""Options of mkdocstrings for a strategy whose heading and facts are on the page already."""


def on_startup(**_: Any) -> None:
    """Import the packages from this working tree; MkDocs restores the path after it has loaded this file."""
    sys.path.insert(0, str(ROOT))


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages and the repository's files."""
    for place, content in (
        ("strategies.md", strategies_page()),
        ("strategies-in-detail.md", detail_page()),
        ("api/strategies.md", api_page()),
        ("commands.md", commands_page()),
        ("recipes.md", recipes_page()),
    ):
        files.append(File.generated(config, place, content=content))
    for name in ("CONTRIBUTING.md", "CHANGELOG.md"):
        files.append(File.generated(config, PLACES[name], abs_src_path=str(ROOT / name)))
    for path in sorted((ROOT / "results" / "reference").rglob("*")):
        if path.is_file() and not has_html(path):
            files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links that work in the repository into links that work on the site."""
    if page.file.abs_src_path is None:
        return markdown  # a generated page links to the site already
    source = Path(page.file.abs_src_path).relative_to(ROOT).as_posix()

    def on_the_site(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link[1]))
        if has_html(ROOT / target):
            target = target.removesuffix(".md") + ".html"
        place = PLACES.get(target, target.removeprefix("docs/"))
        return posixpath.relpath(place, posixpath.dirname(page.file.src_uri) or ".")

    return LINK.sub(on_the_site, markdown)


def has_html(path: Path) -> bool:
    """Return whether a Markdown file has an HTML version next to it, which is shown in its place: `report.md`, `report.html`."""
    return path.suffix == ".md" and path.with_suffix(".html").is_file()


def strategies_page() -> str:
    """Return an overview of all strategies, a table per folder, with links to the details."""
    from strategies.contents import TITLES

    lines = [
        "# Strategies",
        "",
        "Every strategy below works in your own training loop (`strategies.get(NAME)`) and in a study (`--strategy NAME`).",
        "Its name links to formula, paper, defaults and an example. `a + b` combines two strategies of different kinds; class",
        "weights multiply into any loss. *Cost* is what a strategy adds to plain training.",
        "",
    ]
    for folder, title in TITLES.items():
        lines += [f"## {title}", "", "| name | what it does | cost |", "|---|---|---|"]
        for entry in entries_of(folder):
            cells = (f"[`{entry.name}`](strategies-in-detail.md#{entry.name})", entry.description, entry.cost)
            lines.append(f"| {' | '.join(cell.replace('|', ESCAPED_BAR) for cell in cells)} |")
        lines.append("")
    return "\n".join(lines)


def detail_page() -> str:
    """Return formula, paper, defaults and docstring of every strategy."""
    from strategies.contents import TITLES
    from strategies.registry import find

    lines = [
        "# Strategies in detail",
        "",
        "CE is softmax cross-entropy, z are logits, p their softmax, y is the label, n_c the number of labels of class c (of C)",
        "in the training part, N the number of all labels, and pi_c = n_c / N.",
        "",
    ]
    for folder, title in TITLES.items():
        lines += [f"## {title}", ""]
        for entry in entries_of(folder):
            kind = find(entry.name)
            lines += [
                f"### {entry.name} {{ #{entry.name} }}",
                "",
                f"**{entry.description}**",
                "",
                f"    {entry.formula}",
                "",
            ]
            facts = {
                "Use": f"`{call_of(entry.name)}`",
                "Paper": entry.paper,
                "Also called": ", ".join(f"`{alias}`" for alias in entry.aliases),
                "Cost": entry.cost,
            }
            lines += [f"- {label}: {fact}" for label, fact in facts.items() if fact]
            lines += ["", f"::: {kind.__module__}.{kind.__qualname__}", "    options:"]
            lines += [f"      {option}" for option in DETAIL_OPTIONS] + [""]
    return "\n".join(lines)


def call_of(name: str) -> str:
    """Return the call that makes a strategy, with its defaults."""
    from strategies import get
    from strategies.registry import find

    strategy = get(name)
    defaults = (f"{field.name}={getattr(strategy, field.name)!r}" for field in dataclasses.fields(find(name)))
    return f"get({', '.join([repr(name), *defaults])})".replace("'", '"')


def entries_of(folder: str) -> list[Any]:
    """Return the entries of the strategies in a folder."""
    from strategies.contents import entries

    return [entry for entry in entries() if entry.folder == folder]


def commands_page() -> str:
    """Return the help of every command."""
    os.environ.update(COLUMNS="88", NO_COLOR="1", TERM="dumb")
    from typer.testing import CliRunner

    from bench.cli import app

    lines = ["# Commands", "", "`imbench COMMAND --help` prints the same.", ""]
    for command in COMMANDS:
        text = CliRunner().invoke(app, [command, "--help"], prog_name="imbench").output
        lines += [f"## imbench {command}", "", "```text", text.strip("\n"), "```", ""]
    return "\n".join(lines)


def recipes_page() -> str:
    """Return the code of every recipe; its docstring says what it shows."""
    lines = ["# Recipes", "", "Whole programs to copy from; each runs by the command at its top."]
    for path in RECIPES:
        lines += ["", f"## {path.name} {{ #{path.stem} }}", "", "```python", path.read_text(encoding="utf-8") + "```"]
    return "\n".join(lines)


def api_page() -> str:
    """Return the reference of the names in `strategies.__all__`, by what they are."""
    lines = [
        "# API: strategies",
        "",
        "All names below are imported from `strategies`: `from strategies import ClassBalancedSampler`.",
        "The strategies themselves, with their hyper-parameters: [Strategies in detail](../strategies-in-detail.md).",
        "",
    ]
    for title, names in api_groups():
        lines += [f"## {title}", ""]
        for name, path in names:
            lines += [f"::: {path}", "    options:", f"      heading: {name}", f"      toc_label: {name}", ""]
    return "\n".join(lines)


def api_groups() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield titles with the names under them and where each is defined."""
    import strategies

    groups: dict[str, list[tuple[str, str]]] = {
        title: [] for title in ("Samplers", "Strategies by name", "Audit", "Labels and other names")
    }
    for name in strategies.__all__:
        value = getattr(strategies, name)
        if (group := api_group(name, value)) is not None:
            groups[group].append((name, api_path(name, value)))
    yield from ((title, names) for title, names in groups.items() if names)


def api_group(name: str, value: Any) -> str | None:
    """Return the title under which a public name is listed; None for a strategy, which has its entry in another page."""
    import strategies

    if name.endswith("Sampler"):
        return "Samplers"
    if name in ("get", "names", "parse", "register"):
        return "Strategies by name"
    if str(getattr(value, "__module__", "")).startswith("strategies.loader_audit"):
        return "Audit"
    if isinstance(value, type) and issubclass(value, strategies.Strategy) and value is not strategies.Strategy:
        return None
    return "Labels and other names"


def api_path(name: str, value: Any) -> str:
    """Return the module path where a public name is defined; a constant has none of its own."""
    module, qualified = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    return f"{module}.{qualified}" if module and qualified else f"strategies.{name}"
