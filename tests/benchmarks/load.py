"""Many clients at a long list of runs, with TensorBoard's own list beside it; both loaders; run by hand.

python -m tests.benchmarks.load [--logdir DIR] [--runs 1000] [--clients 50] [--seconds 3] [--rounds 3] [--minutes 0]

Each run holds one scalar beside its recording. The first listing is the time from the start of TensorBoard to an answer
that holds all runs: of ours, and of TensorBoard's list of scalars, in processes of their own by turns. Then all clients
keep their connections and ask without a pause, by turns for one of the lists, so that both meet the same other load.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tensorboard.plugins.scalar.summary_v2 import scalar_pb

from tb_weightwatch.writer import directory_sink

from ..support import synthetic_runs
from ..support.tensorboard_process import get_json, tensorboard
from .compiled import keep_compiled
from .reader import memory, worked

STEPS = 48  # of a run
OURS, SCALARS, RUNS = "/data/plugin/weightwatch/runs", "/data/plugin/scalars/tags", "/data/runs"
LISTS = {"ours": OURS, "ours, without ETag": OURS, "TensorBoard's scalars": SCALARS, "TensorBoard's runs": RUNS}
LOADERS = {"fast": "--load_fast=true", "python": "--load_fast=false"}
PAUSE = 5.0  # seconds between the polls of a client while memory is watched


def write_runs(logdir: Path, count: int) -> None:
    """Writes the runs, every seventh of them sick, each with a scalar in the same event file."""
    for i in range(count):
        folder, started = logdir / f"group-{i % 10}" / f"run-{i:04d}", synthetic_runs.STARTED + i
        if folder.exists():
            continue
        sink = directory_sink(folder)
        synthetic_runs.write(
            folder,
            STEPS,
            launch=f"a{i:04d}",
            started=started,
            seed=i,
            nan_from=25 if i % 7 == 0 else None,
            sink=sink,
            close=False,
        )
        sink.emit(scalar_pb("loss", 0.5), STEPS, started)
        sink.close()


def first_listing(logdir: Path, flag: str, route: str, runs: int) -> tuple[float, float]:
    """Returns the seconds from TensorBoard's start to a list of all runs, and those that its processes worked."""
    started = time.monotonic()
    with tensorboard(logdir, flag, tensorflow=False) as address:
        wait_for_all(address, route, runs)
        return round(time.monotonic() - started, 2), round(worked() / 1e3, 2)


def wait_for_all(address: str, route: str, runs: int) -> None:
    """Asks for a list until it holds all runs."""
    while True:
        answer = get_json(address + route)
        if len(answer["runs"] if route == OURS else answer) >= runs:
            return
        time.sleep(0.2)


class Client:
    """A client that keeps its connection and revalidates what it got, as a browser does.

    Attributes:
        received: bytes of the last response, with its headers.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        self._etags: dict[str, str] = {}
        self.received = 0

    def ask(self, route: str, revalidate: bool = True) -> tuple[float, int]:
        """Returns the milliseconds that a request took, and its status."""
        headers = {"Accept-Encoding": "gzip"}
        if revalidate and route in self._etags:
            headers["If-None-Match"] = self._etags[route]
        began = time.perf_counter()
        self._connection.request("GET", route, headers=headers)
        response = self._connection.getresponse()
        headers_size = sum(len(name) + len(value) + 4 for name, value in response.getheaders())
        self.received = headers_size + len(response.read())
        self._etags[route] = response.headers.get("ETag", "")
        return 1e3 * (time.perf_counter() - began), response.status


def together(
    clients: list[Client], seconds: float, ask: Callable[[Client], tuple[float, int]]
) -> list[tuple[float, int]]:
    """Lets all clients ask without a pause, and returns what each request took, and its status."""
    results: list[tuple[float, int]] = []
    deadline = time.monotonic() + seconds

    def go(client: Client) -> None:
        while time.monotonic() < deadline:
            results.append(ask(client))

    threads = [threading.Thread(target=go, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def under_load(clients: list[Client], seconds: float, rounds: int) -> Iterator[dict[str, Any]]:
    """Asks for each of the lists by turns, and yields a row of the table for each."""
    found: dict[str, list[tuple[float, int]]] = {name: [] for name in LISTS}
    for _ in range(rounds):
        for name, route in LISTS.items():
            revalidate = name != "ours, without ETag"
            found[name] += together(clients, seconds, lambda c: c.ask(route, revalidate))  # noqa: B023
    for name, results in found.items():
        took = sorted(milliseconds for milliseconds, _ in results)
        yield {
            "list": name,
            "requests": len(took),
            "p50_ms": round(statistics.median(took), 1),
            "p99_ms": round(took[int(0.99 * len(took))], 1),
            "max_ms": round(took[-1], 1),
            "statuses": {s: sum(status == s for _, status in results) for s in {status for _, status in results}},
        }


def watch_memory(clients: list[Client], minutes: float) -> list[list[float]]:
    """Polls as panels do, and returns the memory of the processes in MB after each minute."""
    seen = [memory()]
    end = time.monotonic() + 60 * minutes
    next_look = time.monotonic() + 60

    def poll(client: Client) -> tuple[float, int]:
        answer = client.ask(OURS)
        time.sleep(PAUSE)
        return answer

    while time.monotonic() < end:
        together(clients, min(60.0, end - time.monotonic()), poll)
        if time.monotonic() >= next_look:
            seen.append(memory())
            next_look += 60
    return seen


def main() -> None:
    """Writes the runs unless they are there, measures each loader, prints JSON."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--logdir", type=Path, help="runs that are there already, or where they go")
    ask.add_argument("--loaders", nargs="*", choices=LOADERS, default=list(LOADERS))
    for name, default in (("runs", 1000), ("clients", 50), ("rounds", 3)):
        ask.add_argument(f"--{name}", type=int, default=default)
    for name, seconds in (("seconds", 3.0), ("minutes", 0.0)):
        ask.add_argument(f"--{name}", type=float, default=seconds)
    given = ask.parse_args()
    keep_compiled()
    with tempfile.TemporaryDirectory() as folder:
        logdir = given.logdir or Path(folder)
        write_runs(logdir, given.runs)
        for loader in given.loaders:
            flag, lists = LOADERS[loader], {"ours": OURS, "TensorBoard's scalars": SCALARS}
            first: dict[str, list[tuple[float, float]]] = {name: [] for name in lists}
            first_listing(logdir, flag, OURS, given.runs)  # compiles the modules
            for _ in range(given.rounds):
                for name, route in lists.items():
                    first[name].append(first_listing(logdir, flag, route, given.runs))
            print(
                json.dumps({"loader": loader, "first_listing_s_and_cpu_s": first, "load": os.getloadavg()[0]}),
                flush=True,
            )
            with tensorboard(logdir, flag, tensorflow=False) as address:
                wait_for_all(address, OURS, given.runs)
                clients = [Client(address) for _ in range(given.clients)]
                for row in under_load(clients, given.seconds, given.rounds):
                    print(json.dumps(row), flush=True)
                print(json.dumps({"memory_mb": watch_memory(clients, given.minutes)}), flush=True)


if __name__ == "__main__":
    main()
