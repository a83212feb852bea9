"""What experiments have shown, in Chromium on the development server: outcomes, costs, and the learning-rate curve."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="the panel is tested in a browser")

from playwright.sync_api import FrameLocator, Page, Route, expect

from tests.support.chromium import needs_chromium
from tests.support.dev_server import dev_server, needs_node
from tests.support.panel_page import panel_frame, serious_faults, shot
from tests.support.tested_run import CURVE

pytestmark = [needs_chromium, needs_node]
# Whether the boxes of any two texts of a drawing overlap, and whether one is cut off.
OVERLAPS = """(svg) => {
  const outer = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll('text')].map((text) => [text.textContent, text.getBoundingClientRect()]);
  const cut = texts.filter(([, box]) => box.left < outer.left - 1 || box.right > outer.right + 1);
  const pairs = texts.flatMap(([a, one], i) => texts.slice(i + 1)
    .filter(([, two]) => one.left < two.right && two.left < one.right && one.top + 2 < two.bottom - 2 &&
                         two.top + 2 < one.bottom - 2)
    .map(([b]) => `${a} | ${b}`));
  return [...pairs, ...cut.map(([text]) => `cut: ${text}`)];
}"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with dev_server() as served:
        yield served


def shown_with_experiments(page: Page, address: str) -> FrameLocator:
    """Opens the run that has experiments."""
    page.goto(address)
    frame = page.frame_locator("iframe")
    frame.locator("button.run-entry", has_text="confirmed learning-rate-too-small").click()
    expect(frame.locator(".rate-plot svg")).to_be_visible()
    return frame


def test_suspects_tell_what_experiments_say_of_them(page: Page, address: str) -> None:
    """A tested suspect has its outcome in words and the sentence; a settled one does not say what would settle it."""
    frame = shown_with_experiments(page, address)
    expect(frame.locator(".suspect-list > p")).to_contain_text("An experiment has confirmed the first cause")
    expect(frame.locator(".suspect-list > p")).not_to_contain_text("No check has proven")
    suspects = frame.locator(".suspect")
    words = ("confirmed by experiment", "experiment: open", "refuted by experiment")
    for suspect, text in zip(suspects.all(), words, strict=True):
        expect(suspect.locator("summary .outcome-mark")).to_have_text(text)
    for title in suspects.locator("summary").all()[1:]:
        title.click()
    expect(suspects.nth(0).locator("dt")).to_have_text(["Experiment", "For it", "Against it"])
    fix = frame.locator(".suggested-fix").first  # beside the sentence, and not once more in the list
    expect(fix).to_contain_text("Set the learning rate to 1e-3, which the experiment recommends")
    expect(suspects.nth(0).locator(".suggested-fix")).to_have_count(0)
    expect(suspects.nth(0).locator("dd").first).to_contain_text("With a learning rate of 1e-3 the loss falls by 41")
    expect(suspects.nth(1).locator("dt")).to_have_text(["Experiment", "For it", "Against it", "To settle it"])
    expect(suspects.nth(2).locator("dt")).to_have_text(["Experiment", "For it", "Against it"])


def test_experiments_tell_what_they_have_shown_and_cost(page: Page, address: str) -> None:
    """Each has its outcome, sentence and cost; a cause leads to its suspect; skipped ones are folded."""
    frame = shown_with_experiments(page, address)
    section = frame.locator("section.experiment-list")
    expect(section.locator("h3")).to_have_text(
        ["Learning rate sweep confirmed", "Data variants refuted", "Gradient check open", "Optimizer swap open"]
    )
    expect(section.locator(".experiment-cost")).to_have_text(
        [
            "156 steps, 1.4 s, at step 96",
            "12 steps, 0.4 s, at step 96",
            "6 steps, 0.3 s, at step 96",
            "failed after 3 steps, 2 s, at step 96",
        ]
    )
    reason = section.get_by_text("The model has no ReLU.")
    expect(reason).to_be_hidden()
    section.get_by_text("2 experiments skipped").press("Enter")
    expect(reason).to_be_visible()
    page.set_viewport_size({"width": 1400, "height": 420})
    section.get_by_role("button", name="vanishing-gradient").click()
    expect(frame.locator(".suspect summary", has_text="vanishing-gradient")).to_be_in_viewport()
    expect(section.locator("h3").first).not_to_be_in_viewport()
    frame.get_by_role("button", name="Show the learning rate sweep").press("Enter")
    expect(section.locator("h3").first).to_be_in_viewport()


