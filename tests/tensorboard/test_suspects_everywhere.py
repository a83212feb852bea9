"""A run without a certain cause: the same symptom and suspects live, from its files, in the plugin and the review."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch import cli
from tests.support.tensorboard_process import get_json, tensorboard, wait_for_runs

ROUTE = "/data/plugin/weightwatch"


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Returns the Watch of a line that is trained by hand with a millionth of its gradient."""
    folder = tmp_path_factory.mktemp("suspected")
    rng = np.random.default_rng(1)
    x = rng.normal(size=(512, 6)).astype("float32")
    y = x @ np.ones((6, 1), "float32")
    weight, bias = tf.Variable(rng.normal(size=(6, 1)).astype("float32")), tf.Variable([0.1])
    with ww.Watch(str(folder / "run"), variables=[weight, bias], verbose=False, overhead=None) as watch:
        for step in range(80):
            batch = np.arange(32 * step, 32 * step + 32) % len(x)
            with tf.GradientTape() as tape:
                p = x[batch] @ weight + bias
                loss = tf.reduce_mean(tf.square(p - y[batch]))
            gradients = tape.gradient(loss, [weight, bias])
            for variable, gradient in zip((weight, bias), gradients, strict=True):
                variable.assign_sub(1e-6 * gradient)
            pairs = list(zip(gradients, (weight, bias), strict=True))
            watch.step(loss, inputs=x[batch], targets=y[batch], predictions=p, gradients=pairs)
    return folder, watch


def test_from_the_files_as_live(crawl: Any) -> None:
    """Every symptom and every suspect, with its probability and its facts."""
    folder, watch = crawl
    live = watch.diagnosis
    assert live.status == "sick" and not live.verdicts
    assert [symptom.name for symptom in live.symptoms] == ["weights-barely-move"]
    assert live.suspects[0].name == "learning-rate-too-small"
    assert ww.diagnose(ww.read(str(folder / "run"))[-1]) == live


@pytest.mark.parametrize("loader", ["--load_fast=true", "--load_fast=false"])
def test_in_the_plugin(crawl: Any, loader: str) -> None:
    """The overview and the run list say the same with both of TensorBoard's loaders."""
    folder, watch = crawl
    live = watch.diagnosis
    with tensorboard(folder, loader) as address:
        entry = wait_for_runs(address, 1)["runs"][0]
        launches, run = entry["launches"], entry["run"]
        overview = get_json(f"{address}{ROUTE}/overview?run={run}&launch={launches[-1]['launch']}")
    assert launches[-1]["headline"] == "weights barely move; probably learning-rate-too-small"
    assert [s["message"] for s in overview["symptoms"]] == [s.message for s in live.symptoms]
    keys = live.suspects[0].as_dict().keys()
    assert [{key: s[key] for key in keys} for s in overview["suspects"]] == [s.as_dict() for s in live.suspects]


def test_on_the_command_line(crawl: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`weightwatch review --format json` holds both; the exit code is that of a sick run."""
    folder, watch = crawl
    assert cli.main(["review", str(folder), "--format", "json"]) == 1
    launch = json.loads(capsys.readouterr().out)["launches"][0]
    assert launch["suspects"] == [s.as_dict() for s in watch.diagnosis.suspects]
    assert launch["symptoms"] == [s.as_dict() for s in watch.diagnosis.symptoms]
