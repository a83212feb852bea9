"""The table of all runs, and the comparison of several, in Chromium on a real TensorBoard: a sweep of 40 and of 200."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="the panel is tested in a browser")

from playwright.sync_api import FrameLocator, Page, expect

from tests.support.chromium import needs_chromium
from tests.support.panel_page import opened, panel, panel_frame, serious_faults, shot
from tests.support.sweep_runs import GRID, name_of, write_sweep
from tests.support.tensorboard_process import tensorboard, wait_for_runs

TRIALS, MANY = 40, 200
SICK = 12  # of the first 40 trials
WITHIN = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
pytestmark = needs_chromium


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sweep")
    write_sweep(path, TRIALS)
    return path


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a TensorBoard with 200 runs."""
    path = tmp_path_factory.mktemp("many")
    write_sweep(path, MANY)
    with tensorboard(path, "--load_fast=true", tensorflow=False) as url:
        wait_for_runs(url, MANY, 60)
        yield url


def table_of(page: Page, address: str, rows: int = TRIALS, query: str = "", view: str = "runs") -> FrameLocator:
    """Opens the table by a link and waits until every run was read."""
    wait_for_runs(address, rows, 60)
    page.goto(f"{address}/{query}#weightwatch&p.weightwatch.view={view}")
    frame = panel(page)
    expect(frame.locator(".link-table tbody tr")).to_have_count(rows, timeout=30_000)
    expect(frame.locator(".run-table [role=status]")).to_have_count(0, timeout=30_000)
    return frame


def names(frame: FrameLocator) -> list[str]:
    return [text.strip() for text in frame.locator(".link-table tbody th").all_inner_texts()]


def test_a_sweep_tells_which_settings_go_with_which_answer(page: Page, site: str) -> None:
    """The summary names the setting that sets the answers apart, with counts; the rows say it for each run."""
    frame = table_of(page, site)
    groups = frame.locator(".run-groups li")
    expect(groups).to_have_text(
        [
            f"nonfinite-loss: {SICK} runs, activation of 2 layers = exponential (all of them, and no other run)",
            f"healthy: {TRIALS - SICK} runs, activation of 2 layers = relu or tanh (all of them, and no other run)",
        ]
    )
    first = frame.locator(".link-table tbody tr").first
    expect(first.locator(".link-table-first")).to_contain_text("breaks here")
    expect(first.locator(".link-table-first")).to_contain_text("NaN")
    expect(first.locator("td").nth(1)).to_have_text("exponential")  # beside the answer
    answers = [text.strip() for text in frame.locator(".link-table-answer").all_inner_texts()]
    assert answers == ["nonfinite-loss"] * SICK + ["healthy"] * (TRIALS - SICK)
    shot(page, "sweep-40")


def test_the_run_list_opens_the_table_filters_it_and_a_row_opens_its_run(page: Page, site: str) -> None:
    """The button above the list opens it; the list's filter counts for it; mouse and keyboard open a run."""
    wait_for_runs(site, TRIALS, 60)
    frame = opened(page, site, run=name_of(0))
    frame.get_by_role("button", name="Compare all").click()
    expect(frame.locator(".link-table tbody tr")).to_have_count(TRIALS)
    page.wait_for_function("() => location.hash.includes('weightwatch.view=runs')")
    expect(frame.locator("button.run-entry[aria-current]")).to_have_count(0)
    frame.get_by_label("Filter runs", exact=True).fill("trial-00")
    expect(frame.locator(".link-table tbody tr")).to_have_count(10)
    expect(frame.locator("h1")).to_have_text(f"10 of {TRIALS} runs")
    expect(frame.locator(".run-groups li").first).to_contain_text("2 runs, too few runs to say which setting")
    frame.get_by_label("Filter runs", exact=True).fill("")
    frame.locator(".link-table tbody tr", has_text="trial-013").locator("td").nth(3).click()
    expect(frame.locator("h1#sentence")).to_be_visible()
    page.wait_for_function("() => location.hash.includes('trial-013') && !location.hash.includes('view=')")
    frame.get_by_role("button", name="Compare all").press("Enter")
    frame.get_by_role("button", name="trial-021", exact=True).press("Enter")
    expect(frame.locator("button.run-entry[aria-current]")).to_contain_text("trial-021")
    frame.get_by_role("button", name="Compare all").click()
    frame.get_by_role("button", name="Back to the run").click()
    expect(frame.locator("h1#sentence")).to_be_visible()


