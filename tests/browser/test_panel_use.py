"""What a person does in the panel, in a real browser on a real TensorBoard: zoom, order, pictures, compare, export."""

from __future__ import annotations

import csv
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("playwright", reason="the panel is tested in a browser")

from playwright.sync_api import Page, expect

from tb_weightwatch import schema
from tb_weightwatch.maps import Map
from tests.support import synthetic_runs
from tests.support.chromium import needs_chromium
from tests.support.panel_page import opened, panel, serious_faults, shot

GOOD, BAD, MANY = "good/weightwatch", "bad/weightwatch", "many/weightwatch"
BLOCKS = tuple(f"net/block_{i // 8}/dense_{i % 8 // 2}/{'bias' if i % 2 else 'kernel'}" for i in range(1000))
pytestmark = needs_chromium


def pictures(step: int) -> list[Map]:
    """A row that never moves, and as many elements in one octave as in the next."""
    moved, counts = np.full((4, 4), 1e-3), np.zeros(256)
    moved[2] = 0.0
    counts[[0, 115, 116]] = 4, 4, 8  # powers of two are kept exactly
    return [
        Map(step, synthetic_runs.NAMES[0], kind, values)
        for kind, values in (("update_map", moved), ("update_histogram", counts))
    ]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A healthy run with pictures, the same with NaN from step 100 on, 1,000 variables, and 197 more runs."""
    logdir = tmp_path_factory.mktemp("panel-use")
    started = time.time() - 5000
    sink = synthetic_runs.directory_sink(logdir / "good")
    synthetic_runs.write(logdir / "good", 200, sink=sink, close=False, started=started)
    for number, step in enumerate((64, 128)):
        (data,) = schema.encode_maps(pictures(step))
        sink.emit(schema.to_summary(schema.Tag("a1", "maps", number), data), step, time.time())
    sink.close()
    synthetic_runs.write(logdir / "bad", 200, nan_from=100, started=started + 1000)
    synthetic_runs.write(logdir / "many", 64, variables=BLOCKS, nan_from=56, started=started)
    synthetic_runs.write(logdir / "other-000", 8, started=started)
    for i in range(1, 197):
        shutil.copytree(logdir / "other-000", logdir / f"other-{i:03}")
    return logdir


def test_a_zoom_is_finer_and_the_address_restores_the_whole_state(page: Page, site: str) -> None:
    """Dragging makes the axis; keys move it; a pasted link opens run, part, order, quantity and comparison again."""
    frame = opened(page, site, run=GOOD)
    frame.locator(".heatmap-plot").scroll_into_view_if_needed()
    box = frame.locator(".heatmap-plot").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 30, steps=4)
    expect(frame.locator(".heatmap-drag")).to_be_visible()
    page.mouse.up()
    page.wait_for_function("() => location.hash.match(/weightwatch.to=10[01]/)")
    expect(frame.locator(".heatmap-ticks")).not_to_contain_text("150")
    frame.get_by_role("button", name="Later steps").press("Enter")
    page.wait_for_function("() => location.hash.includes('weightwatch.to=12')")
    frame.locator("select.heatmap-order").select_option("worst")
    frame.locator("select.heatmap-quantity").select_option("weight_norm")
    frame.get_by_role("button", name="Compare with bad").click()
    expect(frame.locator(".comparison")).to_be_visible()
    page.wait_for_function("() => location.hash.includes('compare=bad')")
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    frame = panel(page)
    expect(frame.locator(".heatmap-plot canvas").first).to_be_visible(timeout=30_000)
    expect(frame.locator(".comparison-card")).to_have_count(2)
    expect(frame.locator("select.heatmap-order")).to_have_value("worst")
    expect(frame.locator("select.heatmap-quantity")).to_have_value("weight_norm")
    expect(frame.get_by_role("button", name="Show the whole run")).to_be_enabled()
    frame.get_by_role("button", name="Show the whole run").click()
    expect(frame.locator(".heatmap-ticks").first).to_contain_text("150")


def test_two_runs_side_by_side(page: Page, site: str) -> None:
    """Sentences, the step at which they part, curves over each other and maps on one scale; nothing bars the way."""
    frame = opened(page, site, run=GOOD)
    frame.get_by_role("button", name="Compare with bad").click()
    cards = frame.locator(".comparison-card")
    expect(cards).to_have_count(2)
    expect(cards.nth(1)).to_contain_text("Sick")
    expect(frame.locator(".comparison-differences")).to_contain_text("The runs first differ at step 105: loss")
    expect(frame.locator(".heatmap-plot canvas")).to_have_count(2)
    shot(page, "compare")
    assert not serious_faults(page)
    frame.get_by_role("button", name="Stop comparing").click()
    expect(frame.locator("h1#sentence")).to_contain_text("Healthy")


def test_pictures_of_a_variable_can_be_read(page: Page, site: str) -> None:
    """A still row is told and read cell by cell with the keys; the slider goes back; histograms have their numbers."""
    frame = opened(page, site, run=GOOD, variable=synthetic_runs.NAMES[0])
    motion = frame.locator(".motion-map")
    expect(motion).to_contain_text("1 of 4 rows of the map did not move")
    motion.locator(".motion-map-grid").focus()
    expect(motion.locator(".motion-map-readout")).to_have_text("row 0, column 0: 1e-3")
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    expect(motion.locator(".motion-map-readout")).to_have_text("row 2, column 1: 0")
    frame.get_by_role("slider").press("Home")
    expect(motion).to_contain_text("step 64")
    histogram = frame.locator(".ridge-histogram")
    expect(histogram.locator("path.ridge")).to_have_count(2)
    expect(histogram).to_contain_text("0: 25 %")
    shot(page, "inside")
    assert not serious_faults(page)
    frame.get_by_role("option", name=synthetic_runs.NAMES[1]).click()
    expect(frame.locator(".variable-maps")).to_have_count(0)


def test_a_thousand_variables_fold_into_blocks(page: Page, site: str) -> None:
    """Blocks open and close by key and click, worst first brings what the verdict names to the top."""
    frame = opened(page, site, run=MANY, order="block", quantity="update_ratio")
    rows = frame.locator(".heatmap-row")
    expect(rows.first).to_contain_text("block_0 (8)")
    frame.get_by_role("listbox").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(rows.nth(1)).to_have_attribute("title", BLOCKS[0])
    page.keyboard.press("ArrowLeft")
    expect(rows.nth(1)).to_contain_text("block_1")
    rows.nth(1).click()
    expect(rows.nth(2)).to_have_attribute("title", BLOCKS[8])
    frame.locator("select.heatmap-order").select_option("worst")
    expect(rows.first).to_have_attribute("aria-setsize", "1000")
    assert not serious_faults(page)


def test_charts_go_out_as_numbers(page: Page, site: str, tmp_path: Path) -> None:
    """The CSV of the heat map has a row a variable and of the curves a row a step, and can be read."""
    frame = opened(page, site, run=GOOD)
    with page.expect_download() as waiting:
        frame.get_by_role("button", name="CSV of update_ratio").click()
    waiting.value.save_as(tmp_path / "map.csv")
    table = list(csv.reader((tmp_path / "map.csv").read_text(encoding="utf-8").splitlines()))
    assert [row[0] for row in table[1:]] == list(synthetic_runs.NAMES)
    assert all(float(cell) > 0 for row in table[1:] for cell in row[1:])
    with page.expect_download() as waiting:
        frame.get_by_role("button", name="CSV of Run curves").click()
    waiting.value.save_as(tmp_path / "run.csv")
    table = list(csv.reader((tmp_path / "run.csv").read_text(encoding="utf-8").splitlines()))
    assert table[0][:7] == ["step", "from step", "to step", "recorded steps", "loss low", "loss high", "loss"]
    assert table[-1][:4] == ["200", "200", "200", "1"]


def test_many_runs_are_found_by_name_and_verdict(page: Page, site: str) -> None:
    """Two hundred runs: the filter by verdict and the one by name narrow the list, and say by how much."""
    frame = opened(page, site, run=GOOD)
    entries = frame.locator("nav.run-list button.run-entry")
    expect(entries).to_have_count(200)
    frame.get_by_label("Filter runs by verdict").select_option("nonfinite-loss")
    expect(entries).to_have_count(2)
    expect(frame.locator("nav h2")).to_contain_text("2 of 200")
    frame.get_by_label("Filter runs", exact=True).fill("man")
    expect(entries).to_have_count(1)
    frame.get_by_label("Filter runs by verdict").select_option("")
    frame.get_by_label("Filter runs", exact=True).fill("other-03")
    expect(entries).to_have_count(10)
    entries.first.focus()
    page.keyboard.press("End")
    expect(entries.nth(9)).to_be_focused()


def test_a_finished_run_is_asked_for_no_more(page: Page, site: str) -> None:
    """Once two polls brought nothing new, only the list of runs is asked for."""
    page.clock.install()
    opened(page, site, run=GOOD)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.partition("/weightwatch/")[2].partition("?")[0]))
    for _ in range(4):  # each longer than the longest wait
        page.clock.fast_forward(31_000)
        page.wait_for_timeout(400)
    assert asked.count("runs") >= 3
    assert 1 <= asked.count("overview") <= 2
    asked.clear()
    page.clock.fast_forward(31_000)
    page.wait_for_timeout(400)
    assert [route for route in asked if route] == ["runs"]
