"""The plugin in a real TensorBoard, with both loaders, and its routes under requests that nobody should make."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.context import RequestContext
from tensorboard.plugins import base_plugin
from werkzeug.test import Client

from tb_weightwatch import answers, cli, reader, schema
from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.maps import Map
from tb_weightwatch.plugin.backend import WeightWatchPlugin
from tb_weightwatch.plugin.diagnosis_cache import DiagnosisCache
from tb_weightwatch.plugin.loader import WeightWatchLoader
from tb_weightwatch.reader.provider import variable_maps
from tests.support import synthetic_runs
from tests.support.event_files import CountingProvider, edit, event_file, tags, with_flipped_bit
from tests.support.tensorboard_process import get, get_json, tensorboard, wait_for_runs

LOADERS = ["--load_fast=true", "--load_fast=false"]
NAMES = ("<img src=x onerror=alert(1)>", "\u202eevil", "a b&c=d/../e", "dense/kernel")
ROUTE = "/data/plugin/weightwatch"


class Site:
    """The plugin's applications, mounted as TensorBoard does."""

    def __init__(self, logdir: Path, **cache: Any) -> None:
        self.counting = CountingProvider(logdir)
        self.plugin = WeightWatchPlugin(base_plugin.TBContext(data_provider=self.counting))
        if cache:  # with room for the rows of one run only
            self.plugin.reader = reader.ProviderReader(self.counting, budget=1)
            self.plugin.diagnoses = DiagnosisCache(self.plugin.reader, **cache)
        self.apps = self.plugin.get_plugin_apps()
        self.client = Client(self)

    def __call__(self, environ: Any, start: Any) -> Any:
        path = environ["PATH_INFO"].removeprefix(ROUTE)
        return self.apps.get(path, self.apps["/static/*"])(environ, start)

    def get(self, path: str, **parameters: str) -> tuple[int, Any]:
        answer = self.client.get(ROUTE + path, query_string=parameters)
        body = answer.data
        if answer.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        return answer.status_code, json.loads(body) if answer.mimetype == "application/json" else body


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A healthy run, a sick one with hostile names, and a long one."""
    path = tmp_path_factory.mktemp("logs")
    synthetic_runs.write(path / "healthy", 400)
    synthetic_runs.write(path / "sick", 400, nan_from=300, variables=NAMES)
    synthetic_runs.write(path / "sick", 80, launch="b2", started=synthetic_runs.STARTED + 1000, variables=NAMES)
    synthetic_runs.write(path / "long", 5000)
    return path


@pytest.fixture(scope="module")
def site(logdir: Path) -> Site:
    return Site(logdir)


@pytest.fixture(scope="module", params=LOADERS)
def address(request: Any, logdir: Path) -> Iterator[str]:
    """A real TensorBoard with one of the two loaders, and default flags."""
    with tensorboard(logdir, request.param) as address:
        wait_for_runs(address, 3)
        yield address + ROUTE


def launch_of(logdir: Path, run: str, launch: str = "a1") -> reader.Launch:
    (launch_read,) = [x for x in reader.launches(logdir / run) if x.history.launch == launch]
    return launch_read


def query(**parameters: str) -> str:
    from urllib.parse import urlencode

    return urlencode(parameters)


# -- real TensorBoard


@pytest.mark.parametrize(("run", "launch"), [("healthy", "a1"), ("sick", "a1"), ("sick", "b2"), ("long", "a1")])
def test_tensorboard_answers_as_the_files_do(address: str, logdir: Path, run: str, launch: str) -> None:
    """Verdicts, rows and state are those of the event files, with both loaders and default flags."""
    where = query(run=f"{run}/weightwatch", launch=launch)
    got = get_json(f"{address}/overview?{where}")
    by_file = launch_of(logdir, run, launch)
    expected = answers.overview("r", by_file, diagnose(by_file.history), time.time())
    for key in (
        "verdicts",
        "resolved",
        "sentence",
        "status",
        "rows",
        "passed",
        "unknown",
        "chain",
        "equation",
        "variables",
        "state",
    ):
        assert got[key] == json.loads(json.dumps(expected[key])), key
    assert got["rows"] == len(by_file.history)
    assert got["skipped"] == 0
    curves = get_json(f"{address}/curves?{where}&columns=1000")
    expected_curves = answers.curves(by_file.history, "", 1000)
    assert curves["curves"] == json.loads(json.dumps(expected_curves["curves"]))


def test_tensorboard_lists_runs_without_our_suffix(address: str) -> None:
    """Each run is listed once, under the user's name for it, with its oldest launch first."""
    runs = get_json(f"{address}/runs")["runs"]
    assert [(r["label"], [x["launch"] for x in r["launches"]]) for r in runs] == [
        ("healthy", ["a1"]),
        ("long", ["a1"]),
        ("sick", ["a1", "b2"]),
    ]
    assert [x["severity"] for x in runs[2]["launches"]] == ["error", "none"]


