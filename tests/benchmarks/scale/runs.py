"""Many runs: the first list, the panel that shows it, a poll that finds nothing new; beside TensorBoard's own list."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from tests.support.chromium import chromium
from tests.support.tensorboard_process import tensorboard

from ..load import OURS, SCALARS, Client, first_listing, wait_for_all, write_runs
from ..panel import frame_of, metrics
from ..reader import memory, worked
from .meter import MB

FAST = "--load_fast=true"
POLLS = 20
ROUNDS = 2


def prepared() -> Path:
    """Returns the folder in which the runs stay from one size to the next."""
    return Path(os.environ.get("WW_SCALE_RUNS") or tempfile.gettempdir()) / "weightwatch-scale-runs"


def linked(folder: Path, count: int) -> None:
    """Links the first runs of those that were prepared into a folder."""
    write_runs(prepared(), count)
    for i in range(count):
        run = f"group-{i % 10}/run-{i:04d}"
        for file in (prepared() / run).rglob("*tfevents*"):
            target = folder / file.relative_to(prepared())
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(file, target)


def runs(count: int) -> dict[str, float]:
    """Lists so many runs, by turns for us and for TensorBoard's scalars, each in a new TensorBoard."""
    with tempfile.TemporaryDirectory(dir=prepared().parent) as folder:
        logdir = Path(folder)
        linked(logdir, count)
        first: dict[str, list[float]] = {OURS: [], SCALARS: []}
        first_listing(logdir, FAST, OURS, count)  # compiles
        for _ in range(ROUNDS):
            for route, seconds in first.items():
                seconds.append(first_listing(logdir, FAST, route, count)[1])
        with tensorboard(logdir, FAST, tensorflow=False) as address:
            wait_for_all(address, SCALARS, count)
            before = sum(memory())
            wait_for_all(address, OURS, count)
            after = sum(memory())
            return {
                "first_cpu_s": min(first[OURS]),
                "scalars_cpu_s": min(first[SCALARS]),
                "tensorboard_mb": before,
                "ours_mb": after - before,
                **_polls(address),
                **_shown(address, count),
            }


def _polls(address: str) -> dict[str, float]:
    """Returns milliseconds and bytes of polls that find nothing new, of our list and of TensorBoard's scalars."""
    client, found = Client(address), dict[str, float]()
    for name, route in (("poll", OURS), ("scalars_poll", SCALARS)):
        client.ask(route)
        found[f"{name}_first_bytes"] = client.received
        began = worked()
        asked = [client.ask(route) for _ in range(POLLS)]
        found[f"{name}_cpu_ms"] = (worked() - began) / POLLS
        found[f"{name}_ms"] = median(milliseconds for milliseconds, _ in asked)
        found[f"{name}_bytes"] = client.received
    return found


def _shown(address: str, count: int) -> dict[str, float]:
    """Returns seconds from the panel's navigation to its first pixels and to the whole list, and its elements."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        found: dict[str, Any] = {}
        for _ in range(2):  # the second time with a warm cache
            page.goto("about:blank")
            page.goto(f"{address}/#weightwatch", wait_until="commit", timeout=120_000)
            inner = page.frame_locator('iframe[src*="name=weightwatch"]')
            inner.locator("nav.run-list").wait_for(timeout=120_000)
            frame = frame_of(page)
            found["list_s"] = frame.evaluate("performance.now()") / 1e3
            paints = frame.evaluate("performance.getEntriesByType('paint').map((e) => e.startTime)")
            found["first_paint_s"] = min(paints, default=0) / 1e3
        page.wait_for_timeout(1000)
        found["elements"] = frame_of(page).evaluate("document.getElementsByTagName('*').length")
        session: Any = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        return {**found, "script_mb": metrics(session)["JSHeapUsedSize"] / MB}
