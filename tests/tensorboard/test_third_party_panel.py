"""Third-party logs in the panel: read through TensorBoard's data provider, with both loaders."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.context import RequestContext
from tensorboard.plugins import base_plugin
from werkzeug.test import Client

from tb_weightwatch import answers, reader
from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.plugin.backend import WeightWatchPlugin
from tb_weightwatch.reader import ProviderReader
from tb_weightwatch.reader.provider import provider_reader, third_party_runs
from tests.support import synthetic_runs
from tests.support.tensorboard_process import get_json, tensorboard, wait_for_runs
from tests.support.third_party_logs import RECORDED, WEIGHTS, fit_with_tensorboard, symptom_severities, write_series

CTX = RequestContext()
TORCH = ("torch-diverges", "torch-healthy", "torch-nan", "torch-stops")


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Third-party logs of Keras' callback, tf.summary and PyTorch, beside one of ours and one without a loss."""
    path = tmp_path_factory.mktemp("third_party")
    fit_with_tensorboard(path / "spent", 0.05, epochs=14, schedule=lambda epoch, _: 0.05 if epoch < 2 else 0.0)
    fit_with_tensorboard(path / "base", 0.3, frozen=True)
    write_series(path / "explodes", 30, loss=lambda t: 1.0 + t, w=lambda t: WEIGHTS * 1.5**t)
    for name in TORCH:
        shutil.copytree(RECORDED / name, path / name)
    synthetic_runs.write(path / "watched", 40)
    write_series(path / "watched" / "train", 5, loss=lambda t: 1.0, w=lambda t: WEIGHTS)
    with tf.summary.create_file_writer(str(path / "accuracy")).as_default():
        tf.summary.scalar("accuracy", 0.5, step=0)
    return path


RUNS = ("base/train", "explodes", "spent/train", *TORCH)


class Slow:
    """TensorBoard's Python loader with its default numbers of samples, or with others."""

    def __init__(self, logdir: Path, scalars: int = 1000, histograms: int = 500) -> None:
        sizes = {"scalars": scalars, "histograms": histograms, "weightwatch": 10}
        self.logdir = str(logdir)
        self.multiplexer = plugin_event_multiplexer.EventMultiplexer(tensor_size_guidance=sizes)
        self.reload()

    def reload(self) -> None:
        self.multiplexer.AddRunsFromDirectory(self.logdir)
        self.multiplexer.Reload()
        self.provider = data_provider.MultiplexerDataProvider(self.multiplexer, self.logdir)
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def ask(*args: Any, **kwargs: Any) -> Any:
            self.asked += list(getattr(kwargs.get("run_tag_filter"), "tags", None) or ())
            return getattr(self.provider, name)(*args, **kwargs)

        return ask


def by_file(logdir: Path, run: str) -> reader.Launch:
    (launch,) = reader.launches(logdir / run)
    return launch


class Site:
    """The plugin's routes in this process."""

    def __init__(self, provider: Any) -> None:
        self.apps = WeightWatchPlugin(base_plugin.TBContext(data_provider=provider)).get_plugin_apps()

    def get(self, route: str, **parameters: str) -> Any:
        answer = Client(self.apps[f"/{route}"]).get(f"/{route}", query_string=parameters)
        assert answer.status_code == 200, answer.data
        return json.loads(answer.data)


@pytest.fixture(scope="module", params=["fast", "slow"])
def ask(request: Any, logdir: Path) -> Iterator[Callable[..., Any]]:
    """Returns a function that requests a route, of a real TensorBoard or of the plugin over the Python loader."""
    if request.param == "slow":
        yield Site(Slow(logdir)).get
        return
    with tensorboard(logdir, "--load_fast=true") as address:
        wait_for_runs(address, len(RUNS) + 1)
        where = address + "/data/plugin/weightwatch"
        yield lambda route, **parameters: get_json(f"{where}/{route}?{urlencode(parameters)}")


