"""Going from run to run in the panel: nothing is mixed, the browser's history follows, runs and variables are found."""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright", reason="the panel is tested in a browser")

from playwright.sync_api import Error, FrameLocator, Page, Route, expect

from tests.support import synthetic_runs
from tests.support.chromium import needs_chromium
from tests.support.panel_page import opened, panel, panel_frame, serious_faults, shot

pytestmark = needs_chromium
LETTERS = ("alpha", "beta", "gamma")
RUNS = {name: f"{name}/weightwatch" for name in LETTERS}
ALL = re.compile(r"/plugin/weightwatch/(overview|heatmap|curves|maps|compare)\?")
DETAILS = re.compile(r"/plugin/weightwatch/(heatmap|curves|maps)\?")
SWEEP = "sweeps/2026-11-resnet50-imagenet-augmented/optimizer-{}-batch-256-warmup-{:02}-weight-decay-1e-4/seed-{:04}"

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
    return tuple(f"{name}/{variable}" for variable in synthetic_runs.NAMES)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four runs whose variables have their name, one of them with two launches, and 196 with long names."""
    logdir = tmp_path_factory.mktemp("panel-navigation")
    started = time.time() - 50_000
    for i, (name, nan_from) in enumerate(zip(LETTERS, (None, 100, 60), strict=True)):
        target = logdir / name
        synthetic_runs.write(
            target, 200 + 8 * i, nan_from=nan_from, variables=variables(name), started=started + 1000 * i
        )
    again = variables("gamma-again")
    synthetic_runs.write(logdir / "gamma", 80, launch="b2", variables=again, started=started + 9000)
    synthetic_runs.write(logdir / "restarted", 120, variables=variables("restarted"), started=started)
    first = SWEEP.format("adam", 0, 0)
    synthetic_runs.write(logdir / first, 8, started=started)
    for i in range(1, 196):
        shutil.copytree(logdir / first, logdir / SWEEP.format(("adam", "momentum")[i % 2], i // 20, i % 20))
    return logdir


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
    frame.locator(".run-entry-name").get_by_text(name, exact=True).click()


def observations(page: Page) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = panel_frame(page).evaluate("() => window.seen")
    return seen


def sentences(page: Page, fast: str) -> dict[str, str]:
    """Returns the sentence of each run, read without haste."""
    texts = {}
    for name in LETTERS:
        frame = opened(page, fast, run=RUNS[name])
        texts[name] = frame.locator("h1#sentence").inner_text()
        page.goto("about:blank")
    assert len(set(texts.values())) == len(LETTERS)
    return texts


def test_switching_runs_never_mixes_them(page: Page, fast: str) -> None:
    """From A to B to A to C with late answers: at every moment all that is shown is of the run in the title."""
    texts = sentences(page, fast)
    frame = opened(page, fast, run=RUNS["alpha"])
    panel_frame(page).evaluate(OBSERVE)
    held = HeldRequests(page)
    title = frame.locator(".run-title strong")
    choose(frame, "beta")
    expect(title).to_have_text("beta")
    expect(frame.locator("main")).to_contain_text("Loading beta")
    expect(frame.locator("h1#sentence")).to_have_count(0)
    expect(frame.locator(".heatmap-plot")).to_have_count(0)
    held.wait(1)
    choose(frame, "alpha")
    held.wait(2)
    choose(frame, "gamma")
    expect(title).to_have_text("gamma")
    held.wait(3)
    for late in ("alpha", "beta"):
        held.answer(late)
        expect(frame.locator("main")).to_contain_text("Loading gamma")
    held.answer("gamma")
    expect(frame.locator("h1#sentence")).to_have_text(texts["gamma"])
    expect(frame.locator(".curve-list .variable-name")).to_contain_text("gamma-again/")
    choose(frame, "beta")
    held.answer("beta")
    expect(frame.locator(".curve-list .variable-name")).to_contain_text("beta/")
    seen = observations(page)
    assert {look["title"] for look in seen} == set(LETTERS)
    for look in seen:
        name = look["title"]
        assert look["listed"] == name
        assert look["sentence"] in ("", texts[name]), name
        assert {row.split("/")[0].removesuffix("-again") for row in look["rows"]} <= {name}
        assert look["variable"].split("/")[0].removesuffix("-again") in ("", name)


def test_switching_launches_and_comparisons_never_mixes_them(page: Page, fast: str) -> None:
    """Nothing of a launch stands below another one; a comparison is gone as soon as one of its runs is."""
    frame = opened(page, fast, run=RUNS["gamma"])
    held = HeldRequests(page)
    frame.locator(".run-launches button").nth(1).click()
    expect(frame.locator("main")).to_contain_text("Loading gamma")
    expect(frame.locator(".heatmap-row")).to_have_count(0)
    held.answer("gamma")
    expect(frame.locator(".heatmap-row").first).to_have_attribute("title", re.compile("^gamma/"))
    frame.get_by_role("button", name="Compare with beta").click()
    expect(frame.locator("main")).to_contain_text("Loading beta for the comparison")
    expect(frame.locator("h1#sentence")).to_be_visible()  # of the chosen run
    held.answer("beta")
    expect(frame.locator(".comparison-card h3")).to_have_text(["gamma", "beta"])
    panel_frame(page).evaluate(OBSERVE)
    choose(frame, "alpha")
    expect(frame.locator(".comparison")).to_have_count(0)
    held.answer("alpha")
    held.answer("beta")
    expect(frame.locator(".comparison-card h3")).to_have_text(["alpha", "beta"])
    frame.get_by_role("button", name="Remove").click()
    expect(frame.locator(".comparison")).to_have_count(0)
    cards = {tuple(look["cards"]) for look in observations(page)}
    assert cards <= {(), ("gamma", "beta"), ("alpha", "beta")}
    assert not any(look["cards"] and look["cards"][0] != look["title"] for look in observations(page))


def test_a_restarted_run_drops_what_was_of_the_launch_before(page: Page, fast: str, logs: Path) -> None:
    """When a newer launch begins, its sentence never stands above the heat map and the curves of the old one."""
    frame = opened(page, fast, run="restarted/weightwatch")
    sentence, variable = frame.locator("h1#sentence"), frame.locator(".curve-list .variable-name")
    before = sentence.inner_text()
    panel_frame(page).evaluate(OBSERVE)
    held = HeldRequests(page, DETAILS)
    again = variables("restarted-again")
    synthetic_runs.write(logs / "restarted", 160, launch="b2", variables=again, started=time.time() - 45_000)
    expect(sentence).not_to_have_text(before, timeout=60_000)
    expect(frame.locator(".heatmap-row")).to_have_count(0)
    held.answer("restarted")
    expect(variable).to_contain_text("restarted-again/")
    for look in observations(page):
        shown = {name.split("/")[0] for name in (*look["rows"], look["variable"]) if name}
        assert shown <= {"restarted" if look["sentence"] == before else "restarted-again"}


def test_an_error_stands_below_the_name_of_its_run(page: Page, fast: str) -> None:
    """A run that cannot be loaded says so under its own name, without the content of the run before."""
    frame = opened(page, fast, run=RUNS["alpha"])
    refuse = re.compile(r"/weightwatch/overview\?run=beta")
    page.route(refuse, lambda route: route.fulfill(status=200, body="not JSON"))
    choose(frame, "beta")
    alert = frame.get_by_role("alert")
    expect(alert).to_contain_text("beta could not be loaded")
    expect(frame.locator(".run-title strong")).to_have_text("beta")
    expect(frame.locator("h1#sentence")).to_have_count(0)
    shot(page, "run-error")
    assert not serious_faults(page)
    page.unroute(refuse)
    expect(frame.locator("h1#sentence")).to_be_visible()  # it was tried again
    expect(alert).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_run_that_loads_shows_its_name(page: Page, fast: str, theme: str) -> None:
    """The frame of the new run has its name and what the list knows; the page does not jump."""
    frame = opened(page, fast, query="?darkMode=true" if theme == "dark" else "", run=RUNS["alpha"])
    scroll = "() => document.scrollingElement.scrollTop"
    panel_frame(page).evaluate("() => document.scrollingElement.scrollTo(0, 500)")
    held = HeldRequests(page)
    choose(frame, "beta")
    expect(frame.locator(".empty-section").last).to_have_css("opacity", "0.7")
    assert panel_frame(page).evaluate(scroll) == 500
    panel_frame(page).evaluate("() => document.scrollingElement.scrollTo(0, 0)")
    expect(frame.locator(".run-skeleton-status")).to_contain_text("nonfinite-loss")
    shot(page, f"run-loading-{theme}")
    assert not serious_faults(page)
    held.answer("beta")
    expect(frame.locator(".empty-section")).to_have_count(0)


def entries(page: Page) -> int:
    count: int = page.evaluate("() => history.length")
    return count


def drag(page: Page, frame: FrameLocator) -> None:
    box = frame.locator(".heatmap-plot").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 30, steps=5)
    page.mouse.up()


def test_back_and_forward_go_through_what_the_user_did(page: Page, fast: str) -> None:
    """Each action is one entry of the browser's history, whole wheel turns and typed words too; defaults are none."""
    page.goto(f"{fast}/#weightwatch")
    frame = panel(page)
    title, variable = frame.locator(".run-title strong"), frame.locator(".curve-list .variable-name")
    link = frame.locator(".chain-link", has_text="Optimizer").get_by_role("button")
    search, whole = frame.get_by_label("Search variables"), frame.get_by_role("button", name="Show the whole run")
    expect(title).to_have_text("beta")  # the newest sick run
    expect(variable).to_contain_text("beta/")
    page.wait_for_timeout(2000)  # a poll
    before = entries(page)
    choose(frame, "alpha")
    expect(variable).to_have_text("alpha/dense_0/kernel")
    frame.locator(".heatmap-row").nth(3).click()
    expect(variable).to_have_text("alpha/dense_1/bias")
    frame.get_by_role("listbox").focus()
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    expect(variable).to_have_text("alpha/dense_2/bias")
    page.wait_for_timeout(300)
    drag(page, frame)
    expect(whole).to_be_enabled()
    for _ in range(8):
        page.mouse.wheel(40, 0)
    page.wait_for_timeout(400)
    zoomed = page.url
    link.click()
    expect(link).to_have_attribute("aria-pressed", "true")
    search.press_sequentially("kernel", delay=30)
    expect(frame.locator(".heatmap-row")).to_have_count(3)
    page.wait_for_timeout(400)
    assert entries(page) - before == 7
    page.go_back()
    expect(search).to_have_value("")
    expect(link).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(link).to_have_attribute("aria-pressed", "false")
    assert page.url == zoomed
    page.go_back()
    expect(whole).to_be_enabled()
    page.go_back()
    expect(whole).to_be_disabled()
    expect(variable).to_have_text("alpha/dense_2/bias")
    page.go_back()
    expect(variable).to_have_text("alpha/dense_1/bias")
    page.go_back()
    expect(variable).to_have_text("alpha/dense_0/kernel")
    page.go_back()
    expect(title).to_have_text("beta")
    for _ in range(7):
        page.go_forward()
    expect(title).to_have_text("alpha")
    expect(search).to_have_value("kernel")
    expect(link).to_have_attribute("aria-pressed", "true")
    assert entries(page) - before == 7


