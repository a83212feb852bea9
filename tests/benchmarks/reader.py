"""What the plugin costs TensorBoard: time to the first answers, polls, memory; in both loaders; run by hand.

python -m tests.benchmarks.reader [--logdir DIR] [--runs 20] [--variables 200] [--steps 10000]

"python, no TensorFlow" is what most people have who look at runs on another machine than the one that trained them.
Seconds and milliseconds are those of the clock; `cpu_ms` is what the TensorBoard processes worked, which other load
on the machine does not change much.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from ..support.tensorboard_process import tensorboard, wait_for_runs
from .compiled import keep_compiled
from .panel import sized, write_runs

WAYS = {
    "fast": ("true", False),
    "python, no TensorFlow": ("false", False),
    "python, TensorFlow": ("false", True),
}
POLLS = 40
TICKS = os.sysconf("SC_CLK_TCK")
ROUTE = "/data/plugin/weightwatch"


def family() -> Iterator[Path]:
    """Gives the /proc entries of TensorBoard, this process' child, and of the data server, its child."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:  # ended in between
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    mine = {pid for pid, parent in parents.items() if parent == os.getpid()}
    for pid in sorted(mine | {pid for pid, parent in parents.items() if parent in mine}):
        yield Path("/proc") / str(pid)


def worked() -> float:
    """Returns the milliseconds of CPU that TensorBoard and its data server have used so far."""
    total = 0.0
    for entry in family():
        fields = (entry / "stat").read_text().rpartition(")")[2].split()
        total += 1e3 * (int(fields[11]) + int(fields[12])) / TICKS
    return total


def memory() -> list[float]:
    """Returns their resident memory in MB, one number a process."""
    pages = [int((entry / "statm").read_text().split()[1]) for entry in family()]
    return [round(n * os.sysconf("SC_PAGE_SIZE") / 1e6, 1) for n in pages]


def fetch(url: str) -> bytes:
    """Returns a body as a browser gets it: compressed."""
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})) as answer:
        body: bytes = answer.read()
    return body


def timed(ask: Callable[[], Any], times: int = 1) -> dict[str, float]:
    """Returns the median milliseconds by the clock, and the mean milliseconds of CPU, of so many requests."""
    before, took = worked(), []
    for _ in range(times):
        started = time.perf_counter()
        ask()
        took.append(1e3 * (time.perf_counter() - started))
    return {"ms": round(statistics.median(took), 1), "cpu_ms": round((worked() - before) / times, 1)}


def measure(logdir: Path, loader: str, tensorflow: bool, runs: int) -> dict[str, Any]:
    """Starts TensorBoard on the runs and asks it what the panel asks."""
    found: dict[str, Any] = {}
    started = time.monotonic()
    with tensorboard(logdir, f"--load_fast={loader}", tensorflow=tensorflow) as address:
        found["up_s"] = round(time.monotonic() - started, 1)
        listed = wait_for_runs(address, runs, 600)["runs"]
        found["all_runs_listed_s"] = round(time.monotonic() - started, 1)
        where = f"{address}{ROUTE}"
        found["memory_mb"] = {"runs listed": memory()}

        def ask(run: str, route: str, **more: str) -> Callable[[], Any]:
            query = urlencode({"run": run, "columns": "300", **more})
            return lambda: fetch(f"{where}/{route}?{query}")

        one, two = listed[0]["run"], listed[-1]["run"]
        found["cold"] = {
            "overview": timed(ask(one, "overview")),
            "heatmap": timed(ask(one, "heatmap", quantity="update_ratio")),
            "heatmap of another quantity": timed(ask(one, "heatmap", quantity="gradient_norm")),
            "curves of the run": timed(ask(one, "curves")),
            "compare": timed(ask(one, "compare", other=two)),
        }
        found["warm"] = {
            "runs": timed(lambda: fetch(f"{where}/runs"), POLLS),
            "overview": timed(ask(one, "overview"), POLLS),
            "heatmap": timed(ask(one, "heatmap", quantity="update_ratio"), POLLS),
            "TensorBoard's own /data/runs": timed(lambda: fetch(f"{address}/data/runs"), POLLS),
        }
        found["memory_mb"]["one run open, one compared"] = memory()
        for entry in listed:
            ask(entry["run"], "heatmap", quantity="update_ratio")()
        found["memory_mb"]["all runs opened"] = memory()
    return found


def main() -> None:
    """Writes the runs unless they are there, measures each way, prints JSON."""
    ask = sized(__doc__)
    ask.add_argument("--ways", nargs="*", choices=WAYS, default=list(WAYS))
    given = ask.parse_args()
    keep_compiled()
    with tempfile.TemporaryDirectory() as folder:
        logdir = given.logdir or Path(folder)
        size = write_runs(logdir, given.runs, given.variables, given.steps)
        print(f"{given.runs} runs, {size:.0f} MB, load average {os.getloadavg()[0]:.1f}")
        measure(logdir, *WAYS[given.ways[0]], given.runs)  # compiles the modules
        for way in given.ways:
            print(json.dumps({way: measure(logdir, *WAYS[way], given.runs)}, indent=1), flush=True)


if __name__ == "__main__":
    main()