def test_the_panel_shows_the_diagnosis_of_the_command_line(ask: Callable[..., Any], logdir: Path) -> None:
    """Status, verdicts, links and checks are the same; so is the sentence where norms are the same.

    TensorBoard turns PyTorch's histograms, which hold their moments, into plain buckets: norms are estimates there.
    """
    for _ in range(100):  # a long list is diagnosed over several requests
        listed = {run["run"]: run["launches"][-1] for run in ask("runs")["runs"]}
        if [x["severity"] for x in listed.values()].count("error") == 5:
            break
        time.sleep(0.1)
    assert sorted(listed) == sorted([*RUNS, "watched/weightwatch"])
    for run in RUNS:
        launch = by_file(logdir, run)
        diagnosis, answer = diagnose(launch.history), ask("overview", run=run)
        expected = answers.with_source(answers.overview(run, launch, diagnosis, time.time()), launch.history)
        for key in ("status", "rows", "passed", "unknown", "last_step", "state", "state_text"):
            assert answer[key] == json.loads(json.dumps(expected[key])), (run, key)
        assert [v["code"] for v in answer["verdicts"]] == [v.code for v in diagnosis.verdicts], run
        states = [[link["state"] for link in one["chain"]] for one in (answer, expected)]
        assert states[0] == states[1], run
        assert listed[run]["status"] == diagnosis.status
        assert listed[run]["severity"] == answers.severity(diagnosis)
        if not run.startswith("torch"):
            assert answer["sentence"] == diagnosis.sentence
        if run.endswith("/train"):  # Keras has logged the model
            assert answer["facts"] == json.loads(json.dumps(expected["facts"]))
    assert listed["explodes"]["headline"] == "exploding weights"
    assert listed["spent/train"]["headline"] == "learning-rate-zero"


def test_curves_are_drawn(ask: Callable[..., Any], logdir: Path) -> None:
    """Heat map and curves of a third-party log are those of its event files."""
    history = by_file(logdir, "explodes").history
    for route, parameters, expected in (
        ("heatmap", {"quantity": "weight_max"}, answers.heatmap(history, "weight_max", 300)),
        ("curves", {"name": "w"}, answers.curves(history, "w", 300)),
    ):
        answer = ask(route, run="explodes", **parameters)
        assert {**answer, "revision": ""} == json.loads(json.dumps({**expected, "revision": ""}))


def test_a_sampled_run_says_so(tmp_path: Path) -> None:
    """Where TensorBoard has dropped data, the History is not complete, and the rest is diagnosed."""
    write_series(tmp_path / "long", 60, loss=lambda t: 2 * 0.9**t, w=lambda t: WEIGHTS + 0.01 * t)
    hints = {"scalars": 20, "histograms": 500}
    with ProviderReader(Slow(tmp_path, 20), hints=hints).locked_run(CTX, "", "long") as opened:
        (launch,) = opened.launches
    assert not launch.history.complete
    assert int(launch.history.known("loss").sum()) == 20
    diagnosis = diagnose(launch.history)
    assert diagnosis.status == "healthy"
    answer = answers.overview("long", launch, diagnosis, 0.0)
    assert "TensorBoard keeps 1,000 scalars" in answer["detail"]
    with ProviderReader(Slow(tmp_path)).locked_run(CTX, "", "long") as opened:
        assert opened.launches[0].history.complete
    # As many as are kept, but none is missing between them: nothing was dropped.
    with ProviderReader(Slow(tmp_path, 60), hints={"scalars": 60}).locked_run(CTX, "", "long") as opened:
        assert opened.launches[0].history.complete


