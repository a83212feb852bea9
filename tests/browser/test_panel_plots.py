"""The plots show what was recorded, and only that: gaps, special values, one cursor, one number format, file names."""

from __future__ import annotations

import re
import time
from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="the panel is tested in a browser")

from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.support import synthetic_runs
from tests.support.chromium import needs_chromium
from tests.support.panel_page import opened, serious_faults, shot

BURSTS, SPECIAL, LONG = "bursts/weightwatch", "special kinds/weightwatch", "long/weightwatch"
KERNEL = synthetic_runs.NAMES[0]
DENSE, BURST, GAP, LAST = 64, 8, 24, 392  # recorded: 1 to 64, then 8 of each 32 steps
pytestmark = needs_chromium


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with bursts and gaps, one with special values, and one of more steps than there are buckets."""
    logdir, started = tmp_path_factory.mktemp("panel-plots"), time.time() - 5000
    bursts = {"burst": BURST, "gap": GAP, "dense": DENSE, "started": started}
    synthetic_runs.write(logdir / "bursts", LAST, **bursts)
    synthetic_runs.write(logdir / "special kinds", LAST, change=synthetic_runs.with_special_values, **bursts)
    synthetic_runs.write(logdir / "long", 20_000, **bursts)
    return logdir


def x_of(step: int, first: int, last: int, width: float) -> float:
    """Returns where the middle of a step is on an axis from the first to the last one."""
    return (step - first + 0.5) / (last - first + 1) * width


def hover(frame: FrameLocator, step: int, first: int = 1, last: int = LAST, plot: str = ".heatmap-plot") -> None:
    """Moves the pointer to a step on the first plot of that kind."""
    over = frame.locator(plot).first
    box = over.bounding_box()
    assert box is not None
    over.hover(position={"x": x_of(step, first, last, box["width"]), "y": 9})


def colours_at(canvas: Locator, share: float) -> set[int]:
    """Returns the colours of a canvas at that share of its width, in one column of pixels."""
    script = """(canvas, share) => { const x = Math.floor(share * canvas.width);
        const data = canvas.getContext("2d").getImageData(x, 0, 1, canvas.height).data;
        const seen = new Set(); for (let i = 0; i < data.length; i += 4)
          seen.add((data[i] << 16) + (data[i + 1] << 8) + data[i + 2]); return [...seen]; }"""
    return set(canvas.evaluate(script, share))


def steps_named(frame: FrameLocator) -> set[str]:
    """Returns the steps that the read-outs of the heat map and of all curves name."""
    texts = frame.locator(".heatmap-readout-steps, .curve-steps").all_inner_texts()
    assert len(texts) >= 3
    return set(texts)


@pytest.mark.parametrize(
    ("step", "text", "value"),
    [
        (100, "step 100", r"[\d.e-]+"),
        (110, "steps 105–128: not recorded", "not recorded"),
        (64, "step 64", r"[\d.e-]+"),
    ],
)
def test_all_readouts_name_the_same_steps(page: Page, site: str, step: int, text: str, value: str) -> None:
    """Heat map, run curves and variable curves name the step or gap under the pointer, and a gap has no value."""
    frame = opened(page, site, run=BURSTS, variable=KERNEL)
    hover(frame, step)
    expect(frame.locator(".heatmap-readout-steps")).to_have_text(text)
    assert steps_named(frame) == {text}
    assert re.fullmatch(value, frame.locator(".heatmap-readout strong").inner_text())
    for shown in frame.locator("section.curve-list").nth(1).locator(".curve-value").all_inner_texts()[:3]:
        assert re.fullmatch(value, shown)
    hover(frame, step, plot=".curve-chart .u-over")
    expect(frame.locator(".heatmap-readout")).to_have_count(0)
    assert set(frame.locator(".curve-steps").all_inner_texts()) == {text}
    at = frame.locator(".heatmap-cursor").evaluate("e => new DOMMatrix(getComputedStyle(e).transform).e")
    box = frame.locator(".heatmap-plot").bounding_box()
    assert box is not None
    assert abs(at - x_of(step, 1, LAST, box["width"])) < box["width"] / LAST


def test_a_step_beyond_a_run_has_no_data(page: Page, fast: str) -> None:
    """Beside a longer run the axis is longer: of steps after its end, nothing is said to be recorded or not."""
    frame = opened(page, fast, run=BURSTS, compare=LONG)
    expect(frame.locator(".heatmap-plot canvas")).to_have_count(2)
    hover(frame, 10_000, last=19_976)
    (text,) = steps_named(frame)
    assert re.fullmatch(r"step [\d,]+: no data", text)
    assert set(frame.locator(".curve-value").all_inner_texts()) == {"no data"}
    shot(page, "plots-compared")


def test_the_share_of_recorded_steps_is_in_the_readout(page: Page, fast: str) -> None:
    """Where a bucket has many steps, heat map and curves tell how many of them were recorded, all in the same words."""
    frame = opened(page, fast, run=LONG, variable=KERNEL)
    hover(frame, 10_000, last=19_976)
    (text,) = steps_named(frame)
    ends = re.fullmatch(r"steps ([\d,]+)–([\d,]+): (\d+) of (\d+) recorded", text)
    assert ends, text
    first, last, recorded, of = (int(end.replace(",", "")) for end in ends.groups())
    assert first <= 10_000 <= last
    assert of == last - first + 1
    assert recorded == sum((step - DENSE - 1) % (BURST + GAP) < BURST for step in range(first, last + 1))


def test_steps_that_were_not_recorded_have_no_colour(page: Page, site: str) -> None:
    """In a gap the heat map has its two colours of unrecorded steps only, whatever the zoom; the legend names them."""
    frame = opened(page, site, run=BURSTS, variable=KERNEL)
    canvas = frame.locator(".heatmap-plot canvas")
    expect(frame.locator(".heatmap-legend")).to_contain_text("step not recorded")
    expect(frame.locator(".heatmap-legend")).not_to_contain_text("value not recorded")
    gap, burst = x_of(116, 1, LAST, 1), x_of(100, 1, LAST, 1)
    assert len(colours_at(canvas, burst) - colours_at(canvas, gap)) >= 4
    assert len(colours_at(canvas, gap)) <= 4  # the fill, its dots and the frame of the chosen row
    frame = opened(page, site, run=BURSTS, variable=KERNEL, **{"from": "106", "to": "126"})
    expect(frame.locator(".heatmap-row").first).to_be_visible()
    hover(frame, 110, 106, 126)
    assert steps_named(frame) == {"steps 105–128: not recorded"}
    shot(page, "plots-gap")


def plot_rows(frame: FrameLocator, title: str, share: float) -> int:
    """Returns how many pixels of a curve's column at that share of its plot differ from the background and grid."""
    chart = frame.locator(".curve-chart", has=frame.locator(".curve-name", has_text=title)).first
    script = """(chart, share) => {
      const canvas = chart.querySelector("canvas"), over = chart.querySelector(".u-over");
      const ratio = canvas.width / canvas.clientWidth;
      const x = Math.round((over.offsetLeft + share * over.clientWidth) * ratio);
      const data = canvas.getContext("2d").getImageData(x, 0, 1, canvas.height).data;
      let count = 0;
      for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 128 && data[i + 2] - data[i] > 80) count += 1;
      return count; }"""
    count: int = chart.evaluate(script, share)
    return count