def test_a_link_restores_the_list_the_link_of_the_chain_and_the_search(page: Page, fast: str) -> None:
    """Order and filters of the runs, the chosen link of the chain and the search for variables are in the address."""
    frame = opened(page, fast, run=RUNS["alpha"])
    frame.get_by_label("Sort runs").select_option("severity")
    frame.locator(".chain-link", has_text="Optimizer").get_by_role("button").click()
    frame.get_by_label("Search variables").fill("dense_*/bias")
    frame.get_by_label("Filter runs", exact=True).fill("^(alpha|beta)$")
    page.wait_for_function("() => location.hash.includes('runFilter')")
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    frame = panel(page)
    expect(frame.locator(".heatmap-row")).to_have_count(3, timeout=30_000)
    expect(frame.locator(".run-entry-name")).to_have_text(["beta", "alpha"])
    expect(frame.get_by_label("Sort runs")).to_have_value("severity")
    expect(frame.locator(".chain-text")).to_contain_text("Optimizer.")
    expect(frame.locator(".name-filter-note").nth(1)).to_have_text("glob: 3 of 6")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_variables_are_searched_by_text_glob_and_regular_expression(page: Page, fast: str, theme: str) -> None:
    """The heat map shows the rows that match; an invalid expression says so and hides nothing."""
    frame = opened(page, fast, query="?darkMode=true" if theme == "dark" else "", run=RUNS["alpha"])
    search, rows = frame.get_by_label("Search variables"), frame.locator(".heatmap-row")
    note = frame.locator(".variable-filter .name-filter-note")
    for typed, count, told in (
        ("DENSE_1", 2, "2 of 6"),
        ("dense_*/kernel", 3, "glob: 3 of 6"),
        ("_[02]/kernel$", 2, "regex: 2 of 6"),
        ("dense_(", 6, "Invalid regular expression: Unterminated group"),
    ):
        search.fill(typed)
        expect(rows).to_have_count(count)
        expect(note).to_have_text(told)
    shot(page, f"search-invalid-{theme}")
    search.fill("dense_*/kernel")
    expect(rows).to_have_count(3)
    shot(page, f"search-{theme}")
    assert not serious_faults(page)
    search.fill("convolution")
    expect(frame.locator("section[aria-labelledby=heatmap-title]")).to_contain_text("No variable or layer matches")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_two_hundred_long_names_are_told_apart(page: Page, fast: str, theme: str) -> None:
    """Names are cut in the middle, all differently, with the full name as tooltip; nothing covers another text."""
    frame = opened(page, fast, query="?darkMode=true" if theme == "dark" else "", run=RUNS["alpha"])
    entries = frame.locator("nav.run-list button.run-entry")
    expect(entries).to_have_count(200)
    names = frame.locator(".run-entry-name").all_inner_texts()
    assert len(set(names)) == 200
    assert max(map(len, names)) <= 46
    last = SWEEP.format("adam", 9, 14)
    expect(frame.locator(f"button.run-entry[title^='{last}']").locator(".run-entry-name")).to_contain_text("seed-0014")
    covered = panel_frame(page).evaluate(
        """() => [...document.querySelectorAll(".run-list-item")].filter((item) => {
          const button = item.querySelector(".run-compare")?.getBoundingClientRect();
          const texts = item.querySelectorAll(".run-entry-name, .run-entry-headline, .run-state, .run-entry-step");
          return button && [...texts].some((text) => {
            const range = document.createRange();
            range.selectNodeContents(text);
            return [...range.getClientRects()].some((box) =>
              box.right > button.left && box.left < button.right &&
              box.bottom > button.top && box.top < button.bottom);
          });
        }).length"""
    )
    assert covered == 0
    shot(page, f"long-names-{theme}")
    assert not serious_faults(page)


