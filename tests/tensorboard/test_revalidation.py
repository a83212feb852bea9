"""Answers that a client holds already are not sent again."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tb_weightwatch.plugin import shared_answers
from tests.support import synthetic_runs
from tests.support.event_files import go_on
from tests.tensorboard.test_plugin import ROUTE, Site

RUN = {"run": "one/weightwatch"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    path = tmp_path_factory.mktemp("revalidation")
    synthetic_runs.write(path / "one", 48)
    return Site(path)


@pytest.mark.parametrize("path", ["/runs", "/table", "/overview", "/heatmap", "/curves", "/explanation", "/index.js"])
def test_an_unchanged_answer_is_not_sent_again(site: Site, path: str) -> None:
    """A client that states what it holds gets 304 without a body; one that holds something else gets all of it."""
    asked = {**RUN, "quantity": "update_ratio"}
    whole = site.client.get(ROUTE + path, query_string=asked)
    assert whole.status_code == 200
    for header in (whole.headers["ETag"], f'"other", {whole.headers["ETag"]}', "*"):
        again = site.client.get(ROUTE + path, query_string=asked, headers={"If-None-Match": header})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == whole.headers["ETag"]
        assert again.mimetype == whole.mimetype  # or TensorBoard warns each time
        assert again.headers["X-Content-Type-Options"] == "nosniff"
    for header in ('"other"', "garbage", ',,"', whole.headers["ETag"][:-2]):
        again = site.client.get(ROUTE + path, query_string=asked, headers={"If-None-Match": header})
        assert (again.status_code, again.data) == (200, whole.data)


def test_new_rows_change_the_tag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of runs and the overview get another tag when the run goes on."""
    monkeypatch.setattr(shared_answers, "CHEAP", math.inf)  # a busy machine's answers would be used for a while
    sink = synthetic_runs.directory_sink(tmp_path)
    synthetic_runs.write(tmp_path, 80, sink=sink, end=None, close=False)
    site, tags = Site(tmp_path), []
    for step in (88, 96):
        paths = (f"{ROUTE}/runs", f"{ROUTE}/overview?run=weightwatch")
        tags.append([site.client.get(path).headers["ETag"] for path in paths])
        go_on(sink, step)
        site.counting.reload()
    sink.close()
    assert len({tag for both in tags for tag in both}) == 4