def test_a_curve_is_drawn_where_steps_were_recorded(page: Page, fast: str) -> None:
    """Zoomed in, each recorded step has a mark; between two bursts there is at most a thin line."""
    zoom = {"from": "90", "to": "170"}
    frame = opened(page, fast, run=BURSTS, variable=KERNEL, **zoom)
    at = [plot_rows(frame, "loss", x_of(step, 90, 170, 1)) for step in (98, 100, 130, 135)]
    between = [plot_rows(frame, "loss", x_of(step, 90, 170, 1)) for step in (108, 112, 116, 120)]
    assert min(at) >= 3  # the diameter of a mark
    assert max(between) <= 2
    shot(page, "plots-zoom")


@pytest.mark.parametrize("theme", ["", "?darkMode=true"], ids=["light", "dark"])
def test_zero_nan_and_none_have_labelled_lanes(page: Page, fast: str, theme: str) -> None:
    """Each kind of value that occurs has a lane below its chart and an entry in the legend; other charts have none."""
    page.set_viewport_size({"width": 1400, "height": 2200})
    frame = opened(page, fast, theme, run=SPECIAL, quantity="gradient_norm", variable=KERNEL)
    legend = frame.locator(".heatmap-legend")
    for text in ("NaN", "infinite", "None (no gradient)", "exactly 0", "step not recorded"):
        expect(legend).to_contain_text(text)
    gradient, weight = (
        frame.locator(".curve-chart", has=frame.locator(".curve-name", has_text=name)).locator("canvas").first
        for name in ("gradient ‖g‖", "weight ‖w‖")
    )
    heights = [canvas.evaluate("canvas => canvas.clientHeight") for canvas in (gradient, weight)]
    assert heights[0] - heights[1] == 5 + 4 * 15
    hover(frame, 70)
    expect(frame.locator(".heatmap-readout strong")).to_have_text("None")
    assert not serious_faults(page)
    shot(page, f"plots-special{'-dark' if theme else ''}")


def test_no_title_runs_into_the_next_chart(page: Page, fast: str) -> None:
    """The name, the values and the notes of a curve end above the next one, also while the pointer reads."""
    frame = opened(page, fast, run=LONG, variable=KERNEL)
    hover(frame, 10_000, last=19_976)
    boxes = [title.bounding_box() for title in frame.locator(".curve-list").nth(1).locator(".curve-title").all()]
    edges = [(box["y"], box["y"] + box["height"]) for box in boxes if box]
    assert len(edges) > 4
    assert all(end <= start for (_, end), (start, _) in pairwise(edges))


def test_numbers_have_one_format(page: Page, fast: str) -> None:
    """A thousandth is 1e-3 in the chain, on axes and in read-outs, and never 0.001; steps have all their digits."""
    frame = opened(page, fast, run=LONG, variable=KERNEL)
    hover(frame, 10_000, last=19_976)
    text = frame.locator("body").inner_text()
    assert "1e-3" in text
    assert not re.search(r"\b0\.00\d", text)
    assert not re.search(r"\b\d+(\.\d+)?[kM]\b", text)
    expect(frame.locator(".heatmap-ticks")).to_contain_text("10,000")


def test_exported_files_are_named_after_run_view_and_steps(page: Page, fast: str) -> None:
    """Also a run with a space in its name and a variable with a slash give names for every file system."""
    frame = opened(page, fast, run=SPECIAL, quantity="update_ratio", variable=KERNEL, **{"from": "17", "to": "140"})
    names = {}
    for button in ("update_ratio", "Run curves", KERNEL):
        with page.expect_download() as waiting:
            frame.get_by_role("button", name=f"CSV of {button}", exact=True).first.click()
        names[button] = waiting.value.suggested_filename
    assert names == {
        "update_ratio": "special-kinds_update_ratio_steps-17-136.csv",
        "Run curves": "special-kinds_Run-curves_steps-17-136.csv",
        KERNEL: "special-kinds_dense_0-kernel_steps-17-136.csv",
    }