def test_runs_are_sorted(page: Page, fast: str) -> None:
    """By name first; by severity, time and last step on request."""
    frame = opened(page, fast, run=RUNS["alpha"])
    names, sort = frame.locator(".run-entry-name"), frame.get_by_label("Sort runs")
    expect(names.first).to_have_text("alpha")
    for order, first in (("time", "gamma"), ("severity", "beta"), ("step", "beta"), ("name", "alpha")):
        sort.select_option(order)
        expect(names.first).to_have_text(first)


def test_keys_in_the_heat_map_never_scroll_the_page(page: Page, fast: str) -> None:
    """After a click into the heat map every key that moves in it leaves the page where it is."""
    page.set_viewport_size({"width": 1200, "height": 620})
    frame = opened(page, fast, run=RUNS["alpha"])
    plot = frame.locator(".heatmap-plot")
    plot.scroll_into_view_if_needed()
    plot.click(position={"x": 200, "y": 9})
    expect(frame.get_by_role("listbox")).to_be_focused()
    scroll = "() => document.scrollingElement.scrollTop"
    before = panel_frame(page).evaluate(scroll)
    assert before > 0
    for key in ("ArrowDown", "ArrowUp", "PageDown", "PageUp", "End", "Home", " ", "ArrowLeft", "ArrowRight"):
        page.keyboard.press(key)
        page.wait_for_timeout(150)
        assert panel_frame(page).evaluate(scroll) == before, key


def test_another_tab_of_tensorboard_changes_nothing(page: Page, fast: str) -> None:
    """Going to another tab and back leaves run, variable and search as they were."""
    frame = opened(page, fast, run=RUNS["alpha"], variable="alpha/dense_1/bias", variableFilter="bias")
    page.evaluate("() => { location.hash = '#graphs'; }")
    expect(page.locator('iframe[src*="name=weightwatch"]')).to_be_hidden()
    page.evaluate("() => { location.hash = '#weightwatch&p.weightwatch.run=alpha%2Fweightwatch'; }")
    expect(frame.get_by_label("Search variables")).to_have_value("")
    expect(frame.locator(".curve-list .variable-name")).to_have_text("alpha/dense_0/kernel")
    page.go_back()
    expect(page.locator('iframe[src*="name=weightwatch"]')).to_be_hidden()
    page.go_back()
    expect(frame.get_by_label("Search variables")).to_have_value("bias")
    expect(frame.locator(".run-title strong")).to_have_text("alpha")
    expect(frame.locator(".curve-list .variable-name")).to_have_text("alpha/dense_1/bias")
