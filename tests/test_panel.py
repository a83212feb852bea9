"""The panel in a real browser, on real TensorBoard processes with both loaders, on runs of the demo's programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from .processes import CHROMIUM, tensorboard, wait_for_runs

OUTPUT = Path(__file__).parent / "output"
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield found
        found.close()


@pytest.fixture(scope="module", params=["true", "false"], ids=["fast-loader", "python-loader"])
def address(request: pytest.FixtureRequest, demo_logs: Path) -> Iterator[str]:
    with tensorboard(demo_logs, f"--load_fast={request.param}") as url:
        wait_for_runs(url, 4)
        yield url


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert not faults


def opened(page: Page, address: str, fragment: str = "") -> tuple[Page, object]:
    page.goto(f"{address}/#weightwatch{fragment}")
    frame = page.frame_locator("iframe").first
    expect(frame.get_by_role("heading").first).to_be_visible(timeout=30_000)
    return page, frame


def test_the_sentence_is_what_one_sees_first(page: Page, address: str) -> None:
    """A sick run is chosen at once; its sentence, its fix and the broken link stand there."""
    page, frame = opened(page, address)
    expect(frame.get_by_text("learning rate").first).to_be_visible()
    expect(frame.get_by_text("Raise the learning rate").first).to_be_visible()
    OUTPUT.mkdir(exist_ok=True)
    page.screenshot(path=OUTPUT / "sick.png")