def test_a_run_is_read_as_it_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only tags that changed are read again."""
    writer = tf.summary.create_file_writer(str(tmp_path / "run"))
    with writer.as_default():
        for step in range(6):
            tf.summary.scalar("loss", 1.0 / (step + 1), step=step)
            tf.summary.histogram("w", WEIGHTS * (step + 1), step=step)
        writer.flush()
        slow = Slow(tmp_path)
        source = ProviderReader(slow)
        assert [len(x.history) for x in source.poll(CTX, "")["run"].launches] == [6]
        slow.asked.clear()
        with source.locked_run(CTX, "", "run") as opened:
            assert slow.asked == []
            opened.memo["kept"] = True
        tf.summary.scalar("loss", 0.1, step=6)
    writer.close()
    slow.reload()
    with source.locked_run(CTX, "", "run") as opened:
        assert slow.asked == ["loss"]
        assert opened.memo == {}
        assert opened.launches[0].history.loss[-1] == pytest.approx(0.1)
        assert int(opened.launches[0].history.known("weight_norm").sum()) == 6
    monkeypatch.setattr(third_party_runs, "LISTING_INTERVAL", 0)
    source = ProviderReader(slow)
    source.poll(CTX, "")
    shutil.rmtree(tmp_path / "run")
    slow.reload()
    assert source.poll(CTX, "") == {}
    with pytest.raises(KeyError), source.locked_run(CTX, "", "run"):
        pass


def test_listing_many_runs_is_bounded(logdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow list fills up over several requests; rows are dropped when there are too many, runs are not."""
    monkeypatch.setattr(provider_reader, "PATIENCE", 0.0)
    source = ProviderReader(Slow(logdir))
    assert sorted(source.poll(CTX, "")) == ["watched/weightwatch"]
    monkeypatch.setattr(provider_reader, "PATIENCE", 60.0)
    source = ProviderReader(Slow(logdir), budget=1)
    assert sorted(source.poll(CTX, "")) == sorted([*RUNS, "watched/weightwatch"])
    with source.locked_run(CTX, "", "explodes") as opened:
        assert len(opened.launches[0].history) == 30
    others = source.poll(CTX, "")
    rows = {run: len(entry.launches[0].history) for run, entry in others.items() if entry.third_party is not None}
    assert sum(map(bool, rows.values())) == 1
    assert others["spent/train"].launches[0].now.step == 14


def test_a_run_that_is_loaded_between_two_lists_is_ours(tmp_path: Path) -> None:
    """TensorBoard loads on while a poll asks for its lists: a run of ours that also has scalars is read as ours."""

    class Loading(Slow):
        lists = 0

        def list_tensors(self, *args: Any, **kwargs: Any) -> Any:
            return self.load(self.provider.list_tensors(*args, **kwargs))

        def list_scalars(self, *args: Any, **kwargs: Any) -> Any:
            return self.load(self.provider.list_scalars(*args, **kwargs))

        def load(self, tags: Any) -> Any:
            """Loads a run after each list."""
            self.lists += 1
            name = f"run-{self.lists}"
            synthetic_runs.write(tmp_path / name, 24, launch=f"a{self.lists}")
            write_series(tmp_path / name / "weightwatch", 3, loss=lambda t: 1.0, w=lambda t: WEIGHTS)
            self.reload()
            return tags

    source = Loading(tmp_path)
    runs = ProviderReader(source).poll(CTX, "")
    assert source.lists > 1
    assert runs
    assert [name for name, run in runs.items() if run.third_party is not None] == []


def test_hostile_series_do_not_raise(tmp_path: Path) -> None:
    """Histograms of other shapes and types and non-finite scalars are skipped or diagnosed, never raised."""
    writer = tf.summary.create_file_writer(str(tmp_path / "run"))
    metadata = tf.compat.v1.SummaryMetadata()
    metadata.plugin_data.plugin_name = "histograms"
    with writer.as_default():
        for step, odd in enumerate([np.zeros((0, 3)), np.zeros(4), np.zeros((2, 2, 2)), np.array([["a", "b", "c"]])]):
            tf.summary.write("w", tf.constant(odd), step=step, metadata=metadata)
            tf.summary.write("only/odd/kernel", tf.constant(odd), step=step, metadata=metadata)
            tf.summary.scalar("loss", [np.nan, np.inf, 1.0, -np.inf][step], step=step)
        tf.summary.histogram("w", WEIGHTS, step=9)
    writer.close()
    with ProviderReader(Slow(tmp_path)).locked_run(CTX, "", "run") as opened:
        (launch,) = opened.launches
    assert launch.skipped["histograms: damaged"] >= 3
    assert symptom_severities(launch.history)["nonfinite-loss"] == "error"