def test_each_column_sorts_and_a_link_restores_the_order(page: Page, site: str, tmp_path: Path) -> None:
    """A head sorts by its column, again in the other direction, and says so; the export has the same order."""
    frame = table_of(page, site)
    heads = frame.locator(".link-table thead th")
    expect(heads.nth(1)).to_have_attribute("aria-sort", "ascending")
    heads.nth(0).locator("button").click()
    expect(heads.nth(0)).to_have_attribute("aria-sort", "ascending")
    assert names(frame) == [f"trial-{i:03}" for i in range(TRIALS)]
    heads.nth(0).locator("button").press("Enter")
    expect(heads.nth(0)).to_have_attribute("aria-sort", "descending")
    assert names(frame) == [f"trial-{i:03}" for i in reversed(range(TRIALS))]
    expect(frame.locator(".link-table thead th[aria-sort]")).to_have_count(1)
    for at in range(heads.count()):
        heads.nth(at).locator("button").click()
        expect(heads.nth(at)).to_have_attribute("aria-sort", "ascending")
    frame.locator(".link-table thead th", has_text="Final loss").locator("button").click()
    frame.locator(".link-table thead th", has_text="Final loss").locator("button").click()
    page.wait_for_function("() => location.hash.includes('view=runs%3A-final')")
    order = names(frame)
    assert order[:SICK] == [f"trial-{i:03}" for i in range(TRIALS) if GRID[i % 12][0] == "exponential"]
    with page.expect_download() as waiting:
        frame.get_by_role("button", name="CSV of runs").click()
    waiting.value.save_as(tmp_path / "runs.csv")
    table = list(csv.reader((tmp_path / "runs.csv").read_text(encoding="utf-8").splitlines()))
    assert [row[0] for row in table[1:]] == [f"sweep/{name}" for name in order]
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    expect(panel(page).locator(".link-table tbody tr")).to_have_count(TRIALS)
    assert names(panel(page)) == order


def test_a_link_to_the_table_restores_the_filters_of_the_list(page: Page, fast: str) -> None:
    """A link with a filter and an order shows only these runs in list and table, and the boxes say so."""
    wait_for_runs(fast, TRIALS, 60)
    page.goto(f"{fast}/#weightwatch&p.weightwatch.view=runs&p.weightwatch.sort=step&p.weightwatch.runFilter=trial-00")
    frame = panel(page)
    expect(frame.locator("h1")).to_have_text(f"10 of {TRIALS} runs", timeout=30_000)
    expect(frame.locator("button.run-entry")).to_have_count(10)
    expect(frame.get_by_label("Filter runs", exact=True)).to_have_value("trial-00")
    expect(frame.get_by_label("Sort runs")).to_have_value("step")


def test_the_keyboard_keeps_its_place_when_the_view_changes(page: Page, fast: str) -> None:
    """The title takes the focus when the pressed button goes away: a row, and the button back to the run."""
    frame = table_of(page, fast)
    frame.get_by_role("button", name="trial-021", exact=True).press("Enter")
    expect(frame.locator("h1#sentence")).to_be_visible()
    expect(frame.locator(".run-title")).to_be_focused()
    frame.get_by_role("button", name="Compare all").press("Enter")
    frame.get_by_role("button", name="Back to the run").press("Enter")
    expect(frame.locator(".run-title")).to_be_focused()