def test_a_verdict_tells_what_an_experiment_says_of_it(page: Page, address: str) -> None:
    """The answering verdict has its outcome beside its name, and the sentence among its details."""

    def with_outcome(route: Route) -> None:
        overview = route.fetch().json()
        overview["verdicts"][0].update(outcome="confirmed", experiment="with 1e-3 the loss falls by 41 %")
        route.fulfill(json=overview)

    page.route("**/overview?*", with_outcome)
    page.goto(address)
    frame = page.frame_locator("iframe")
    expect(frame.locator(".diagnosis-card .status-line .outcome-mark")).to_have_text("confirmed by experiment")
    expect(frame.locator(".verdict-lead > .verdict-details")).to_contain_text("With 1e-3 the loss falls by 41")


def test_the_curve_is_read_point_by_point_with_the_keys(page: Page, address: str, tmp_path: Path) -> None:
    """It begins at the recommended rate; arrows, Home and End move; the table and its CSV hold every number."""
    frame = shown_with_experiments(page, address)
    readout, plot = frame.locator(".rate-readout"), frame.locator(".rate-plot")
    expect(readout).to_have_text("Learning rate 1e-3: the loss falls by 41\u00a0% · recommended, in the working range")
    plot.focus()
    page.keyboard.press("ArrowRight")
    expect(readout).to_have_text("Learning rate 3.16e-3: the loss falls by 44\u00a0% · in the working range")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    expect(readout).to_have_text("Learning rate 1e-10: the loss does not change · present")
    page.keyboard.press("End")
    expect(readout).to_have_text("Learning rate 1: the loss becomes NaN or infinite")
    page.keyboard.press("ArrowLeft")
    expect(readout).to_have_text("Learning rate 0.1: the loss rises by 1e8\u00a0%")
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 70, box["y"] + 100)
    expect(readout).to_contain_text("1e-10")
    expect(frame.locator(".rate-curve table tr")).to_have_count(len(CURVE.rates))
    with page.expect_download() as waiting:
        frame.get_by_role("button", name="CSV of learning-rate-sweep").click()
    waiting.value.save_as(tmp_path / "rates.csv")
    table = list(csv.reader((tmp_path / "rates.csv").read_text(encoding="utf-8").splitlines()))
    assert [float(row[0]) for row in table[1:]] == list(CURVE.rates)
    assert table[-1][1] == "NaN"


@pytest.mark.parametrize(("theme", "width"), [("light", 1200), ("dark", 1200), ("light", 360), ("dark", 400)])
def test_experiments_can_be_read_by_everyone(page: Page, address: str, theme: str, width: int) -> None:
    """axe-core finds no serious fault, no two texts of the curve overlap, and a narrow window does not run out."""
    page.set_viewport_size({"width": width, "height": 1400})
    frame = shown_with_experiments(page, f"{address}?dark" if theme == "dark" else address)
    expect(frame.locator("html")).to_have_attribute("data-theme", theme)
    frame.locator("#experiments-title").scroll_into_view_if_needed()
    shot(page, f"experiments-{theme}-{width}")
    assert not serious_faults(page)
    assert frame.locator(".rate-plot svg").evaluate(OVERLAPS) == []
    inner = panel_frame(page)
    assert inner.evaluate("() => document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_run_without_experiments_has_no_section_for_them(page: Page, address: str) -> None:
    """Neither the section nor an outcome is shown."""
    page.goto(address)
    frame = page.frame_locator("iframe")
    expect(frame.locator("h1#sentence")).to_contain_text("learning rate")
    expect(frame.locator(".experiment-list, .outcome-mark")).to_have_count(0)
