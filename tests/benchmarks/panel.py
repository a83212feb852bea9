"""The panel's weight and speed in Chromium, on 20 runs of 200 variables over 10,000 steps; run by hand.

python -m tests.benchmarks.panel [--logdir DIR] [--runs 20] [--variables 200] [--steps 10000]
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from playwright.sync_api import Frame, Page

from tb_weightwatch import schema
from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.history import Column, History, Record, Rows
from tb_weightwatch.statistics import names
from tb_weightwatch.writer import EventWriter, directory_sink

from ..support import synthetic_runs
from ..support.chromium import chromium
from ..support.tensorboard_process import tensorboard, wait_for_runs
from .compiled import keep_compiled

BUNDLE = Path(__file__).resolve().parents[2] / "tb_weightwatch" / "static" / "index.js"
BLOCK = 16
MODELS = 4  # different runs; more are linked to these
FRAMES = 120
LAGS = 20
# One turn of the wheel and one move of the pointer; the browser itself counts the script that follows from them.
PAN = """(i) => {
  const plot = document.querySelector('.heatmap-plot');
  const box = plot.getBoundingClientRect();
  const at = { bubbles: true, cancelable: true, clientX: box.x + 100 + 3 * i, clientY: box.y + 40 };
  plot.dispatchEvent(new WheelEvent('wheel', { ...at, deltaX: i % 60 < 30 ? 14 : -14 }));
  plot.dispatchEvent(new PointerEvent('pointermove', at));
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


def thinned(steps: int) -> list[int]:
    """The steps that a recorder with a fixed schedule keeps: all of the first 64, then about 3,400 in bursts of 8."""
    if steps <= 3400:
        return list(range(1, steps + 1))
    gap = max(8, round(8 * steps / 3336))
    return [*range(1, 65), *(s + i for s in range(65, steps - 8, gap) for i in range(8))]


def write_runs(logdir: Path, runs: int, variables: int, steps: int) -> float:
    """Writes some runs unless they are there, links them as often as asked, and returns the MB in all."""
    for run in range(runs):
        folder, model = logdir / f"run-{run:02}" / "weightwatch", logdir / f"run-{run % MODELS:02}" / "weightwatch"
        if run < MODELS and not folder.exists():
            write(folder.parent, variables, steps, run)
        for file in [] if folder.exists() else model.iterdir():
            folder.mkdir(parents=True, exist_ok=True)
            os.link(file, folder / file.name)
    return sum(p.stat().st_size for p in logdir.rglob("*tfevents*")) / 1e6


def write(logdir: Path, variables: int, steps: int, seed: int) -> None:
    """Writes a run as the recorder does, with the trainer's own diagnosis at its end."""
    labels = tuple(f"net/block_{i // 8}/dense_{i % 8 // 2}/{'bias' if i % 2 else 'kernel'}" for i in range(variables))
    clock = synthetic_runs.Clock()
    writer = EventWriter(directory_sink(logdir), "a1", synthetic_runs.STARTED, clock)
    history = History("a1", started=synthetic_runs.STARTED)
    end = schema.record_as_stored(Record(steps, "end", {"how": "completed", "detail": ""}, synthetic_runs.STARTED))
    for record in synthetic_runs.facts(labels):
        history.add(record)
        writer.add(record)
    kept = np.array(thinned(steps), np.int64)
    for start in range(0, len(kept), BLOCK):
        block = rows(kept[start : start + BLOCK], variables, seed)
        clock.now = float(block.times[-1])  # so that it is cut into chunks as a training of that length is
        history.append(block)
        writer.append(block)
    history.add(end)
    writer.add(end)
    writer.judged(diagnose(history))
    writer.close()


def rows(steps: Any, variables: int, seed: int) -> Rows:
    rng = np.random.default_rng((seed, int(steps[0])))
    block, count = Rows(steps, synthetic_runs.STARTED + 0.05 * steps), len(steps)
    for axis, width in (("variable", variables), ("layer", 3)):
        for name in names(axis):
            getattr(block, axis)[name] = synthetic_runs.column(rng, name, (count, width), False)
    for name in names("run"):
        block.run[name] = synthetic_runs.column(rng, name, (count,), False)
    block.run["loss"] = Column(2.0 * np.exp(-steps / 3000.0), np.ones(count, bool))
    return schema.as_stored(block)


def frame_of(page: Page) -> Frame:
    return next(f for f in page.frames if "name=weightwatch" in f.url)


def first_paint(page: Page, url: str) -> dict[str, float]:
    """Seconds from the panel's own navigation to its first pixels, its sentence and its heat map."""
    page.goto(url, wait_until="commit", timeout=120_000)
    inner = page.frame_locator('iframe[src*="name=weightwatch"]')
    inner.locator("nav.run-list, .page-empty").first.wait_for(timeout=120_000)
    inner.locator("h1#sentence").wait_for(timeout=120_000)
    sentence = frame_of(page).evaluate("performance.now()")
    inner.locator(".heatmap-plot canvas").wait_for(timeout=120_000)
    painted = frame_of(page).evaluate("performance.now()")
    paint = frame_of(page).evaluate("performance.getEntriesByType('paint').map((e) => e.startTime)")
    return {
        "first_paint_s": min(paint, default=0) / 1e3,
        "sentence_s": sentence / 1e3,
        "map_s": painted / 1e3,
        "load_average": os.getloadavg()[0],
    }


def panning(page: Page) -> dict[str, float]:
    """Milliseconds of script a frame while the axis is moved and the pointer reads."""
    inner = page.frame_locator('iframe[src*="name=weightwatch"]')
    for _ in range(2):
        inner.get_by_role("button", name="Zoom in").click()
    page.wait_for_timeout(1500)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})  # of the CPU: other load does not count
    spent: list[float] = []
    for i in range(FRAMES):
        before = metrics(session)["ScriptDuration"]
        frame_of(page).evaluate(PAN, i)
        spent.append(1e3 * (metrics(session)["ScriptDuration"] - before))
    spent.sort()
    return {
        "frames": FRAMES,
        "script_ms_median": statistics.median(spent),
        "script_ms_95": spent[int(0.95 * FRAMES)],
        "script_ms_worst": spent[-1],
    }


