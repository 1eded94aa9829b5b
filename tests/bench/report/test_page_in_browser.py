"""The page works in a real browser without a network: sorts, searches, downloads, by keyboard too; labels stay text."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from open_page import in_browser, load, opened, show, soon
from simulated_study import simulate_cost, simulate_record, simulate_study, task_facts
from written_page import written

pytestmark = in_browser

HOSTILE = ["O\n", "<script>pwned = 1</script>", '"><img src=x onerror="pwned = 2">', "a&amp;b", "$x_1$"]
STRATEGIES = ["none", *(f"focal(gamma={i}.0)" for i in range(12))]
ENTER, TAB = "\ue007", "\ue004"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a task whose name, classes, strategies and notes hold markup."""
    facts = replace(task_facts("<b>tags</b>", HOSTILE), notes=["<script>pwned = 3</script>"])
    strategies = [*STRATEGIES, "</script><script>pwned = 4</script>"]
    records = [simulate_record(facts, name, seed) for name in strategies for seed in range(3)]
    planned = replace(simulate_study([facts], strategies), notes=["<i>note</i>"])
    costs = [simulate_cost(facts.task, name) for name in strategies]
    folder = tmp_path_factory.mktemp("hostile")
    written(planned, records, [], costs, folder)
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser(hostile: Path) -> Iterator[Any]:
    with opened(hostile, hostile.parent) as driver:
        yield driver


def column(browser: Any, table: str, number: int) -> list[str]:
    """The cells of one column of a table, as they are now."""
    script = "return [...document.querySelectorAll(arguments[0])].map(each => each.textContent)"
    return list(browser.execute_script(script, f"#{table} tbody tr td:nth-child({number})"))


def test_the_page_opens_without_errors_and_without_network_requests(browser: Any, hostile: Path) -> None:
    assert browser.get_log("browser") == []
    events = [json.loads(each["message"])["message"] for each in browser.get_log("performance")]
    asked = [each["params"]["request"]["url"] for each in events if each["method"] == "Network.requestWillBeSent"]
    assert hostile.as_uri() in asked
    assert [url for url in asked if not url.startswith(("file:", "blob:", "data:"))] == []


def test_labels_with_markup_are_text_everywhere(browser: Any) -> None:
    assert browser.execute_script("return typeof pwned") == "undefined"
    assert browser.execute_script("return document.querySelectorAll('img, b, i').length") == 0
    seen = browser.execute_script("return document.body.innerText")
    drawn = browser.execute_script("return [...document.querySelectorAll('svg text')].map(e => e.textContent).join('')")
    assert "Note: <script>pwned = 3</script>" in seen
    assert "Note: <i>note</i>" in seen
    for label in (*HOSTILE, "<b>tags</b>", "</script><script>pwned = 4</script>"):
        assert label.strip() in seen
        assert re.sub(r"\s", "", label) in re.sub(r"\s", "", drawn)


def test_a_click_or_enter_on_a_heading_sorts_numbers_as_numbers(browser: Any) -> None:
    from selenium.webdriver.common.by import By

    name = browser.find_element(By.CSS_SELECTOR, "table[id^='table-ranking']").get_attribute("id")
    heading = browser.find_element(By.CSS_SELECTOR, f"#{name} thead th:nth-child(2)")
    found = [float(each) for each in column(browser, name, 2)]
    assert min(found) < 0 < max(found)
    browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", heading)
    heading.click()
    soon(browser, lambda: [float(each) for each in column(browser, name, 2)] == sorted(found))
    browser.execute_script("arguments[0].focus()", heading.find_element(By.CSS_SELECTOR, "[tabindex='0']"))
    browser.switch_to.active_element.send_keys("\ue007")  # Enter
    soon(browser, lambda: [float(each) for each in column(browser, name, 2)] == sorted(found, reverse=True))


def test_typing_searches(browser: Any) -> None:
    from selenium.webdriver.common.by import By

    name = browser.find_element(
        By.CSS_SELECTOR, "table[id^='table-post-hoc'], table[id^='table-cost-benefit']"
    ).get_attribute("id")
    field = browser.find_element(By.CSS_SELECTOR, f"#{name}_wrapper input[type=search]")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", field)
    assert len(column(browser, name, 1)) == len(STRATEGIES) + 1
    field.send_keys("gamma=11")
    soon(browser, lambda: column(browser, name, 1) == ["focal(gamma=11.0)"])
    field.clear()
    field.send_keys("</script>")
    soon(browser, lambda: column(browser, name, 1) == ["</script><script>pwned = 4</script>"])


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_screen_and_text_has_enough_contrast(browser: Any, width: int, scheme: str) -> None:
    show(browser, width, scheme)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    script = """const luminance = (colour) => { const [r, g, b] = colour.match(/[\\d.]+/g).map(part => {
        const s = part / 255; return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
        const behind = (element) => { const colour = getComputedStyle(element).backgroundColor;
            return /, 0\\)/.test(colour) ? behind(element.parentElement) : luminance(colour); };
        return arguments[0].map(which => { const element = document.querySelector(which);
            return [luminance(getComputedStyle(element).color), behind(element)]; });"""
    shown = [
        ".effect",
        ".others",
        ".recommended",
        ".legend li",
        "summary",
        ".why",
        ".note",
        "dd",
        "dt",
        ".contents a",
        "thead th",
        ".dataTable tbody td:nth-child(2)",
        ".dt-info",
    ]
    (_, body), *texts = browser.execute_script(script, ["body", *shown])
    assert (body < 0.2) == (scheme == "dark")
    for which, (text, behind) in zip(shown, texts, strict=True):
        assert (max(text, behind) + 0.05) / (min(text, behind) + 0.05) >= 4.5, which  # WCAG AA
    assert (browser.execute_script(script, [".figure"])[0][1] < 0.2) == (scheme == "dark")


