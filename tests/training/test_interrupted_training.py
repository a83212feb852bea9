"""Trainings that are interrupted, and clocks that jump: what was recorded is written, and the program goes its way."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch import answers
from tb_weightwatch.reader import launches

ROOT = Path(__file__).resolve().parents[2]
YEAR = 365 * 86400.0

# Each situation trains a model of its own; the last one ends the process.
PROGRAM = """
import os, signal, sys
import keras, numpy as np
import tb_weightwatch as ww
logs = sys.argv[1]

class At(keras.callbacks.Callback):
    def __init__(self, step, act):
        self.left, self.act = step, act
    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            self.act()

def fit(name, step, act):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    watch = ww.WeightWatch(f"{logs}/{name}", overhead=None, verbose=False)
    x, y = np.ones((400, 2)), np.ones((400, 1))
    try:
        model.fit(x, y, batch_size=4, verbose=0, callbacks=[At(step, act), watch])
    except BaseException as error:
        print(name, type(error).__name__, watch.diagnosis.rows, flush=True)
    return model, watch

def kill(number):
    return lambda: os.kill(os.getpid(), number)

def fail():
    raise KeyError("the user's callback")

kept = [fit("interrupt", 20, kill(signal.SIGINT)), fit("callback", 20, fail), fit("exit", 20, lambda: sys.exit(3))]
model, watch = kept[0]  # goes on after the interrupt
model.fit(np.ones((40, 2)), np.ones((40, 1)), batch_size=4, verbose=0, callbacks=[watch])
fit("terminate", 30, kill(signal.SIGTERM))
"""


def test_signals_and_exceptions_during_fit(tmp_path: Path) -> None:
    """SIGINT, an exception of a callback and sys.exit reach the user, and SIGTERM ends the process; no row is lost."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, cwd=ROOT, timeout=120
    )
    assert done.returncode == -15, done.stderr
    raised = ["interrupt KeyboardInterrupt 20", "callback KeyError 20", "exit SystemExit 20"]
    assert done.stdout.split("\n")[:-1] == raised
    endings = {"interrupt": (30, "completed"), "callback": (20, "exception"), "exit": (20, "exception"),
               "terminate": (30, "signal")}  # fmt: skip
    for name, (rows, how) in endings.items():
        (history,) = ww.read(tmp_path / name)
        assert len(history) == rows and history.complete and history.ended is not None, name
        assert history.ended.data["how"] == how, name
        assert len(list((tmp_path / name / "weightwatch").iterdir())) == 1


def test_clocks_that_jump_by_years(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forward and back, within a training: every row is recorded, read and judged as if the clock had not moved."""
    real, jump = time.time, 0.0
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    w = tf.Variable([1.0, 2.0])
    with ww.Watch(tmp_path, variables=[w], verbose=False, overhead=None) as watch:
        for step, jump in enumerate([0.0, 30 * YEAR, -50 * YEAR, 3600.0, 8000 * YEAR, -60 * YEAR, 0.0] * 4):  # noqa: B007
            w.assign_sub([0.01, 0.01])
            watch.step(2.0**-step)
            if step % 5 == 0:
                assert len(watch.history) == step + 1  # no other thread adds rows any more
                watch._recorder.flush()
    (launch,) = launches(tmp_path)
    assert launch.history.steps.tolist() == list(range(1, 29))
    assert not launch.skipped and launch.history.complete
    assert ww.diagnose(launch.history) == watch.diagnosis
    assert answers.state(launch, real()).name == "ended"
    np.testing.assert_allclose(launch.history.loss, 2.0 ** -np.arange(28), rtol=1e-2)


def test_a_run_can_be_recorded_again_while_an_interrupted_one_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a notebook, whose cell is run again after an interrupt: the new launch is in the same folder."""
    import keras

    monkeypatch.setattr(sys, "ps1", "", raising=False)
    kept = []
    for _ in range(2):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse", run_eagerly=True)
        watch = ww.WeightWatch(tmp_path, verbose=False, overhead=None)
        interrupt = keras.callbacks.LambdaCallback(on_train_batch_begin=interrupt_at(4))
        with pytest.raises(KeyboardInterrupt) as raised:
            model.fit(np.ones((40, 2)), np.ones((40, 1)), batch_size=4, verbose=0, callbacks=[interrupt, watch])
        monkeypatch.setattr(sys, "last_value", raised.value, raising=False)
        kept.append((model, watch))
    kept[-1][1].history  # noqa: B018
    assert [len(history) for history in ww.read(tmp_path)] == [4, 4]
    assert os.listdir(tmp_path) == ["weightwatch"]


def interrupt_at(step: int) -> object:
    def interrupt(batch: int, logs: object) -> None:
        if batch == step:
            raise KeyboardInterrupt

    return interrupt