def test_tensorboard_serves_the_panel_and_no_other_file(address: str) -> None:
    """The panel's module is served, and no path leads to another file."""
    status, body = get(f"{address}/index.js")
    assert status == 200
    assert len(body) > 1000
    for path in (
        "static/../../../setup.py",
        "static/%2e%2e/%2e%2e/plugin/backend.py",
        "static//etc/passwd",
        "static/..%2findex.js",
        "static/index.js%00.css",
        "static/",
        "static/no-such.js",
    ):
        status, body = get(f"{address}/{path}")
        assert status == 404, path
        assert b"root:" not in body


def test_tensorboard_activates_the_tab(address: str) -> None:
    """The tab is active because there is data, and has its module and name."""
    listing = get_json(address.replace("/plugin/weightwatch", "/plugins_listing"))["weightwatch"]
    assert listing["enabled"]
    assert listing["tab_name"] == "Weight watch"
    assert listing["loading_mechanism"]["module_path"].endswith("/index.js")


def test_many_requests_at_once(address: str) -> None:
    """Threads that request everything at once all get complete answers."""
    where = query(run="long/weightwatch")
    paths = [f"{address}/{p}" for p in ("runs", f"overview?{where}", f"heatmap?{where}&quantity=update_ratio")] * 4
    seen: list[int] = []
    threads = [threading.Thread(target=lambda url=url: seen.append(get(url)[0])) for url in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [200] * len(paths)


def test_below_a_path_prefix(logdir: Path) -> None:
    """All routes answer below a prefix, as behind a proxy."""
    with tensorboard(logdir, "--load_fast=false", "--path_prefix=/a/b", tensorflow=False) as address:
        assert len(wait_for_runs(address, 3)["runs"]) == 3
        assert get(f"{address}{ROUTE}/index.js")[0] == 200


def test_an_empty_log_directory_gets_a_hint(tmp_path: Path) -> None:
    """TensorBoard starts, and the run list says how to record data."""
    with tensorboard(tmp_path, "--load_fast=false", tensorflow=False) as address:
        answer = get_json(f"{address}{ROUTE}/runs")
        assert answer["runs"] == []
        assert "WeightWatch" in answer["hint"]


@pytest.mark.parametrize("loader", LOADERS)
def test_a_killed_trainer_keeps_its_rows(tmp_path: Path, loader: str) -> None:
    """A launch is training while its process runs, keeps all flushed rows after SIGKILL, and has died later."""
    # Its clock is ten minutes fast, so that it does not count as dead where TensorBoard takes a minute to start.
    code = f"""
        import sys, time
        sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})
        from tests.support import synthetic_runs
        synthetic_runs.write({str(tmp_path)!r}, 240, end=None, close=False, started=time.time() + 600)
        print("ready", flush=True)
        time.sleep(600)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with tensorboard(tmp_path, loader, tensorflow=False) as address:
            (run,) = wait_for_runs(address, 1)["runs"]
            assert run["launches"][0]["state"] == "training"
            os.kill(process.pid, signal.SIGKILL)
            assert get_json(f"{address}{ROUTE}/overview?run={run['run']}")["rows"] == 240
    finally:
        process.kill()
        process.communicate()
    (launch,) = reader.launches(tmp_path)
    assert answers.state(launch, time.time() + 1000).name == "died"


@pytest.mark.parametrize("loader", LOADERS)
def test_damage_is_counted_in_both_loaders(tmp_path: Path, loader: str) -> None:
    """A damaged block loses its own rows only, and the overview counts it."""
    synthetic_runs.write(tmp_path, 400)
    bad = schema.Tag("a1", "rows", 2)
    edit(event_file(tmp_path), lambda tag, data: with_flipped_bit(data) if tag == bad else data)
    with tensorboard(tmp_path, loader, tensorflow=False) as address:
        (run,) = wait_for_runs(address, 1)["runs"]
        got = get_json(f"{address}{ROUTE}/overview?run={run['run']}")
    assert got["skipped"] == 1
    assert 300 < got["rows"] < 400
    assert "could not be read" in got["detail"]


@pytest.mark.parametrize("loader", LOADERS)
def test_a_run_is_followed_as_it_grows(tmp_path: Path, loader: str) -> None:
    """New rows appear in the next answer, with a new revision."""
    sink = synthetic_runs.directory_sink(tmp_path)
    synthetic_runs.write(tmp_path, 80, sink=sink, end=None, close=False)
    with tensorboard(tmp_path, loader, tensorflow=False) as address:
        wait_for_runs(address, 1)
        url = f"{address}{ROUTE}/overview?run=weightwatch"
        before = get_json(url)
        block = schema.encode_rows(synthetic_runs.rows(81, 8), 80, started=synthetic_runs.STARTED)
        number = len(set(block_tags(tmp_path)))
        sink.emit(schema.to_summary(schema.Tag("a1", "rows", number), block), 88, time.time())
        sink.flush()
        deadline = time.monotonic() + 30
        while (after := get_json(url))["rows"] == before["rows"]:
            assert time.monotonic() < deadline
            time.sleep(0.3)
    sink.close()
    assert after["rows"] == 88
    assert after["revision"] != before["revision"]


def block_tags(logdir: Path) -> list[schema.Tag]:
    return [t for t in tags(event_file(logdir)) if t.kind == "rows"]


# -- routes


def test_rules_and_quantities_are_explained(site: Site) -> None:
    """The route explanation answers for a rule and for a quantity, without a run."""
    for asked in ({"rule": "502"}, {"quantity": "update_ratio"}):
        assert site.get("/explanation", **asked) == (200, answers.explanation(**asked))


@pytest.mark.parametrize(
    ("path", "parameters", "status", "message"),
    [
        ("/overview", {}, 400, "'run' is required, got []"),
        ("/overview", {"run": "nothing"}, 404, "no run 'nothing'"),
        ("/overview", {"run": "../../etc"}, 404, "no run '../../etc'"),
        ("/overview", {"run": "x" * 20_000}, 400, "at most 10,000 characters, got 20,000"),
        ("/overview", {"run": "sick/weightwatch", "launch": "zz"}, 404, "no launch 'zz'"),
        ("/heatmap", {"run": "sick/weightwatch"}, 400, "'quantity' is required"),
        ("/heatmap", {"run": "sick/weightwatch", "quantity": "zz"}, 404, "no quantity 'zz'"),
        ("/heatmap", {"run": "sick/weightwatch", "quantity": "loss", "columns": "9"}, 400, "16 to 1000, got '9'"),
        ("/heatmap", {"run": "sick/weightwatch", "quantity": "loss", "columns": "1e3"}, 400, "got '1e3'"),
        ("/heatmap", {"run": "sick/weightwatch", "quantity": "loss", "columns": "²"}, 400, "whole number"),
        ("/heatmap", {"run": "sick/weightwatch", "quantity": "loss", "columns": "9" * 5000}, 400, "whole number"),
        ("/curves", {"run": "sick/weightwatch", "name": "nobody"}, 404, "no variable or layer 'nobody'"),
        ("/curves", {"run": "sick/weightwatch", "columns": ""}, 400, "got ''"),
        ("/curves", {"run": "sick/weightwatch", "from": "-1"}, 400, "from must be a whole number"),
        ("/maps", {"run": "sick/weightwatch"}, 400, "'name' is required"),
        ("/maps", {"run": "sick/weightwatch", "name": "nobody"}, 404, "no variable 'nobody'"),
        ("/compare", {"run": "sick/weightwatch"}, 400, "'other' is required"),
        ("/compare", {"run": "sick/weightwatch", "other": "nothing"}, 404, "no run 'nothing'"),
        ("/compare", {"run": "long/weightwatch", "other": "long/weightwatch", "launch": "q"}, 404, "no launch 'q'"),
        ("/explanation", {}, 404, "there is no quantity ''"),
        ("/explanation", {"rule": "999"}, 404, "there is no rule '999'"),
        ("/explanation", {"quantity": "../loss"}, 404, "there is no quantity '../loss'"),
        ("/explanation", {"rule": "9" * 20_000}, 400, "at most 10,000 characters"),
    ],
)
def test_errors_state_the_rule_and_what_was_received(
    site: Site, path: str, parameters: dict[str, str], status: int, message: str
) -> None:
    """Unknown names are 404 and malformed parameters 400, both as JSON."""
    code, body = site.get(path, **parameters)
    assert code == status
    assert message in body["error"]


@pytest.mark.parametrize("loader", LOADERS)
def test_maps_are_read_on_demand_and_only_those_of_one_variable(tmp_path: Path, loader: str) -> None:
    """TensorBoard returns the recorded maps of one variable, without damaged ones and without full tensors."""
    sink = synthetic_runs.directory_sink(tmp_path)
    synthetic_runs.write(tmp_path, 80, sink=sink, end=None, close=False)
    for number, step in enumerate((64, 128)):
        pictures = [Map(step, name, "update_map", np.full((2, 3), 1e-3)) for name in synthetic_runs.NAMES]
        (data,) = schema.encode_maps(
            [*pictures, Map(step, synthetic_runs.NAMES[0], "weight", np.ones((4, 4), np.float32))]
        )
        sink.emit(schema.to_summary(schema.Tag("a1", "maps", number), data), step, time.time())
    sink.emit(schema.to_summary(schema.Tag("a1", "maps", 2), with_flipped_bit(data)), 256, time.time())
    sink.close()
    with tensorboard(tmp_path, loader, tensorflow=False) as address:
        wait_for_runs(address, 1)
        assert get_json(f"{address}{ROUTE}/overview?run=weightwatch")["maps"]
        got = get_json(f"{address}{ROUTE}/maps?{query(run='weightwatch', name=synthetic_runs.NAMES[1])}")
    (motion,) = got["motion"]
    assert [(f["step"], f["values"]) for f in motion["frames"]] == [(64, [[0.001] * 3] * 2), (128, [[0.001] * 3] * 2)]
    assert got["left_out"] == 0


def test_reading_the_maps_of_a_variable_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the oldest maps are left out and counted."""
    sink = synthetic_runs.directory_sink(tmp_path)
    synthetic_runs.write(tmp_path, 80, sink=sink, end=None, close=False)
    for number in range(12):
        (data,) = schema.encode_maps([Map(number + 1, synthetic_runs.NAMES[0], "update_map", np.ones((64, 64)))])
        sink.emit(schema.to_summary(schema.Tag("a1", "maps", number), data), number + 1, time.time())
    sink.close()
    monkeypatch.setattr(variable_maps, "MAX_MAPS", 2 * len(data))
    status, got = Site(tmp_path).get("/maps", run="weightwatch", name=synthetic_runs.NAMES[0])
    assert status == 200
    assert got["left_out"] == 10
    assert [f["step"] for f in got["motion"][0]["frames"]] == [11, 12]


def test_two_runs_are_compared_in_either_order(site: Site) -> None:
    """Crosswise requests at once do not block each other, and give the same first step that differs."""
    seen: list[Any] = []
    pairs = [("sick/weightwatch", "healthy/weightwatch"), ("healthy/weightwatch", "sick/weightwatch")] * 4
    ask = lambda a, b: seen.append(site.get("/compare", run=a, other=b)[1]["first_step"])  # noqa: E731
    threads = [threading.Thread(target=ask, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(seen) == len(pairs)
    assert len(set(seen)) == 1


def test_panel_and_command_line_give_the_same_comparison(
    site: Site, logdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both compare two runs by the same function: the sentence, the numbers, links and settings are equal."""
    assert cli.main(["compare", "--format", "json", str(logdir / "sick"), str(logdir / "long")]) == 0
    printed = json.loads(capsys.readouterr().out)
    status, answer = site.get("/compare", run="sick/weightwatch", other="long/weightwatch")
    assert status == 200
    assert printed.pop("runs")[0]["launch"] == "b2"
    own = ("revision", "conclusion")
    assert {k: v for k, v in printed.items() if k not in own} == {k: v for k, v in answer.items() if k not in own}
    assert printed["conclusion"].replace("B is better", "long is better") == answer["conclusion"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_get_and_head_are_answered(site: Site, method: str) -> None:
    """Other methods are 405 and change nothing."""
    for path in ("/runs", "/overview", "/heatmap", "/curves", "/index.js"):
        answer = site.client.open(ROUTE + path, method=method)
        assert answer.status_code == 405
        assert answer.headers["Allow"] == "GET, HEAD"
    assert site.client.head(f"{ROUTE}/runs").data == b""


def test_hostile_names_are_plain_data(site: Site) -> None:
    """Names with markup, direction marks and separators can be requested, and arrive as JSON that is never sniffed."""
    where = {"run": "sick/weightwatch", "launch": "a1"}
    names = [v["name"] for v in site.get("/overview", **where)[1]["variables"]]
    assert tuple(names) == NAMES
    for name in names:
        status, body = site.get("/curves", **where, name=name)
        assert status == 200
        assert body["name"] == name
    answer = site.client.get(f"{ROUTE}/overview", query_string=where)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.mimetype == "application/json"


def test_a_poll_without_news_reads_nothing(logdir: Path) -> None:
    """Unchanged data is neither read nor diagnosed nor compressed again."""
    site = Site(logdir)
    where = {"run": "sick/weightwatch", "launch": "a1"}
    for _ in range(2):
        site.get("/runs")
        first = site.get("/overview", **where)
    site.counting.requested.clear()
    body = site.client.get(f"{ROUTE}/overview", query_string=where).data
    assert site.get("/runs")[0] == 200
    assert site.counting.requested == []
    assert site.client.get(f"{ROUTE}/overview", query_string=where).data == body
    assert first[1]["revision"] == site.get("/overview", **where)[1]["revision"]


def test_cached_answers_are_bounded(site: Site) -> None:
    """However many different answers are requested, few are cached."""
    for columns in range(16, 80):
        site.get("/curves", run="long/weightwatch", columns=str(columns))
    with site.plugin.reader.locked_run(RequestContext(), "", "long/weightwatch") as run:
        assert 16 < len(run.launches[0].memo) < 40


def test_an_internal_error_is_a_500_without_details(logdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An internal error is logged on TensorBoard's console, and the browser gets no details."""
    site = Site(logdir)
    monkeypatch.setattr(answers, "overview", lambda *_: 1 / 0)
    status, body = site.get("/overview", run="sick/weightwatch")
    assert status == 500
    assert "console" in body["error"]
    assert "ZeroDivision" not in body["error"]


# -- loader


def test_the_loader_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unexpected flags and a backend that cannot be imported leave TensorBoard as it is."""
    loader = WeightWatchLoader()
    loader.define_flags(argparse.ArgumentParser())
    loader.fix_flags(object())
    flags = argparse.Namespace(samples_per_plugin={})
    loader.fix_flags(flags)
    assert flags.samples_per_plugin == {"weightwatch": 1}
    flags.samples_per_plugin["weightwatch"] = 7
    loader.fix_flags(flags)
    assert flags.samples_per_plugin == {"weightwatch": 7}
    monkeypatch.setitem(sys.modules, "tb_weightwatch.plugin.backend", None)
    assert loader.load(base_plugin.TBContext()) is None


def test_the_plugin_does_no_work_until_the_first_request(tmp_path: Path) -> None:
    """Constructing the plugin, and asking whether it is active, reads no data."""
    plugin = WeightWatchPlugin(base_plugin.TBContext(data_provider=None))
    assert plugin.is_active() is False
    assert plugin.data_plugin_names() == ("weightwatch", "scalars", "histograms")
    assert plugin.frontend_metadata().es_module_path == "/index.js"


def test_a_long_list_is_diagnosed_once_over_several_requests(tmp_path: Path) -> None:
    """Runs of another rule set: the logged diagnosis first, then ours, and only once although rows are dropped."""
    for name in ("one", "two", "three"):
        synthetic_runs.write(tmp_path / name, 64, nan_from=40)
    site = Site(tmp_path, seconds_per_request=0.0, rule_set="of tomorrow")  # one launch per request
    for _ in range(5):
        site.get("/runs")
    site.counting.requested.clear()
    status, answer = site.get("/runs")
    assert status == 200
    assert [x["headline"] for run in answer["runs"] for x in run["launches"]] == ["nonfinite-loss"] * 3
    assert site.counting.requested == []
