"""`npm run dev`: the development server shows the panel on the recorded payloads, in Chromium."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="the panel is tested in a browser")

from playwright.sync_api import Browser, Page, expect

from tests.support.chromium import needs_chromium

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
NODE = shutil.which("node")
pytestmark = [
    needs_chromium,
    pytest.mark.skipif(NODE is None, reason="needs Node"),
]


@pytest.fixture
def address() -> Iterator[str]:
    assert NODE is not None
    command = [NODE, "dev/server.mjs", "0"]
    with subprocess.Popen(command, cwd=FRONTEND, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().split()[0]
        server.terminate()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on which a script error or any failed request fails the test."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield page
    page.close()
    assert errors == []


def test_the_development_server_shows_the_panel_without_errors(address: str, page: Page) -> None:
    """Every launch is drawn with chain, heat map and curves; histograms and a comparison, too; an empty log as well."""
    page.goto(address)
    frame = page.frame_locator("iframe")
    entries = frame.locator("button.run-entry")
    expect(entries).to_have_count(4)  # two runs, and the two launches of the chosen one
    expect(frame.locator("h1#sentence")).to_contain_text("learning rate")
    expect(frame.locator(".chain-link")).to_have_count(7)
    expect(frame.locator(".heatmap-plot canvas")).to_be_visible()
    expect(frame.locator("section.curve-list")).not_to_have_count(0)
    expect(frame.locator(".ridge-histogram")).not_to_have_count(0)
    entries.filter(has_text="nonfinite").first.click()
    expect(frame.locator("h1#sentence")).to_contain_text("NaN")
    frame.get_by_role("button", name="Compare with baseline").click()
    expect(frame.locator(".comparison-card")).to_have_count(2)
    page.goto(f"{address}?empty&dark")
    expect(frame.get_by_role("heading", name="No runs recorded yet")).to_be_visible()


def test_a_link_of_the_chain_reveals_its_verdict_and_evidence_its_row(address: str, page: Page) -> None:
    """The verdict is scrolled into view out of a closed disclosure, each time; so is the heat map for evidence."""
    page.set_viewport_size({"width": 1400, "height": 420})
    page.goto(address)
    frame = page.frame_locator("iframe")
    verdict = frame.get_by_role("article", name="update-below-precision (601)")
    update = frame.get_by_role("button", name="Update consequence")
    expect(verdict).to_be_hidden()
    update.click()
    expect(verdict).to_be_in_viewport()
    expect(frame.locator("details[open]")).to_have_count(1)
    frame.locator("summary", has_text="Explains 1 other finding").click()
    expect(verdict).to_be_hidden()
    update.click()
    expect(verdict).to_be_in_viewport()
    frame.locator(".heatmap-grid").evaluate("grid => scrollTo(0, 0)")
    expect(frame.locator(".heatmap-grid")).not_to_be_in_viewport()
    frame.get_by_role("button", name="show on heat map").first.click()
    expect(frame.locator(".heatmap-grid")).to_be_in_viewport()