def test_every_control_is_reached_by_tab_and_shows_the_focus(browser: Any, hostile: Path) -> None:
    """Links, buttons, search fields, headings that sort and figures that scroll, in the order of the page."""
    show(browser, 1280, "light")
    load(browser, hostile)  # so that the first Tab starts at the top
    script = """const at = document.activeElement, outline = getComputedStyle(at);
        return [at.tagName, at.getAttribute('aria-label') || at.textContent.trim() || at.labels?.[0]?.textContent || '',
            outline.outlineStyle !== 'none' && parseFloat(outline.outlineWidth) >= 2];"""
    reached = []
    for _ in range(60):
        browser.switch_to.active_element.send_keys(TAB)
        reached.append(browser.execute_script(script))
    assert reached[0][1] == "To the verdict"
    assert all(name for _, name, _ in reached)
    assert all(outlined for _, _, outlined in reached)
    names = [name for _, name, _ in reached]
    for name in ("<b>tags</b>", "Ranking", "figure: ranking-", "CSV", "Excel", "Search", "difference to baseline"):
        assert any(each.startswith(name) for each in names), name


def test_a_link_to_a_strategy_shows_its_row_of_the_ranking(browser: Any, hostile: Path) -> None:
    show(browser, 1280, "light")
    load(browser, hostile)
    anchor, name = browser.execute_script(
        "const at = document.querySelectorAll('.row-anchor')[7]; return [at.id, at.dataset.row]"
    )
    assert name in STRATEGIES
    browser.execute_script("location.hash = arguments[0]", anchor)
    linked = "return [...document.querySelectorAll('tr.linked')].map(row => row.cells[0].textContent)"
    soon(browser, lambda: browser.execute_script(linked) == [name])
    place = "return document.querySelector('tr.linked').getBoundingClientRect().top"
    soon(browser, lambda: 0 < browser.execute_script(place) < 1000)
    browser.get("about:blank")
    browser.get(f"{hostile.as_uri()}#{anchor}")  # the row is found too when the page opens there
    soon(browser, lambda: browser.execute_script(linked) == [name])


def test_details_of_a_card_open_and_close_by_keyboard(browser: Any, hostile: Path) -> None:
    from selenium.webdriver.common.by import By

    load(browser, hostile)
    details = browser.find_element(By.CSS_SELECTOR, ".card details:last-of-type")
    summary = details.find_element(By.CSS_SELECTOR, "summary")
    assert summary.text == "Why, and how sure"
    assert not details.find_element(By.CSS_SELECTOR, "li").is_displayed()
    summary.send_keys(ENTER)
    assert details.find_element(By.CSS_SELECTOR, "li").is_displayed()
    summary.send_keys(ENTER)
    assert not details.find_element(By.CSS_SELECTOR, "li").is_displayed()


def test_tables_are_downloaded_as_csv_and_excel_by_keyboard(browser: Any, hostile: Path) -> None:
    from selenium.webdriver.common.by import By

    name = browser.find_element(By.CSS_SELECTOR, "table[id^='table-ranking']").get_attribute("id")
    shown = column(browser, name, 1)
    for kind in ("csv", "excel"):
        button = browser.find_element(By.CSS_SELECTOR, f"#{name}_wrapper .buttons-{kind}")
        browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", button)
        button.send_keys(ENTER)
    stem = hostile.parent / name.removeprefix("table-")
    sheet, book = stem.with_name(f"{stem.name}.csv"), stem.with_name(f"{stem.name}.xlsx")
    soon(browser, lambda: sheet.is_file() and book.is_file())
    header, *rows = list(csv.reader(sheet.read_text(encoding="utf-8-sig").splitlines()))
    assert header[:2] == ["strategy", "difference to baseline"]
    assert [row[0] for row in rows] == shown
    with zipfile.ZipFile(book) as found:
        text = found.read("xl/worksheets/sheet1.xml").decode()
    assert all(number in text for number in (row[1].lstrip("+") for row in rows))
