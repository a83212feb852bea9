"""Answers that clients share: computed once for all who ask at the same time, and never mixed up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tb_weightwatch import answers
from tb_weightwatch.plugin import shared_answers
from tb_weightwatch.plugin.shared_answers import Answer, SharedAnswers
from tb_weightwatch.reader import ProviderReader, SharedResults
from tests.support import synthetic_runs
from tests.support.event_files import CTX
from tests.tensorboard.test_plugin import Site

CLIENTS = 12
RUN = {"run": "one/weightwatch"}


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shared")
    for name in ("one", "two"):
        synthetic_runs.write(path / name, 48, end=None)
    return path


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Is released by each thread that begins to wait for the computation of another one."""
    semaphore, result = threading.Semaphore(0), Future.result

    def wait(future: Future[Any], timeout: float | None = None) -> Any:
        semaphore.release()
        return result(future, timeout)

    monkeypatch.setattr(Future, "result", wait)
    return semaphore


class Slow:
    """A computation that goes on until all other clients wait for it."""

    def __init__(self, waiting: threading.Semaphore, compute: Callable[[], Any]) -> None:
        self.waiting, self.compute, self.times = waiting, compute, 0

    def __call__(self, *_: Any, **__: Any) -> Any:
        self.times += 1
        for _ in range(CLIENTS - 1):
            assert self.waiting.acquire(timeout=30)
        return self.compute()


def together(ask: Callable[[], Any]) -> list[Any]:
    """Returns what all clients get who ask at once; an exception counts as an answer."""
    results: list[Any] = []

    def go() -> None:
        try:
            results.append(ask())
        except ZeroDivisionError as error:
            results.append(error)

    threads = [threading.Thread(target=go) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


# -- what is being computed


def test_one_computation_answers_all_who_ask_at_once(waiting: threading.Semaphore) -> None:
    """As many threads as there are share one result, and the next one computes again."""
    shared, slow = SharedResults[object](), Slow(waiting, object)
    results = together(lambda: shared.get("key", slow))
    assert (len(results), len(set(map(id, results))), slow.times) == (CLIENTS, 1, 1)
    assert not shared.is_running("key")
    assert shared.get("key", lambda: "again") == "again"


def test_a_failure_reaches_all_who_wait_and_nobody_after_them(waiting: threading.Semaphore) -> None:
    """The exception is raised in each thread that waits; the next request computes, and another key never waits."""
    shared, slow = SharedResults[Any](), Slow(waiting, lambda: 1 / 0)
    results = together(lambda: shared.get("key", slow))
    assert ([type(result) for result in results], slow.times) == ([ZeroDivisionError] * CLIENTS, 1)
    assert shared.get("key", lambda: "well") == "well"
    assert shared.get("key", lambda: shared.get("other", lambda: "within")) == "within"


class Clocks:
    """The clock and the working time of a thread, set by hand."""

    def __init__(self) -> None:
        self.now, self.worked = 100.0, 0.0
        self.answers = SharedAnswers(lambda: self.now, lambda: self.worked)
        self.computed = 0

    def ask(self, *, work: float = 1.0, complete: bool = True, key: str = "key", size: int = 1) -> Answer:
        def compute() -> Answer:
            self.computed += 1
            self.worked += work
            return Answer(bytes(size), f'W/"{self.computed}"', complete)

        return self.answers.get(key, compute)


def test_an_answer_that_took_long_is_used_for_a_while() -> None:
    """It is used four times as long as it took, and never longer than five seconds."""
    clocks = Clocks()
    first = clocks.ask(work=0.5)
    clocks.now += 1.9
    assert clocks.ask() is first
    clocks.now += 0.2
    clocks.ask(work=60.0)
    for seconds in (4.9, 0.2):
        clocks.now += seconds
        clocks.ask()
    assert clocks.computed == 3


def test_a_cheap_or_incomplete_answer_is_computed_for_each_request() -> None:
    """What is cheap is always of now, and what is incomplete gets more complete with each request."""
    clocks = Clocks()
    for asked in ({"work": 0.02}, {"complete": False}):
        before = clocks.computed
        clocks.ask(**asked)
        clocks.ask(**asked)
        assert clocks.computed == before + 2


def test_nobody_waits_while_a_kept_answer_is_computed_anew() -> None:
    """The kept answer is used meanwhile, if it is at most five seconds old."""
    clocks = Clocks()
    kept, seen = clocks.ask(work=0.5), []
    clocks.now += 3.0

    def compute() -> Answer:
        seen.append(clocks.answers.get("key", lambda: pytest.fail("computed twice")))
        return Answer(b"new", "new")

    assert clocks.answers.get("key", compute).body == b"new"
    assert seen == [kept]


def test_kept_answers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest are dropped where all together have too many bytes."""
    monkeypatch.setattr(shared_answers, "MAX_BYTES", 100)
    clocks = Clocks()
    for number in range(5):
        clocks.ask(key=str(number), size=30)
    for number in (2, 3, 4, 0):
        clocks.ask(key=str(number))
    assert clocks.computed == 6


# -- requests


def test_many_clients_cost_as_much_as_one(
    logdir: Path, waiting: threading.Semaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log directory is listed once for all clients who ask for the list of runs at once."""
    site = Site(logdir)
    slow = Slow(waiting, lambda: ProviderReader.poll(site.plugin.reader, CTX, ""))
    monkeypatch.setattr(site.plugin.reader, "poll", slow)
    results = together(lambda: site.get("/runs"))
    assert slow.times == 1
    assert [(status, len(body["runs"])) for status, body in results] == [(200, 2)] * CLIENTS


def test_parameters_of_requests_at_once_are_not_mixed(logdir: Path) -> None:
    """Each of many requests for different runs, variables and steps gets its own answer."""
    site = Site(logdir)
    asked = [
        {"run": f"{run}/weightwatch", "name": name, "columns": str(columns)}
        for run in ("one", "two")
        for name in synthetic_runs.NAMES
        for columns in (16, 17, 18)
    ]
    alone = [Site(logdir).get("/curves", **parameters) for parameters in asked]
    with ThreadPoolExecutor(CLIENTS) as pool:
        assert list(pool.map(lambda parameters: site.get("/curves", **parameters), asked)) == alone


def test_an_answer_that_failed_is_computed_for_the_next_request(logdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An internal error is not kept."""
    site = Site(logdir)
    with monkeypatch.context() as broken:
        broken.setattr(answers, "overview", lambda *_: 1 / 0)
        assert site.get("/overview", **RUN)[0] == 500
    assert site.get("/overview", **RUN)[0] == 200
