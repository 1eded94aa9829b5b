"""A page open in headless Chromium, as a user sees it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
in_browser = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver")


@contextmanager
def opened(page: Path, folder: Path) -> Iterator[Any]:
    """Open the page, keeping its log of messages and requests; downloads go into `folder`."""
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (
        *("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking"),
        *("disable-component-update", "disable-sync", f"user-data-dir={folder / 'profile'}"),
    ):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
        driver.get("about:blank")
        driver.get_log("performance")  # the start page's
        load(driver, page)
        yield driver
    finally:
        driver.quit()


def load(browser: Any, page: Path) -> None:
    """Load the page and wait until its tables are drawn."""
    browser.get(page.as_uri())
    count = "return document.querySelectorAll(arguments[0]).length"
    tables, done = "div[id^=table-][id$=_fallback]", "table.dataTable"
    soon(browser, lambda: 0 < browser.execute_script(count, tables) == browser.execute_script(count, done))


def soon(browser: Any, holds: Callable[[], bool]) -> None:
    """Wait until `holds()` is true: a table changes a moment after a click."""
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(browser, 30).until(lambda _: holds())


def show(browser: Any, width: int, scheme: str) -> None:
    """Show the page at this width in pixels, in the light or the dark scheme."""
    size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
