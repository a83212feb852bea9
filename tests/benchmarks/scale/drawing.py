"""Opening a run with many variables: decoding, the answers, and the panel in Chromium beside a real TensorBoard."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from tb_weightwatch import answers, reader
from tests.support.chromium import chromium
from tests.support.tensorboard_process import tensorboard, wait_for_runs

from ..panel import first_paint, frame_of, metrics, panning, write
from ..reader import memory
from .meter import MB, median_worked, written

ROWS = 64  # all steps of the dense beginning
RUN = "run/weightwatch"


def drawing(variables: int) -> dict[str, float]:
    """Opens a run of so many variables and 64 rows."""
    with tempfile.TemporaryDirectory() as folder:
        logdir = Path(folder)
        write(logdir / "run", variables, ROWS, 0)
        return {"disk_bytes": sum(size for _, size in written(logdir).values()), **_answers(logdir), **_panel(logdir)}


def _answers(logdir: Path) -> dict[str, float]:
    """Returns processor time in this process: decoding, one diagnosis, and the two answers that open a run."""
    (launch,) = reader.launches(logdir / "run")  # the first time imports much
    diagnosis = answers.safe_diagnose(launch.history)
    history = launch.history

    def overview() -> str:
        return json.dumps(answers.overview(RUN, launch, diagnosis, history.started))

    def heatmap() -> str:
        return json.dumps(answers.heatmap(history, "update_ratio", 300, diagnosis=diagnosis))

    overview()
    return {
        "decode_ms": median_worked(lambda: reader.launches(logdir / "run"), 3),
        "diagnose_ms": median_worked(lambda: answers.safe_diagnose(launch.history), 3),
        "overview_ms": median_worked(overview, 3),
        "overview_bytes": len(overview()),
        "heatmap_ms": median_worked(heatmap, 3),
        "heatmap_bytes": len(heatmap()),
    }


def _panel(logdir: Path) -> dict[str, float]:
    """Returns what the browser shows and needs: seconds of the clock, elements, memory, script time while panning."""
    with tensorboard(logdir, "--load_fast=true", tensorflow=False) as address:
        wait_for_runs(address, 1, 60)
        with chromium() as browser:
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            where = f"{address}/#weightwatch&p.weightwatch.run={RUN.replace('/', '%2F')}"
            cold = first_paint(page, where)
            page.goto("about:blank")
            warm = first_paint(page, where)
            page.wait_for_timeout(500)
            session: Any = page.context.new_cdp_session(page)
            session.send("Performance.enable")
            found = {
                "cold_map_s": cold["map_s"],
                "first_paint_s": warm["first_paint_s"],
                "map_s": warm["map_s"],
                "script_mb": metrics(session)["JSHeapUsedSize"] / MB,
                "elements": frame_of(page).evaluate("document.getElementsByTagName('*').length"),
                "frame_ms": panning(page)["script_ms_median"],
            }
        return {**found, "tensorboard_mb": sum(memory())}  # without the browser
