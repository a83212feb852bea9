"""`npm run dev`: the development server shows the panel on the recorded payloads, in Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("playwright", reason="the panel is tested in a browser")

from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.support.chromium import needs_chromium
from tests.support.dev_server import dev_server, needs_node
from tests.support.panel_page import panel_frame, serious_faults, shot
from tests.support.suspected_run import MESSAGE

pytestmark = [
    needs_chromium,
    needs_node,
]


@pytest.fixture
def address() -> Iterator[str]:
    with dev_server() as served:
        yield served


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
    expect(entries).to_have_count(6)  # four runs, and the two launches of the chosen one
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
    update = frame.get_by_role("button", name="Update affected")
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


def suspects_shown(page: Page, address: str) -> FrameLocator:
    """Opens the run that has suspects and no verdict."""
    page.goto(address)
    frame = page.frame_locator("iframe")
    frame.locator("button.run-entry", has_text="weights do not move; probably learning-rate-too-small").click()
    suspicion = "suspected cause: learning-rate-too-small (62\u00a0%)"
    expect(frame.locator("h1#sentence")).to_have_text(f"{MESSAGE.partition(': ')[0]}; {suspicion}")
    return frame


def test_suspects_are_a_ranked_list_that_opens_by_keyboard(address: str, page: Page) -> None:
    """The first one is open, with facts and what settles it; its fix stands above; Enter opens and closes each."""
    frame = suspects_shown(page, address)
    items = frame.locator("ol.suspect-items > li")
    expect(items).to_have_count(3)
    titles = frame.locator(".suspect summary")
    for title, words in zip(titles.all(), ("62 % learning-rate-too-small 502", "21 %", "8 %"), strict=True):
        expect(title).to_contain_text(words.split()[-1])
        expect(title).to_contain_text(f"{words.split()[0]}\u00a0%")
    first, second = items.nth(0), items.nth(1)
    expect(first.get_by_text("the update ratio is 8.1e-11, and 1e-3 is usual")).to_be_visible()
    expect(first.locator("dt")).to_have_text(["For it", "Against it", "To settle it"])
    expect(frame.locator(".diagnosis-card .suggested-fix-title")).to_have_text(
        "What to do if it is learning-rate-too-small"
    )
    expect(frame.locator(".diagnosis-card .code-block-copy")).to_be_visible()
    expect(first.locator(".suggested-fix")).to_have_count(0)
    expect(second.locator(".suggested-fix")).to_be_hidden()
    titles.nth(0).focus()
    page.keyboard.press("Enter")
    expect(first.locator(".suspect-body")).to_be_hidden()
    page.keyboard.press("Tab")
    expect(titles.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(second.locator(".suggested-fix")).to_contain_text("shuffle both together")
    expect(second.locator(".suggested-fix")).to_be_visible()


def test_the_chain_shows_suspected_links_and_leads_to_their_suspects(address: str, page: Page) -> None:
    """A suspected link has no green tick; a click on it opens its suspect and scrolls to it."""
    page.set_viewport_size({"width": 1400, "height": 420})
    frame = suspects_shown(page, address)
    expect(frame.get_by_role("heading", name="Where the chain may break")).to_be_attached()
    expect(frame.locator(".chain-link.suspected")).to_have_count(3)
    expect(frame.locator(".chain-link.suspected .status-icon.ok")).to_have_count(0)
    expect(frame.locator(".chain-link.affected")).to_contain_text("Weight")
    fix = frame.locator("ol.suspect-items > li", has_text="vanishing-gradient").locator(".suggested-fix")
    expect(fix).to_be_hidden()
    frame.get_by_role("button", name="Gradient suspected").click()
    expect(fix).to_be_visible()
    expect(frame.locator(".suspect summary", has_text="vanishing-gradient")).to_be_in_viewport()


@pytest.mark.parametrize(("theme", "width"), [("light", 1400), ("dark", 1400), ("light", 400)])
def test_suspects_can_be_read_by_everyone(address: str, page: Page, theme: str, width: int) -> None:
    """axe-core finds no serious fault with all suspects open, and a narrow window does not run out of its page."""
    page.set_viewport_size({"width": width, "height": 1400})
    frame = suspects_shown(page, f"{address}?dark" if theme == "dark" else address)
    expect(frame.locator("html")).to_have_attribute("data-theme", theme)
    shot(page, f"suspects-{theme}-{width}")
    for title in frame.locator(".suspect summary").all()[1:]:
        title.click()
    expect(frame.locator(".suspect .suggested-fix").nth(1)).to_be_visible()
    assert not serious_faults(page)
    inner = panel_frame(page)
    assert inner.evaluate("() => document.documentElement.scrollWidth <= document.documentElement.clientWidth")
