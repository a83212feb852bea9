"""The panel as a browser shows it: opened by a link, looked at, photographed, examined by axe-core."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Frame, FrameLocator, Page, expect

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "tests" / "output"
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"


def panel(page: Page) -> FrameLocator:
    """Returns the panel's frame in TensorBoard's page, for locators."""
    return page.frame_locator('iframe[src*="name=weightwatch"]')


def panel_frame(page: Page) -> Frame:
    """Returns the panel's frame in TensorBoard's page, for scripts."""
    return next(frame for frame in page.frames if "name=weightwatch" in frame.url)


def opened(page: Page, address: str, query: str = "", **selection: str) -> FrameLocator:
    """Opens the panel as a link does and returns its frame, once heat map and curves are drawn."""
    fragment = "".join(f"&p.weightwatch.{key}={quote(value, safe='')}" for key, value in selection.items())
    page.goto(f"{address}/{query}#weightwatch{fragment}")
    frame = panel(page)
    expect(frame.locator("h1").first).to_be_visible(timeout=30_000)
    expect(frame.locator(".heatmap-plot canvas").first).to_be_visible()  # beside a compared run there are two
    expect(frame.locator("section.curve-list").nth(1)).to_be_visible()
    return frame


def shot(page: Page, name: str) -> None:
    """Saves a screenshot in `tests/output`."""
    OUTPUT.mkdir(exist_ok=True)
    page.wait_for_timeout(300)
    page.screenshot(path=OUTPUT / f"{name}.png")


def serious_faults(page: Page) -> list[str]:
    """Returns what axe-core reports of the panel as serious or critical: the rule and the element."""
    if not AXE.exists():
        pytest.skip("needs axe-core: npm ci in frontend")
    frame = panel_frame(page)
    frame.evaluate(AXE.read_text(encoding="utf-8"))
    violations = frame.evaluate("() => axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations)")
    return [f"{v['id']}: {v['nodes'][0]['html']}" for v in violations if v["impact"] in ("serious", "critical")]
