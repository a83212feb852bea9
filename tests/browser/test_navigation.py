"""Going around in the panel: browser history, links, searches, the list of runs, keys."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="the panel is tested in a browser")

from playwright.sync_api import FrameLocator, Page, expect

from tests.support import synthetic_runs
from tests.support.chromium import needs_chromium
from tests.support.navigation import RUNS, choose, write_runs
from tests.support.panel_page import opened, panel, panel_frame, serious_faults, shot

pytestmark = needs_chromium
SWEEP = "sweeps/2026-11-resnet50-imagenet-augmented/optimizer-{}-batch-256-warmup-{:02}-weight-decay-1e-4/seed-{:04}"


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three runs of `write_runs`, and 197 with long names."""
    logdir = tmp_path_factory.mktemp("panel-navigation")
    write_runs(logdir)
    first = SWEEP.format("adam", 0, 0)
    synthetic_runs.write(logdir / first, 8, started=time.time() - 50_000)
    for i in range(1, 197):
        shutil.copytree(logdir / first, logdir / SWEEP.format(("adam", "momentum")[i % 2], i // 20, i % 20))
    return logdir


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
