"""What TensorBoard's two loaders show of trainings that they follow while these run."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

from tb_weightwatch.reader import ProviderReader
from tests.support.event_files import CTX, CountingProvider
from tests.support.tensorboard_process import get_json, tensorboard

CountRows = Callable[[], int]
_SETTLED = 4.0  # seconds without a further row after which a loader has read everything


@contextlib.contextmanager
def followed(logdir: Path, *, both: bool) -> Iterator[dict[str, CountRows]]:
    """Has loaders follow a log directory, and yields for each a function that returns how many rows it shows.

    Args:
        logdir: it need not exist yet.
        both: the data server, a process of its own, as well as the Python loader, in this process.
    """
    logdir.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        counts = {"the Python loader": stack.enter_context(_python_loader(logdir))}
        if both:
            address = stack.enter_context(tensorboard(logdir, "--load_fast=true", tensorflow=False))
            counts["the data server"] = lambda: _rows_at(address)
        yield counts


@contextlib.contextmanager
def _python_loader(logdir: Path) -> Iterator[CountRows]:
    provider, ended = CountingProvider(logdir), threading.Event()

    def follow() -> None:
        while not ended.wait(0.3):
            provider.reload()

    def rows() -> int:
        runs = ProviderReader(provider)
        return sum(_rows_of(runs, name) for name in runs.poll(CTX, ""))

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield rows
    finally:
        ended.set()
        thread.join()


def _rows_of(runs: ProviderReader, name: str) -> int:
    with runs.locked_run(CTX, "", name) as run:
        return sum(len(launch.history) for launch in run.launches)


def _rows_at(address: str) -> int:
    route = f"{address}/data/plugin/weightwatch"
    names = [(run["run"], launch["launch"]) for run in get_json(f"{route}/runs")["runs"] for launch in run["launches"]]
    overviews = [get_json(f"{route}/overview?{urlencode({'run': run, 'launch': launch})}") for run, launch in names]
    return sum(overview["rows"] for overview in overviews)


def settled(count_rows: CountRows, expected: int, seconds: float = 30.0) -> int:
    """Returns how many rows a loader shows when it shows all that are expected, or no further ones."""
    shown, since, ends = count_rows(), time.monotonic(), time.monotonic() + seconds
    while shown < expected and time.monotonic() < min(ends, since + _SETTLED):
        time.sleep(0.3)
        now = count_rows()
        if now != shown:
            shown, since = now, time.monotonic()
    return shown
