"""The panel in a real browser, on real TensorBoard processes with both loaders, on runs that real programs trained."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="the panel is tested in a browser")

from playwright.sync_api import Page, expect

from tests.support import synthetic_runs
from tests.support.chromium import needs_chromium
from tests.support.panel_page import ROOT, opened, panel, panel_frame, serious_faults, shot
from tests.support.tensorboard_process import tensorboard

LOADERS = pytest.mark.parametrize("loader", ["true", "false"], ids=["fast", "python"])
SICK, HEALTHY, DIED, HOSTILE = "sick/weightwatch", "healthy/weightwatch", "died/weightwatch", "hostile/weightwatch"
NAMES = ("<img src=x onerror=alert(1)>", "\u202edlrow\u2066/kernel", "a&b=c#d/../e", "dense/kernel")
pytestmark = needs_chromium

TRAIN = """
import sys, keras
from demo import programs
for name, broken in (("sick", True), ("healthy", False)):
    keras.utils.set_random_seed(1)
    programs.learning_rate_fit(f"{sys.argv[1]}/{name}", broken)
"""
# A trainer that is killed: it has flushed, and then there is no last word.
KILLED = """
import os, signal, sys, time
from tests.support import synthetic_runs
synthetic_runs.write(f"{sys.argv[1]}/died", 64, end=None, close=False, started=time.time() - 7200)
os.kill(os.getpid(), signal.SIGKILL)
"""
# A training, written as the recorder writes, in real time, until a file says stop. No pause of the tests halts it.
LIVE = """
import sys, time
from pathlib import Path
from tb_weightwatch import schema
from tb_weightwatch.history import Record
from tb_weightwatch.writer import EventWriter, directory_sink
from tests.support import synthetic_runs
folder, step = Path(sys.argv[1]), 1
writer = EventWriter(directory_sink(folder / "live"), "live", time.time())
for record in synthetic_runs.facts():
    writer.add(record)
while not (folder / "stop").exists():
    time.sleep(0.2)
    block = synthetic_runs.rows(step, 8)
    block.times[:] = time.time()
    writer.append(block)
    step += 8
