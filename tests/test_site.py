"""The documentation site builds without a warning, shows every public name and strategy, and loads nothing from a network."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import strategies

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # a notice about later versions of MkDocs
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


def identifiers(page: Path) -> set[str]:
    """The ids of a page's elements, which links end with."""
    return set(re.findall(r'\sid="([^"]+)"', page.read_text(encoding="utf-8")))


def test_every_strategy_has_an_entry(site):
    assert set(strategies.names()) <= identifiers(site / "strategies-in-detail.html")
    overview = (site / "strategies.html").read_text(encoding="utf-8")
    assert [name for name in strategies.names() if f"strategies-in-detail.html#{name}" not in overview] == []


def test_every_public_name_is_in_the_reference(site):
    pages = (site / name for name in ("api/strategies.html", "strategies-in-detail.html"))
    paths = set().union(*map(identifiers, pages))
    documented = {path.rpartition(".")[2] for path in paths if path.startswith("strategies.")}
    public = set(strategies.__all__)
    in_detail = {strategies.registry.find(name).__name__ for name in strategies.names()}
    assert sorted(public - documented - in_detail) == []


def test_every_command_is_shown(site):
    from bench.cli import app

    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert {f"imbench-{command}" for command in commands} <= identifiers(site / "commands.html")


def test_links_within_the_site_lead_to_files_and_sections(site):
    broken = []
    for page in site.rglob("*.html"):
        if page.name == "404.html" or "reference" in page.relative_to(site).parts:
            continue
        for target in re.findall(r'<a\s[^>]*href="([^"]+)"', page.read_text(encoding="utf-8")):
            file, _, section = target.partition("#")
            other = (page.parent / file) if file else page
            if "://" in target or target in (".", ".."):
                continue
            if not other.exists() or (section and other.suffix == ".html" and section not in identifiers(other)):
                broken.append(f"{page.relative_to(site)}: {target}")
    assert broken == []


def test_a_page_loads_nothing_from_a_network(site):
    loads = re.compile(r'<(?:script|link|img|iframe)\b[^>]*?(?:src|href)="(?:https?:)?//[^"]*"')
    pages = [page for page in site.rglob("*.html") if "reference" not in page.relative_to(site).parts]
    assert len(pages) > 10
    assert [match[0] for page in pages for match in loads.finditer(page.read_text(encoding="utf-8"))] == []


def test_a_study_is_shown_by_its_own_page(site):
    page = Path("results/reference/report.html")
    assert (site / page).read_bytes() == (ROOT / page).read_bytes()
    assert f'href="{page}"' in (site / "index.html").read_text(encoding="utf-8")