def test_the_arrow_keys_go_through_the_rows_without_scrolling_the_page(page: Page, fast: str) -> None:
    """Down, up, End and Home move from run to run; the focused row is not below the head."""
    frame = table_of(page, fast)
    buttons = frame.locator(".link-table tbody th button")
    buttons.first.focus()
    page.keyboard.press("ArrowDown")
    expect(buttons.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(buttons.last).to_be_focused()
    expect(buttons.last).to_be_in_viewport()
    page.keyboard.press("ArrowUp")
    expect(buttons.nth(TRIALS - 2)).to_be_focused()
    page.keyboard.press("Home")
    expect(buttons.first).to_be_focused()
    head, row = frame.locator(".link-table thead th").first.bounding_box(), buttons.first.bounding_box()
    assert head is not None
    assert row is not None
    assert row["y"] >= head["y"] + head["height"] - 1


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1024, True), (400, False)])
def test_the_table_can_be_read_by_everyone(page: Page, fast: str, width: int, dark: bool) -> None:
    """axe-core finds no serious fault; the page fits its window; on a wide one the names stay in view."""
    page.set_viewport_size({"width": width, "height": 768})
    frame = table_of(page, fast, query="?darkMode=true" if dark else "")
    assert panel_frame(page).evaluate(WITHIN)
    scroller = frame.locator(".link-table")
    assert scroller.evaluate("e => { e.scrollLeft = 300; return e.scrollLeft; }") > 0
    names_left = frame.locator(".link-table tbody th").first.bounding_box()
    table_left = scroller.bounding_box()
    assert names_left is not None
    assert table_left is not None
    assert (abs(names_left["x"] - table_left["x"]) < 3) == (width > 760)  # else they would take the room of the rest
    shot(page, f"sweep-40-{width}-{'dark' if dark else 'light'}")
    assert not serious_faults(page)


def test_two_hundred_runs_fill_the_table_step_by_step(page: Page, many: str) -> None:
    """Runs that were not read yet have a row already, and no poll reads the table again once it is complete."""
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url) if "/weightwatch/table" in request.url else None)
    frame = table_of(page, many, MANY)
    expect(frame.locator(".run-groups li").first).to_contain_text("64 runs")
    shot(page, "sweep-200")
    before = len(requests)
    assert 0 < before < 30
    page.wait_for_timeout(5000)
    assert len(requests) == before


def test_no_table_is_requested_while_a_run_is_shown(page: Page, fast: str) -> None:
    """Whoever does not open the table does not pay for it."""
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url) if "/weightwatch/" in request.url else None)
    wait_for_runs(fast, TRIALS, 60)
    opened(page, fast, run=name_of(0))
    assert any("/weightwatch/overview" in url for url in requests)
    assert not any("/weightwatch/table" in url for url in requests)


def test_several_runs_are_compared_in_one_table(page: Page, site: str) -> None:
    """Each run has its line's look, answer and links; the settings of all of them stand in one table."""
    trials = (2, 10, 5, 0)
    wait_for_runs(site, TRIALS, 60)
    frame = opened(page, site, run=name_of(trials[0]))
    for trial in trials[1:]:
        frame.get_by_role("button", name=f"Compare with sweep/trial-{trial:03}").click()
    rows = frame.locator(".comparison .link-table tbody tr")
    expect(rows).to_have_count(4)
    assert names(frame) == [f"trial-{i:03}" for i in trials]
    expect(rows.locator("th svg path")).to_have_count(4)
    expect(rows.nth(1).locator(".link-table-first")).to_contain_text("NaN")
    settings = frame.locator(".compared-values[aria-label='Settings that differ']")
    expect(settings).to_have_count(1)
    row = settings.locator("tbody tr", has_text="optimizer")
    expect(row.locator("td")).to_have_text([GRID[i][1] for i in trials])
    frame.locator(".comparison thead button", has_text="Answer").click()
    expect(rows.first).to_contain_text("trial-010")
    shot(page, "comparison-4")
    assert not serious_faults(page)
