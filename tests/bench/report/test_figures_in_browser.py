"""In a browser, figures follow the colour scheme and stay readable, and a table that is cut at its edge shows it."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread
from open_page import in_browser, opened, show
from simulated_study import simulate_cost, simulate_record, simulate_study, task_facts

from bench.plotting.style import GREY, INK, LIGHT, STYLE
from bench.records.predictions import PredictedClasses, TrueClasses
from bench.records.record import Evaluation, Probabilities, Reliability
from bench.report.figures import draw_figures
from bench.report.frame import collect_results
from bench.report.page_files import write_page

pytestmark = in_browser

CLASSES = ["O", "PER", "LOC", "MISC"]
STRATEGIES = ["none", "focal", "class-balanced-sampler(beta=0.999)", "mixup", "smote", "ignore-index"]
PHONE, DESK = 390, 1280

LIGHT_OF = """
const light_of = colour => { const [r, g, b] = colour.match(/[\\d.]+/g).map(part => {
    const s = part / 255; return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const contrast = (a, b) => (Math.max(light_of(a), light_of(b)) + 0.05) / (Math.min(light_of(a), light_of(b)) + 0.05);
"""


def evaluated(strategy: str, seed: int) -> Evaluation:
    """MISC does not occur in test; `none` finds next to nothing of PER, so that the heat map has dark cells."""
    rng = np.random.default_rng([seed, *strategy.encode()])
    confusion = rng.integers(0, 10, (4, 4)) + np.diag([90, 40, 60, 0])
    confusion[1] = [90, 5, 2, 3] if strategy == "none" else confusion[1]
    confusion[:, 0] += 800 * (strategy == "ignore-index")
    confusion[3] = 0
    reliable = Reliability([0, 5, 40, 100, 400], [0.0, 1.5, 20.0, 70.0, 380.0], [0, 4, 15, 60, 370])
    probabilities = Probabilities(0.1, reliable, [0.0] * 4, [0.9] * 4, [0.9] * 4)
    return Evaluation("chosen", "test", confusion.tolist(), 0.1, probabilities=probabilities)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    facts = task_facts("tags", CLASSES, baseline=0.6)
    records = [
        replace(simulate_record(facts, name, seed), evaluations=[evaluated(name, seed)])
        for name in STRATEGIES
        for seed in range(3)
    ]

    def kept(id: str) -> PredictedClasses:
        """Any labels, ten to a sentence."""
        truth = TrueClasses(np.arange(300) % 3, len(CLASSES), np.arange(0, 301, 10))
        return PredictedClasses(truth, {"raw": np.random.default_rng([*id.encode()]).integers(0, 4, 300)})

    found = collect_results(
        simulate_study([facts], STRATEGIES), records, [], [simulate_cost(facts.task, name) for name in STRATEGIES]
    )
    folder = tmp_path_factory.mktemp("page")
    write_page(replace(found, predictions=kept), draw_figures(found), folder)
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser(page: Path) -> Iterator[Any]:
    with opened(page, page.parent) as driver:
        yield driver


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_in_figures_has_enough_contrast(browser: Any, scheme: str) -> None:
    show(browser, DESK, scheme)
    script = (
        LIGHT_OF
        + """
        return [...document.querySelectorAll('.figure text')].map(text => {
            text.scrollIntoView({block: 'center', behavior: 'instant'});
            const box = text.getBoundingClientRect();
            const under = document.elementsFromPoint(box.x + box.width / 2, box.y + box.height / 2).find(
                each => each.tagName === 'path' && getComputedStyle(each).fill !== 'none');
            const behind = under ? getComputedStyle(under).fill : 'rgb(0, 0, 0, 0)';
            return [text.textContent, contrast(getComputedStyle(text).fill, behind), behind]; });"""
    )
    found = browser.execute_script(script)
    assert len(found) > 150
    grounds = {behind for _, _, behind in found}
    assert len(grounds) > 8  # cells of the heat map, and the figures' ground
    assert [(text, round(contrast, 2)) for text, contrast, _ in found if contrast < 4.5] == []  # WCAG AA


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_and_lines_have_enough_contrast(browser: Any, scheme: str) -> None:
    show(browser, DESK, scheme)
    script = (
        LIGHT_OF
        + """
        const ground = getComputedStyle(document.querySelector('.figure')).backgroundColor;
        const most = style => Math.max(...[style.fill, style.stroke].map(
            colour => colour === 'none' ? 1 : contrast(colour, ground)));
        return [...document.querySelectorAll('.figure use')].map(each => most(getComputedStyle(each)));"""
    )
    found = browser.execute_script(script)
    assert len(found) > 150
    assert min(found) >= 3  # WCAG 1.4.11


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_figure_is_as_bright_as_the_card_that_it_is_on(browser: Any, scheme: str) -> None:
    show(browser, DESK, scheme)
    script = """const card = getComputedStyle(document.querySelector('.task')).backgroundColor;
        return [...document.querySelectorAll('.figure svg')].map(
            figure => getComputedStyle(figure.querySelector('path')).fill === card);"""
    found = browser.execute_script(script)
    assert len(found) >= 7
    assert all(found)


def test_in_the_light_a_figure_has_the_colours_of_its_file(browser: Any) -> None:
    show(browser, DESK, "light")
    names = ["ink", "grey", "light", "grid", "ground"]
    script = """const style = getComputedStyle(document.documentElement);
        return arguments[0].map(name => style.getPropertyValue('--figure-' + name).trim());"""
    assert browser.execute_script(script, names) == [INK, GREY, LIGHT, STYLE["grid.color"], "#ffffff"]


def right_edge(browser: Any, scroll: str) -> float:
    """How bright the last pixels of the ranking's table are, 0 to 1, when it is scrolled there; text included."""
    box = browser.execute_script(
        """const table = document.querySelector('#table-ranking-tags').closest('.dt-layout-full');
        table.scrollLeft = arguments[0] === 'end' ? table.scrollWidth : 0;
        table.scrollIntoView({block: 'start', behavior: 'instant'});
        const { right, top, height } = table.getBoundingClientRect();
        return {x: right - 6 + scrollX, y: top + scrollY, width: 4, height};""",
        scroll,
    )
    shot = {"format": "png", "captureBeyondViewport": True, "clip": {**box, "scale": 1}}
    png = browser.execute_cdp_cmd("Page.captureScreenshot", shot)["data"]
    return float(np.median(imread(io.BytesIO(base64.b64decode(png)))[..., :3]))


@pytest.mark.parametrize(("scheme", "sign"), [("light", -1), ("dark", 1)])
def test_a_table_that_is_cut_is_shaded_at_its_edge_until_its_end(browser: Any, scheme: str, sign: int) -> None:
    show(browser, PHONE, scheme)
    assert sign * (right_edge(browser, "start") - right_edge(browser, "end")) > 0.1


def test_a_table_that_fits_has_no_shade(browser: Any) -> None:
    show(browser, DESK, "light")
    assert right_edge(browser, "start") > 0.95


@pytest.mark.parametrize("tables", [".metrics", "#table-sentence-bootstrap-tags"])
def test_small_tables_fit_on_a_phone(browser: Any, tables: str) -> None:
    show(browser, PHONE, "light")
    browser.execute_script("document.querySelectorAll('.card details').forEach(each => { each.open = true; })")
    script = """return [...document.querySelectorAll(arguments[0])].map(table => [table, table.parentElement].map(
        each => [each.scrollWidth, each.clientWidth]));"""
    found = browser.execute_script(script, tables)
    assert found
    for (table, _), (scrolled, box) in found:
        assert max(table, scrolled) <= box