writer.add(schema.record_as_stored(Record(step - 1, "end", {"how": "completed", "detail": ""}, time.time())))
writer.close()
"""


def python(code: str, logdir: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    return subprocess.Popen([sys.executable, "-c", code, str(logdir)], cwd=ROOT, env=environment)


@pytest.fixture(scope="session", autouse=True)
def training(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[subprocess.Popen[bytes]]]]:
    """Trains while the first tests run."""
    logdir = tmp_path_factory.mktemp("panel")
    processes = [python(TRAIN, logdir), python(KILLED, logdir)]
    yield logdir, processes
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def logs(training: tuple[Path, list[subprocess.Popen[bytes]]]) -> Path:
    """A sick and a healthy run of model.fit, one whose process was killed, and one with hostile names."""
    logdir, processes = training
    synthetic_runs.write(logdir / "hostile", 64, nan_from=40, variables=NAMES, started=time.time() - 90_000)
    codes = [process.wait(timeout=200) for process in processes]
    assert codes == [0, -9]
    return logdir


@LOADERS
def test_an_empty_directory_says_what_to_do_and_a_run_that_starts_shows_its_steps(
    page: Page, loader: str, tmp_path: Path
) -> None:
    """No reload: the run appears, its steps grow, what was chosen stays chosen and zoomed, its end is seen."""
    page.set_default_timeout(30_000)
    with tensorboard(tmp_path, f"--load_fast={loader}", tensorflow=False) as address:
        page.goto(f"{address}/#weightwatch")
        frame = panel(page)
        expect(frame.get_by_role("heading", name="No runs recorded yet")).to_be_visible(timeout=30_000)
        expect(frame.locator("pre")).to_contain_text("callbacks=[ww.WeightWatch(")
        page.evaluate("window.stays = true")
        live = python(LIVE, tmp_path)
        status_line = frame.locator(".status-line")
        expect(status_line).to_contain_text("training, at step", timeout=30_000)
        frame.locator("select.heatmap-quantity").select_option("weight_norm")
        frame.get_by_role("option", name="dense_1/kernel").click()
        chosen = frame.locator(".curve-list .variable-name")
        expect(chosen).to_have_text("dense_1/kernel")
        frame.get_by_role("button", name="Zoom in").click()
        page.wait_for_function("() => location.hash.includes('weightwatch.to=')")
        zoomed, axis = page.url, frame.locator(".heatmap-ticks").inner_text()
        before = status_line.inner_text()
        expect(status_line).not_to_have_text(before, timeout=15_000)
        (tmp_path / "stop").touch()
        assert live.wait(30) == 0
        expect(status_line).to_contain_text("ended after", timeout=15_000)
        expect(chosen).to_have_text("dense_1/kernel")
        expect(frame.locator("select.heatmap-quantity")).to_have_value("weight_norm")
        assert (page.url, frame.locator(".heatmap-ticks").inner_text()) == (zoomed, axis)
        expect(frame.get_by_role("button", name="Show the whole run")).to_be_enabled()
        assert page.evaluate("window.stays") is True
        page.goto("about:blank")  # lest it asks a server that is about to end


def test_one_sees_at_once_whether_weights_move_why_not_and_what_to_change(
    page: Page, site: str, request: pytest.FixtureRequest
) -> None:
    """The sick run is chosen unasked: sentence, fix and first broken link lie in the first screen; healthy says so."""
    frame = opened(page, site)
    sentence = frame.locator("h1#sentence")
    expect(sentence).to_contain_text("learning rate of 1e-10 is too small")
    expect(frame.locator(".status-line")).to_contain_text("Sick")
    expect(frame.locator(".verdict-lead > .verdict-message")).to_have_count(0)  # the sentence is not said twice
    expect(frame.locator(".suggested-fix").first).to_contain_text("Raise the learning rate")
    expect(frame.locator(".suggested-fix pre").first).to_contain_text("Adam(1e-3)")
    broken = frame.locator(".chain-link.first")
    expect(broken).to_have_count(1)
    expect(broken).to_contain_text("Optimizer")
    expect(broken).to_contain_text("breaks here")
    expect(broken).to_contain_text("1e-10")
    affected = frame.locator(".chain-link.affected").filter(has_text="Update")
    expect(affected).to_have_count(1)  # so small a step does not "work"
    for part in (sentence, frame.locator(".suggested-fix").first, broken):
        expect(part).to_be_in_viewport(ratio=1)
    expect(frame.locator(".verdict-evidence li").first).to_contain_text("1e-10")
    shot(page, f"sick-{request.node.callspec.id}")

    frame.locator(".run-entry-name").get_by_text("healthy", exact=True).click()
    expect(sentence).to_contain_text("Healthy: kernels move")
    expect(frame.locator(".chain-link.first")).to_have_count(0)
    expect(frame.locator(".chain-link.broken")).to_have_count(0)
    shot(page, f"healthy-{request.node.callspec.id}")


def test_the_run_list_has_badges_and_keys(page: Page, site: str) -> None:
    """Each run has its state in words; arrows go from run to run and Enter chooses one."""
    frame = opened(page, site, run=SICK)
    entries = frame.locator("nav.run-list button.run-entry")
    expect(entries).to_have_count(4)
    told = "\n".join(entries.all_inner_texts())
    for words in ("sick\nlearning-rate-too-small\nended", "healthy\nhealthy\nended", "nonfinite-loss", "died ·"):
        assert words in told, told
    expect(frame.locator("nav .status-icon.error")).to_have_count(2)
    expect(entries.nth(3)).to_have_attribute("aria-current", "true")
    entries.nth(3).focus()
    page.keyboard.press("ArrowUp")
    expect(entries.nth(2)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(entries.nth(1)).to_have_attribute("aria-current", "true")
    expect(frame.locator("h1#sentence")).to_contain_text("Healthy")


def test_the_heat_map_tells_its_numbers(page: Page, site: str) -> None:
    """It is painted in more than one colour, its legend names what is there, and the pointer reads a cell."""
    frame = opened(page, site, run=SICK)
    colours = frame.locator(".heatmap-plot canvas").evaluate(
        """canvas => { const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        const seen = new Set(); for (let i = 0; i < data.length; i += 4)
          seen.add((data[i] << 16) + (data[i + 1] << 8) + data[i + 2]); return seen.size; }"""
    )
    assert colours > 5
    expect(frame.locator(".heatmap-legend")).to_contain_text("exactly 0")
    expect(frame.locator(".heatmap-legend")).not_to_contain_text("NaN")
    # One of the first steps, which are recorded however busy the machine is; later ones may lie between two bursts.
    frame.locator(".heatmap-plot").hover(position={"x": 3, "y": 9})
    readout = frame.locator(".heatmap-readout")
    expect(readout).to_contain_text("dense")
    expect(readout).to_contain_text("kernel")
    expect(readout).to_contain_text("update ratio")
    expect(readout).to_contain_text("step")
    expect(readout.locator("strong")).to_have_text("0")
    steps = readout.locator(".heatmap-readout-steps").inner_text()
    expect(frame.locator(".curve-steps").first).to_have_text(steps)  # the curves follow the pointer


def test_a_chosen_variable_draws_its_curves_and_a_link_restores_all(page: Page, site: str) -> None:
    """Click and arrow key choose; the address holds run, quantity and variable, and opens the same again."""
    frame = opened(page, site, run=SICK)
    options = frame.locator(".heatmap-row")
    last = options.nth(3).get_attribute("title") or ""
    frame.locator(".heatmap-plot").click(position={"x": 200, "y": 18 * 3 + 9})
    name = frame.locator(".curve-list .variable-name")
    expect(name).to_have_text(last)
    expect(frame.locator("section.curve-list").nth(1).locator("canvas")).to_have_count(5)
    frame.get_by_role("listbox").focus()
    page.keyboard.press("ArrowUp")
    third = options.nth(2).get_attribute("title") or ""
    expect(name).to_have_text(third)
    frame.locator("select.heatmap-quantity").select_option("gradient_norm")
    expect(options.nth(2)).to_have_attribute("aria-selected", "true")
    page.wait_for_function("() => location.hash.includes('gradient_norm')")
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    frame = panel(page)
    expect(frame.locator(".curve-list .variable-name")).to_have_text(third)
    expect(frame.locator("select.heatmap-quantity")).to_have_value("gradient_norm")
    expect(frame.locator("nav [aria-current]")).to_contain_text("sick")


@pytest.mark.parametrize(("theme", "where"), [("light", "fast"), ("dark", "prefixed")])
def test_nothing_serious_bars_the_way(page: Page, theme: str, where: str, request: pytest.FixtureRequest) -> None:
    """axe-core finds no serious fault, contrast included; dark mode follows TensorBoard's."""
    frame = opened(
        page, request.getfixturevalue(where), f"?darkMode={'true' if theme == 'dark' else 'false'}", run=SICK
    )
    expect(frame.locator("html")).to_have_attribute("data-theme", theme)
    shot(page, theme)
    for summary in frame.locator("summary").all():
        summary.click()
    assert not serious_faults(page)