def lag(page: Page, address: str, logdir: Path) -> dict[str, float]:
    """Seconds from a flush of new rows to their step on the page, of a run that goes on."""
    clock = time.time
    writer = EventWriter(directory_sink(logdir / "live"), "live", clock(), clock)
    for record in synthetic_runs.facts(("dense/kernel", "dense/bias")):
        writer.add(record)
    took, step = [], 0
    for number in range(LAGS + 1):
        block = rows(np.arange(step + 1, step + BLOCK + 1), 2, 0)
        step += BLOCK
        writer.append(block)
        writer.flush()
        flushed = clock()
        if not number:
            wait_for_runs(address, 1, 60)
            page.goto(f"{address}/#weightwatch&p.weightwatch.run={quote('live/weightwatch', safe='')}")
        frame = page.frame_locator('iframe[src*="name=weightwatch"]')
        frame.locator(".status-line", has_text=f"step {step:,}").wait_for(timeout=60_000)
        took += [clock() - flushed] if number else []
        time.sleep(0.37 * number % 1.0)  # not in step with anything
    writer.close()
    return {"median_s": statistics.median(took), "longest_s": max(took)}


def metrics(session: Any) -> dict[str, float]:
    return {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}


def sized(doc: str | None) -> argparse.ArgumentParser:
    """Returns a parser that asks for how many runs, and of which size."""
    ask = argparse.ArgumentParser(description=doc)
    ask.add_argument("--logdir", type=Path, help="runs that are there already, or where they go")
    ask.add_argument("--runs", type=int, default=20)
    ask.add_argument("--variables", type=int, default=200)
    ask.add_argument("--steps", type=int, default=10_000)
    return ask


def main() -> None:
    """Writes the runs, opens the panel on one of them, measures, prints JSON."""
    ask = sized(__doc__)
    given = ask.parse_args()
    keep_compiled()
    found: dict[str, Any] = {
        "bundle_kb": round(BUNDLE.stat().st_size / 1e3, 1),
        "bundle_gz_kb": round(len(gzip.compress(BUNDLE.read_bytes(), 9)) / 1e3, 1),
        **{key: getattr(given, key) for key in ("runs", "variables", "steps")},
    }
    with tempfile.TemporaryDirectory() as folder:
        logdir = given.logdir or Path(folder)
        found["mb_on_disk"] = round(write_runs(logdir, given.runs, given.variables, given.steps), 1)
        with tensorboard(logdir, tensorflow=False) as address, chromium() as browser:
            wait_for_runs(address, given.runs, 300)
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            where = f"{address}/#weightwatch&p.weightwatch.run={quote('run-00/weightwatch', safe='')}"
            found["cold"] = first_paint(page, where)
            page.goto("about:blank")
            found["warm"] = first_paint(page, where)
            time.sleep(2)
            found["panning"] = panning(page)
        with chromium() as browser:
            for pause in ("1", "5"):
                live = Path(folder) / f"live-{pause}"
                live.mkdir()
                with tensorboard(live, "--reload_interval", pause, tensorflow=False) as address:
                    page = browser.new_page()
                    found[f"rows shown, reload interval {pause} s"] = lag(page, address, live)
                    page.close()
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
