"""Runs whose variables tell them apart, an observer of the panel, and requests of the panel that are answered late."""

from __future__ import annotations

import contextlib
import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error, FrameLocator, Page, Route

from tests.support import synthetic_runs
from tests.support.panel_page import panel_frame

NAMES = ("alpha", "beta", "gamma")
RUNS = {name: f"{name}/weightwatch" for name in NAMES}
ALL = re.compile(r"/plugin/weightwatch/(overview|heatmap|curves|maps|compare)\?")
DETAILS = re.compile(r"/plugin/weightwatch/(heatmap|curves|maps)\?")

# Collects what the page shows at each change of it: the name, and what tells whose heat map and curves are drawn.
OBSERVE = """() => {
  const text = (selector) => document.querySelector(selector)?.textContent ?? "";
  const look = () => ({
    title: text(".run-title strong"),
    listed: text("nav [aria-current] .run-entry-name"),
    sentence: text("h1#sentence"),
    rows: [...document.querySelectorAll(".heatmap-row")].map((row) => row.title),
    variable: text(".curve-list .variable-name"),
    cards: [...document.querySelectorAll(".comparison-card h3")].map((card) => card.textContent.trim()),
  });
  window.seen = [look()];
  new MutationObserver(() => window.seen.push(look())).observe(document.body, {
    subtree: true, childList: true, attributes: true, characterData: true,
  });
}"""


def variables(name: str) -> tuple[str, ...]:
    """Returns the names of a run's variables, which begin with its own."""
    return tuple(f"{name}/{variable}" for variable in synthetic_runs.NAMES)


def write_runs(logdir: Path) -> None:
    """Writes a healthy run, a sick one, and one with two launches, the newer one healthy."""
    started = time.time() - 50_000
    for i, (name, nan_from) in enumerate(zip(NAMES, (None, 100, 60), strict=True)):
        synthetic_runs.write(
            logdir / name, 200 + 8 * i, nan_from=nan_from, variables=variables(name), started=started + 1000 * i
        )
    again = variables("gamma-again")
    synthetic_runs.write(logdir / "gamma", 80, launch="b2", variables=again, started=started + 9000)


class HeldRequests:
    """Requests of the panel that are answered when the test says so, in any order."""

    def __init__(self, page: Page, pattern: re.Pattern[str] = ALL) -> None:
        self.page = page
        self.routes: list[Route] = []
        page.route(pattern, self.hold)

    def hold(self, route: Route) -> None:
        self.routes.append(route)

    def wait(self, count: int) -> None:
        """Waits until so many requests are held."""
        for _ in range(200):
            if len(self.routes) >= count:
                return
            self.page.wait_for_timeout(20)
        pytest.fail(f"{len(self.routes)} requests were made, expected {count}")

    def answer(self, run: str) -> None:
        """Answers all held requests for a run, and those that follow from the answers."""
        quiet = 0
        while quiet < 10:
            mine = [route for route in self.routes if run in route.request.url]
            self.routes = [route for route in self.routes if route not in mine]
            for route in mine:
                with contextlib.suppress(Error):  # the panel has given the request up
                    route.continue_()
            self.page.wait_for_timeout(30)
            quiet = 0 if mine else quiet + 1


def choose(frame: FrameLocator, name: str) -> None:
    """Chooses a run in the list."""
    frame.locator(".run-entry-name").get_by_text(name, exact=True).click()


def observe(page: Page) -> None:
    """Collects from now on what the panel shows at each change of its page."""
    panel_frame(page).evaluate(OBSERVE)


def observations(page: Page) -> list[dict[str, Any]]:
    """Returns what `observe` has collected."""
    seen: list[dict[str, Any]] = panel_frame(page).evaluate("() => window.seen")
    return seen
