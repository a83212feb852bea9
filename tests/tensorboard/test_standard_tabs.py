"""TensorBoard's own tabs of a recorded run, in a real TensorBoard with both loaders."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tb_weightwatch as ww
from tests.support.tensorboard_process import get_json, tensorboard

keras = pytest.importorskip("keras")
LOADERS = ["--load_fast=true", "--load_fast=false"]
RATES = {"good": 0.01, "small": 1e-9}
SCALARS = {"loss", "learning_rate", "gradient_norm", "update_ratio/median", "update_ratio/hidden/kernel"}


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of the same program."""
    logs = tmp_path_factory.mktemp("tabs")
    x = np.random.default_rng(1).normal(size=(640, 4)).astype("float32")
    for name, rate in RATES.items():
        inputs = keras.Input((4,))
        model = keras.Model(inputs, keras.layers.Dense(1, name="hidden")(inputs))
        model.compile(keras.optimizers.SGD(rate), "mse")
        watch = ww.WeightWatch(logs / name, verbose=False, overhead=None, scalars=True, histograms=True)
        model.fit(x, x.sum(1), batch_size=8, verbose=0, callbacks=[watch])
    return logs


@pytest.fixture(scope="module", params=LOADERS)
def address(logdir: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    with tensorboard(logdir, request.param, tensorflow=False) as served:
        deadline = time.monotonic() + 60
        while len(get_json(f"{served}/data/runs")) < len(RATES) and time.monotonic() < deadline:
            time.sleep(0.2)
        yield served


def post(url: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def test_scalars(address: str, logdir: Path) -> None:
    """Each run has the tags, and the values are those recorded."""
    tags = get_json(f"{address}/data/plugin/scalars/tags")
    assert {run: set(of_run) for run, of_run in tags.items()} == {
        f"{name}/weightwatch": {f"weightwatch/{scalar}" for scalar in SCALARS} for name in RATES
    }
    points = get_json(f"{address}/data/plugin/scalars/scalars?run=good/weightwatch&tag=weightwatch/loss")
    (history,) = ww.read(logdir / "good")
    assert [step for _, step, _ in points] == history.steps.tolist()
    np.testing.assert_allclose([value for _, _, value in points], history.loss, rtol=1e-6)


def test_histograms(address: str) -> None:
    """Gradients and weights of both variables, whenever maps are due."""
    tags = get_json(f"{address}/data/plugin/histograms/tags")
    expected = {f"weightwatch/{kind}/hidden/{name}" for kind in ("gradient", "weight") for name in ("kernel", "bias")}
    assert {run: set(of_run) for run, of_run in tags.items()} == {f"{name}/weightwatch": expected for name in RATES}
    tag = "weightwatch/weight/hidden/kernel"
    points = get_json(f"{address}/data/plugin/histograms/histograms?run=good/weightwatch&tag={tag}")
    assert [(step, sum(bucket[2] for bucket in buckets)) for _, step, buckets in points] == [(64, 4)]


def test_hyperparameters(address: str) -> None:
    """One session a run, with its settings, its answer and, as metrics, its scalars."""
    experiment = post(f"{address}/data/plugin/hparams/experiment", {})
    names = {info["name"] for info in experiment["hparamInfos"]}
    assert {"optimizer", "learning_rate", "batch_size", "loss", "weights", "answer"} <= names
    wanted = {"startIndex": 0, "sliceSize": 10, "allowedStatuses": ["STATUS_SUCCESS"]}
    metrics = [{"metric": info["name"]} for info in experiment["metricInfos"]]
    groups = post(f"{address}/data/plugin/hparams/session_groups", {**wanted, "colParams": metrics})["sessionGroups"]
    answers = {group["sessions"][0]["name"]: group["hparams"]["answer"] for group in groups}
    assert answers == {"good/weightwatch": "healthy", "small/weightwatch": "sick: learning-rate-too-small"}
    rates = {group["sessions"][0]["name"]: group["hparams"]["learning_rate"] for group in groups}
    assert rates == {f"{name}/weightwatch": rate for name, rate in RATES.items()}
    assert {value["name"]["tag"] for group in groups for value in group["metricValues"]} >= {"weightwatch/loss"}


def test_the_plugin_shows_the_runs_as_its_own(address: str, logdir: Path) -> None:
    """Not as logs of others, and without a datum that cannot be read."""
    listed = get_json(f"{address}/data/plugin/weightwatch/runs")["runs"]
    assert {run["run"] for run in listed} == {f"{name}/weightwatch" for name in RATES}
    for name in RATES:
        overview = get_json(f"{address}/data/plugin/weightwatch/overview?run={name}/weightwatch")
        (history,) = ww.read(logdir / name)
        assert (overview["rows"], overview["status"]) == (len(history), ww.diagnose(history).status)
        assert "third-party" not in overview["detail"]
        assert not overview["skipped"]
