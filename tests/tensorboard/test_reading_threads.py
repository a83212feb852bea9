"""Runs that several threads read at the same time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from tb_weightwatch import schema
from tb_weightwatch.reader import ProviderReader
from tb_weightwatch.reader.provider import tag_listing
from tests.support import synthetic_runs
from tests.support.event_files import CTX, CountingProvider, go_on


class Interrupted(CountingProvider):
    """Lets another thread read between a list and the data that it asks for."""

    meanwhile: Callable[[], None] | None = None

    def read_tensors(self, *args: Any, **kwargs: Any) -> Any:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        return super().read_tensors(*args, **kwargs)


def test_an_older_list_never_replaces_what_another_thread_has_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A launch that begins while runs are read is whole afterwards, and so are the launches before it."""
    monkeypatch.setattr(tag_listing, "FRESH", 0.0)  # the launch begins at once
    synthetic_runs.write(tmp_path / "run", 48)
    provider = Interrupted(tmp_path)
    reader = ProviderReader(provider)

    def read() -> None:
        synthetic_runs.write(tmp_path / "run", 24, launch="b2", started=synthetic_runs.STARTED + 100)
        provider.restart()
        with reader.locked_run(CTX, "", "run/weightwatch"):
            pass

    provider.meanwhile = read
    runs = dict(reader.read_runs(CTX, "", ["run/weightwatch", "nothing"]))
    assert [(x.history.launch, len(x.history)) for x in runs["run/weightwatch"].launches] == [("a1", 48), ("b2", 24)]
    assert list(runs) == ["run/weightwatch"]


def test_the_list_does_not_wait_for_a_run_that_is_being_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It shows the run as it was, and the next list shows what is new."""
    monkeypatch.setattr(tag_listing, "FRESH", 0.0)  # the run goes on at once
    sink = synthetic_runs.directory_sink(tmp_path)
    synthetic_runs.write(tmp_path, 80, sink=sink, end=None, close=False)
    provider = CountingProvider(tmp_path)
    reader = ProviderReader(provider)

    def steps() -> list[int]:
        return [x.now.step for x in reader.poll(CTX, "")["weightwatch"].launches if x.now]

    assert steps() == [80]
    go_on(sink, 88)
    provider.reload()
    with reader.locked_run(CTX, "", "weightwatch") as run:
        go_on(sink, 96)
        provider.reload()
        assert run.launches
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(steps).result(timeout=60) == [88]
    assert steps() == [96]
    sink.close()


class Meeting(CountingProvider):
    """Answers the two calls of a list only when both have come."""

    def __init__(self, logdir: Path) -> None:
        self.both = Barrier(2, timeout=20)
        super().__init__(logdir)

    def list_runs(self, *args: Any, **kwargs: Any) -> Any:
        self.both.wait()
        return self.provider.list_runs(*args, **kwargs)

    def list_tensors(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs["plugin_name"] == schema.PLUGIN:
            self.both.wait()
        return super().list_tensors(*args, **kwargs)


def test_the_two_calls_of_a_list_are_made_at_once(tmp_path: Path) -> None:
    """A data server takes 44 ms for each, whatever it is asked: the first list and later polls wait for one of them."""
    synthetic_runs.write(tmp_path / "run", 24)
    reader = ProviderReader(Meeting(tmp_path))
    assert list(reader.poll(CTX, "")) == list(reader.poll(CTX, "")) == ["run/weightwatch"]
