"""Going from run to run: at every moment all that the panel shows is of the run that it names."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="the panel is tested in a browser")

from playwright.sync_api import Page, expect

from tests.support import synthetic_runs
from tests.support.chromium import needs_chromium
from tests.support.navigation import (
    DETAILS,
    NAMES,
    RUNS,
    HeldRequests,
    choose,
    observations,
    observe,
    variables,
    write_runs,
)
from tests.support.panel_page import opened, panel_frame, serious_faults, shot

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three runs of `write_runs`, and one that is started again by a test."""
    logdir = tmp_path_factory.mktemp("panel-switching")
    write_runs(logdir)
    restarted = variables("restarted")
    synthetic_runs.write(logdir / "restarted", 120, variables=restarted, started=time.time() - 50_000)
    return logdir


def sentences(page: Page, fast: str) -> dict[str, str]:
    """Returns the sentence of each run, read without haste."""
    texts = {}
    for name in NAMES:
        frame = opened(page, fast, run=RUNS[name])
        texts[name] = frame.locator("h1#sentence").inner_text()
        page.goto("about:blank")
    assert len(set(texts.values())) == len(NAMES)
    return texts


def test_switching_runs_never_mixes_them(page: Page, fast: str) -> None:
    """From A to B to A to C with late answers: at every moment all that is shown is of the run in the title."""
    texts = sentences(page, fast)
    frame = opened(page, fast, run=RUNS["alpha"])
    observe(page)
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
    assert {look["title"] for look in seen} == set(NAMES)
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
    observe(page)
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
    observe(page)
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


def test_what_another_quantity_will_replace_is_marked(page: Page, fast: str) -> None:
    """Within a run the old heat map is faded until the new one is there; the sentence is not."""
    frame = opened(page, fast, run=RUNS["alpha"])
    replaceable = frame.locator(".page-sections[aria-busy]")
    expect(replaceable).to_have_css("opacity", "1")
    held = HeldRequests(page, DETAILS)
    frame.locator("select.heatmap-quantity").select_option("weight_norm")
    expect(replaceable).to_have_attribute("aria-busy", "true")
    expect(replaceable).to_have_css("opacity", "0.45")
    expect(replaceable.locator("h1#sentence")).to_have_count(0)
    expect(frame.get_by_role("listbox")).to_have_attribute("aria-label", re.compile("^update ratio"))
    held.answer("alpha")
    expect(frame.get_by_role("listbox")).to_have_attribute("aria-label", re.compile("^weight"))
    expect(replaceable).to_have_css("opacity", "1")


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
