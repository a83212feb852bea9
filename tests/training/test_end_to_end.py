"""From a training to the same answer everywhere: live, in TensorBoard with both loaders, on the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch import answers
from tb_weightwatch.capture.schedule.bursts import BURST, Schedule
from tb_weightwatch.cli import main
from tests.support.tensorboard_process import get_json, tensorboard, wait_for_runs

LOADERS = ["--load_fast=true", "--load_fast=false"]
JUDGED = ("status", "sentence", "verdicts", "resolved", "passed", "unknown", "chain", "rows", "last_step")


@pytest.fixture(scope="module")
def long_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ww.WeightWatch]:
    """5,000 steps of a model whose learning rate falls to zero early, beside scalars of the user's own."""
    logs = tmp_path_factory.mktemp("long")
    keras.utils.set_random_seed(5)
    x = np.random.default_rng(5).normal(size=(400, 10)).astype("float32")
    y = (x @ np.linspace(-1, 1, 10).astype("float32"))[:, None]
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([40], [1e-3, 0.0])
    model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(schedule), loss="mse")
    watch = ww.WeightWatch(logs / "run", verbose=False)
    board = keras.callbacks.TensorBoard(logs / "run", write_graph=False, update_freq=100)
    model.fit(x, y, batch_size=8, epochs=100, verbose=0, callbacks=[board, watch])
    with tf.summary.create_file_writer(str(logs / "run")).as_default():
        for step in range(50):
            tf.summary.scalar("mine", float(step), step=step)
    return logs, watch


def test_the_run_is_sick_and_recorded(long_run: tuple[Path, ww.WeightWatch]) -> None:
    """The fixture trains for 5,000 steps, and its first verdict is a learning rate of zero."""
    _, watch = long_run
    assert watch.history.steps[-1] > 5000 / Schedule.GROWTH - BURST  # however slow the machine
    assert watch.diagnosis.verdicts[0].name == "learning-rate-zero"


def test_event_files_and_command_line_say_the_same(
    long_run: tuple[Path, ww.WeightWatch], capsys: pytest.CaptureFixture[str]
) -> None:
    """Read back from the event files, and on the command line, the diagnosis equals the live one, object for object."""
    logs, watch = long_run
    (history,) = ww.read(logs / "run")
    assert ww.diagnose(history) == watch.diagnosis
    assert main(["review", str(logs), "--format", "json"]) == 1
    (told,) = json.loads(capsys.readouterr().out)["launches"]
    fields = watch.diagnosis.as_dict()
    assert ww.Diagnosis.from_dict({k: told[k] for k in fields}) == watch.diagnosis


@pytest.mark.parametrize("flag", LOADERS)
def test_the_plugin_says_the_same_and_the_users_scalars_stand(flag: str, long_run: tuple[Path, ww.WeightWatch]) -> None:
    """With default flags both loaders give the live diagnosis, and all of the user's own scalars."""
    logs, watch = long_run
    with tensorboard(logs, flag) as address:
        (run,) = wait_for_runs(address, 1)["runs"]
        told = get_json(f"{address}/data/plugin/weightwatch/overview?run={run['run']}")
        live = expected(logs / "run", watch)
        assert {k: told[k] for k in JUDGED} == {k: live[k] for k in JUDGED}
        tags = get_json(f"{address}/data/plugin/scalars/tags")
        assert "mine" in tags["run"]
        values = get_json(f"{address}/data/plugin/scalars/scalars?tag=mine&run=run")
        assert [v[2] for v in values] == [float(i) for i in range(50)]
        assert any(name.startswith("run/") and "epoch_loss" in tag for name, tag in tags.items())


def expected(logs: Path, watch: ww.WeightWatch) -> Any:
    """Returns the overview that the live diagnosis gives, as JSON gives it."""
    from tb_weightwatch.reader import SkipCounts, launches

    (launch,) = launches(str(next(logs.rglob("weightwatch"))), SkipCounts())
    whole = answers.overview("", launch, watch.diagnosis, time.time())
    return json.loads(json.dumps(whole))


KILLED = """
    import sys, time
    import keras, numpy as np
    import tb_weightwatch as ww
    keras.utils.set_random_seed(1)
    x = np.random.default_rng(1).normal(size=(64, 10)).astype("float32")
    model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(1e-10), loss="mse")
    class Tell(keras.callbacks.Callback):
        step = 0
        def on_train_batch_end(self, batch, logs=None):
            self.step += 1
            print(self.step, time.time(), flush=True)
    watch = ww.WeightWatch(sys.argv[1], verbose=False, overhead=None)
    model.fit(x, x[:, :1], batch_size=8, epochs=10**6, verbose=0, callbacks=[watch, Tell()])
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int, float, list[tuple[int, float]]]]:
    """A training that is killed while it runs: its logs, its last step and its time, and when each step ended."""
    logs = tmp_path_factory.mktemp("killed")
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(logs)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        seconds = float(os.environ.get("WW_KILL_AFTER", "8"))
        told: list[tuple[int, float]] = []
        for line in process.stdout:
            step, at = line.split()
            told.append((int(step), float(at)))
            if told[-1][1] - told[0][1] > seconds:
                break
        process.send_signal(signal.SIGKILL)
        process.stdout.close()
    yield logs, told[-1][0], told[-1][1], told


def test_a_killed_run_lacks_two_seconds_at_most(killed: tuple[Path, int, float, list[tuple[int, float]]]) -> None:
    """After SIGKILL only the last two seconds or two percent are missing; the rest is diagnosed, without an end."""
    logs, last, at, told = killed
    (history,) = ww.read(logs)
    recorded = int(history.steps[-1])
    missing = at - dict(told)[recorded]
    assert missing < 2.6 or last - recorded <= 0.02 * last, f"{missing:.1f} s, {last - recorded} of {last} steps"
    assert history.ended is None
    assert ww.diagnose(history).verdicts[0].name == "learning-rate-too-small"