def test_a_narrow_window_loses_nothing(page: Page, site: str) -> None:
    """At 400 pixels nothing runs out of the page sideways, and sentence and fix can be read."""
    page.set_viewport_size({"width": 400, "height": 1400})
    frame = opened(page, site, run=SICK)
    expect(frame.locator("h1#sentence")).to_be_in_viewport()
    expect(frame.locator(".suggested-fix").first).to_be_in_viewport()
    expect(frame.locator("nav [aria-current]")).to_be_in_viewport()
    inner = panel_frame(page)
    assert inner.evaluate("() => document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    shot(page, "narrow")


def test_a_run_whose_process_was_killed_has_died(page: Page, site: str) -> None:
    """No end was recorded: the page says so, and what was recorded until then is shown."""
    frame = opened(page, site, run=DIED)
    expect(frame.locator(".status-line")).to_contain_text("died: no end was recorded; last sign of life at step 64")
    expect(frame.locator("nav [aria-current]")).to_contain_text("died")
    expect(frame.locator(".heatmap-row")).to_have_count(len(synthetic_runs.NAMES))


def test_hostile_names_are_only_text(page: Page, site: str) -> None:
    """Markup in a name is shown as it is, marks that turn text around are taken out, and the row can be chosen."""
    frame = opened(page, site, run=HOSTILE, variable=NAMES[1])
    expect(frame.locator(".curve-list .variable-name")).to_have_text("dlrow/kernel")
    expect(frame.locator(".diagnosis-rest")).to_contain_text(NAMES[0])
    frame.get_by_role("option", name=NAMES[0]).click()
    expect(frame.locator(".curve-list .variable-name")).to_have_text(NAMES[0])
    expect(frame.locator("section.curve-list").nth(1).locator("canvas")).not_to_have_count(0)
    expect(frame.locator("img")).to_have_count(0)
    assert not set("\u202e\u2066") & set(frame.locator("body").inner_text())
    expect(frame.locator(".heatmap-legend")).to_contain_text("NaN")


def test_a_notebook_shows_the_panel_and_lets_one_copy_the_fix(page: Page, site: str, tmp_path: Path) -> None:
    """As `%tensorboard` does it: TensorBoard in a frame of a page of another server, which it cannot look into."""
    page.set_viewport_size({"width": 900, "height": 820})
    cell = f'<iframe class="cell" width="860" height="800" src="{site}/#weightwatch"></iframe>'
    (tmp_path / "notebook.html").write_text(cell)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=tmp_path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        page.goto(f"http://127.0.0.1:{server.server_port}/notebook.html")
        in_a_cell(page)
    finally:
        server.shutdown()
        server.server_close()


def in_a_cell(page: Page) -> None:
    """The panel inside the notebook's frame answers, and its buttons and list work."""
    frame = page.frame_locator("iframe.cell").frame_locator('iframe[src*="name=weightwatch"]')
    expect(frame.locator("h1#sentence")).to_contain_text("learning rate of 1e-10 is too small", timeout=30_000)
    expect(frame.locator(".heatmap-plot canvas")).to_be_visible()
    shot(page, "notebook")
    copy = frame.locator(".suggested-fix .code-block button").first
    copy.click()
    expect(copy).to_have_text("Copied")
    frame.locator(".run-entry-name").get_by_text("healthy", exact=True).click()
    expect(frame.locator("h1#sentence")).to_contain_text("Healthy: kernels move")


def test_what_is_copied_is_the_fix_and_the_table(page: Page, fast: str) -> None:
    """The code as it is typed; a chart's table with a row a step, for a spreadsheet."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    frame = opened(page, fast, run=SICK)
    inner = panel_frame(page)
    copy = frame.locator(".suggested-fix .code-block button").first
    copy.click()
    expect(copy).to_have_text("Copied")
    assert "Adam(1e-3)" in inner.evaluate("navigator.clipboard.readText()")
    frame.get_by_role("button", name="Copy table of Run curves").click()
    expect(frame.get_by_role("button", name="Copied table of Run curves")).to_be_visible()
    rows = [line.split("\t") for line in inner.evaluate("navigator.clipboard.readText()").splitlines()]
    assert rows[0][3:7] == ["recorded steps", "loss low", "loss high", "loss"]
    assert all(len(row) == len(rows[0]) for row in rows)
