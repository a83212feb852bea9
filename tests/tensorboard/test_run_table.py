"""The table of all runs in TensorBoard: what it says with both loaders, and what it reads again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tensorboard.context import RequestContext
from tensorboard.plugins import base_plugin

from tb_weightwatch import answers, reader
from tb_weightwatch.plugin.backend import WeightWatchPlugin
from tb_weightwatch.plugin.run_table_cache import RunTableCache
from tests.support import synthetic_runs
from tests.support.event_files import CountingProvider
from tests.support.sweep_runs import BROKEN, GRID, name_of, write_sweep
from tests.support.tensorboard_process import get_json, tensorboard, wait_for_runs
from tests.support.third_party_logs import RECORDED

TRIALS = 24
CTX = RequestContext()


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep, beside a run of two launches and a third-party log."""
    path = tmp_path_factory.mktemp("sweep")
    write_sweep(path, TRIALS)
    synthetic_runs.write(path / "twice", 32, nan_from=16)
    synthetic_runs.write(path / "twice", 16, launch="b2", started=synthetic_runs.STARTED + 1000)
    shutil.copytree(RECORDED / "torch-nan", path / "torch-nan")
    return path


class Table:
    """The plugin's table of a log directory, requested by hand."""

    def __init__(self, logdir: Path, seconds: float) -> None:
        self.provider = CountingProvider(logdir)
        self.plugin = WeightWatchPlugin(base_plugin.TBContext(data_provider=self.provider))
        self.cache = RunTableCache(self.plugin.reader, self.plugin.diagnoses, seconds_per_request=seconds)

    def request(self, now: float = synthetic_runs.STARTED + 5000) -> dict[str, Any]:
        return self.cache.table(CTX, "", self.plugin.reader.poll(CTX, ""), now)


@pytest.fixture(params=["--load_fast=true", "--load_fast=false"])
def address(request: Any, logdir: Path) -> Iterator[str]:
    with tensorboard(logdir, request.param) as url:
        wait_for_runs(url, TRIALS + 2)
        yield f"{url}/data/plugin/weightwatch"


def test_the_table_is_that_of_the_event_files(address: str, logdir: Path) -> None:
    """With both loaders each row has answer, links and loss of the newest launch, and every setting that differs."""
    table = get_json(f"{address}/table")
    while table["pending"]:
        table = get_json(f"{address}/table")
    rows = {row["run"]: row for row in table["rows"]}
    assert set(rows) == {name_of(i) for i in range(TRIALS)} | {"twice/weightwatch", "torch-nan"}
    assert [row["label"] for row in table["rows"]] == sorted(row["label"] for row in table["rows"])
    listed = {run["run"]: run["launches"][-1] for run in get_json(f"{address}/runs")["runs"]}
    chain = get_json(f"{address}/overview?run=torch-nan")[
        "chain"
    ]  # TensorBoard's histograms are coarser than the log's
    third_party = rows.pop("torch-nan")
    assert [link.items() <= whole.items() for link, whole in zip(third_party["links"], chain, strict=True)] == [
        True
    ] * 7
    for run, row in rows.items():
        launch = reader.launches(logdir / run)[-1]
        summary = answers.summary_of(launch, answers.safe_diagnose(launch.history))
        assert row["links"] == json.loads(json.dumps(summary.links)), run
        assert row["loss"] == summary.loss
        assert {key: row[key] for key in listed[run]} == listed[run]
    labels = [setting["label"] for setting in table["settings"]]
    at = labels.index("activation of 2 layers")
    for i, (activation, optimizer, _) in enumerate(GRID):
        row = rows[name_of(i)]
        assert (row["settings"][at], row["settings"][labels.index("optimizer")]) == (activation, optimizer)
        assert (row["status"] == "sick") == (activation == BROKEN)


def test_a_long_table_is_read_within_several_requests_and_once(logdir: Path) -> None:
    """A request that has no time reads one run; those that were read are shown, and are never read again."""
    table = Table(logdir, seconds=0.0)
    pending = [(answer := table.request())["pending"]]
    assert pending[0] == TRIALS + 1
    read = [row for row in answer["rows"] if row["links"]]
    assert len(read) == TRIALS + 2 - pending[0]
    assert {len(row["links"]) for row in read} == {7}
    while answer["pending"]:
        answer = table.request()
        pending.append(answer["pending"])
    assert pending == sorted(set(pending), reverse=True)
    table.provider.requested.clear()
    assert table.request() == answer
    assert table.provider.requested == []


def test_runs_share_the_calls_that_read_them(logdir: Path) -> None:
    """A call to a data server takes long whatever it returns: there are fewer of them than runs."""
    table = Table(logdir, seconds=60.0)
    table.plugin.reader.poll(CTX, "")
    table.provider.requested.clear()
    assert table.request()["pending"] == 0
    assert len(table.provider.requested) < TRIALS


def test_only_a_run_that_goes_on_is_read_again(tmp_path: Path) -> None:
    """A new launch replaces the row of the old one; the rows of other runs stay, and a deleted run has none."""
    for name in ("one", "two", "three"):
        synthetic_runs.write(tmp_path / name, 32)
    table = Table(tmp_path, seconds=60.0)
    before = {row["label"]: row for row in table.request()["rows"]}
    synthetic_runs.write(tmp_path / "two", 64, launch="b2", nan_from=8, started=synthetic_runs.STARTED + 1000)
    shutil.rmtree(tmp_path / "three")
    table.provider.restart()
    table.provider.requested.clear()
    after = {row["label"]: row for row in table.request(synthetic_runs.STARTED + 9000)["rows"]}
    assert set(after) == {"one", "two"}
    assert after["one"]["links"] == before["one"]["links"]
    assert (before["two"]["status"], after["two"]["status"]) == ("healthy", "sick")
    assert (after["two"]["launch"], after["two"]["last_step"]) == ("b2", 64)


def test_an_empty_directory_has_an_empty_table(tmp_path: Path) -> None:
    """No run is no error."""
    assert Table(tmp_path, seconds=1.0).request() == answers.run_table([])
