"""Experiments of a training that is recorded: when they run, what they leave as it was, and where they are recorded."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch import probes
from tb_weightwatch.answers import launch_entry, overview, run_entries
from tb_weightwatch.capture import probing
from tb_weightwatch.probes import probe
from tb_weightwatch.reader import launches

from .programs import BATCHES, X, Y

TOO_SMALL, HEALTHY = 1e-5, 0.05
CONFIRMED = ("learning-rate-too-small", "confirmed")


def model_of(rate: float, loss: Any = "mse") -> Any:
    keras.utils.clear_session()  # so that the names of layers do not depend on earlier models
    keras.utils.set_random_seed(5)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate, momentum=0.5), loss)
    return model


def fitted(logdir: Path, rate: float, **settings: Any) -> tuple[ww.WeightWatch, Any]:
    """Trains 100 steps and returns the callback and the model."""
    model, watch = model_of(rate), ww.WeightWatch(str(logdir), overhead=None, **settings)
    model.fit(X, Y, batch_size=16, epochs=25, verbose=0, callbacks=[watch])
    return watch, model


def bits(*objects: Any) -> list[bytes]:
    return [np.asarray(variable).tobytes() for item in objects for variable in item.variables]


class Runs:
    """Notes the arguments of every call of `ww.probe` by a recorder, and may fail in its place."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: Exception | None = None) -> None:
        self.calls: list[dict[str, Any]] = []
        self.error = error
        monkeypatch.setattr(probes, "probe", self.run)

    def run(self, **arguments: Any) -> Any:
        self.calls.append(arguments)
        if self.error is not None:
            raise self.error
        return probe(**arguments)


# -- model.fit


def test_fit_runs_experiments_once_and_goes_on_as_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They run between two steps, are recorded and printed once, and leave weights and optimizer bit for bit."""
    runs = Runs(monkeypatch)
    watch, model = fitted(tmp_path / "a", TOO_SMALL, probe="on-verdict")
    assert len(runs.calls) == 1 and len(runs.calls[0]["batches"]) == probing.KEPT_BATCHES
    (sweep,) = [e for e in watch.diagnosis.experiments if e.name == "learning-rate-sweep"]
    assert sweep.outcome == "confirmed" and 0 < sweep.step < 100
    first = watch.diagnosis.suspects[0]
    assert (first.name, first.outcome) == CONFIRMED
    assert capsys.readouterr().err.count("Cause, confirmed by an experiment: learning-rate-too-small") == 1
    _, plain = fitted(tmp_path / "b", TOO_SMALL, verbose=False)
    assert bits(model, model.optimizer) == bits(plain, plain.optimizer)


def test_the_run_holds_the_experiments(tmp_path: Path) -> None:
    """Read from its files, a run has the same diagnosis, and the panel's answers show the experiments."""
    watch, _ = fitted(tmp_path, TOO_SMALL, probe="on-verdict", verbose=False)
    (launch,) = launches(tmp_path)
    diagnosis = ww.diagnose(ww.read(str(tmp_path))[-1])
    assert diagnosis.as_dict() == watch.diagnosis.as_dict()
    answer = overview("run", launch, diagnosis, time.time())
    assert [e["outcome"] for e in answer["experiments"] if e["name"] == "learning-rate-sweep"] == ["confirmed"]
    ((entry,),) = [run["launches"] for run in run_entries({"run": [launch_entry(launch, diagnosis, time.time())]})]
    assert entry["headline"].endswith("; confirmed learning-rate-too-small")


def test_a_healthy_fit_runs_no_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as nothing is to be settled, nothing runs."""
    runs = Runs(monkeypatch)
    watch, _ = fitted(tmp_path, HEALTHY, probe="on-verdict", verbose=False)
    assert watch.diagnosis.status == "healthy" and not runs.calls and not watch.diagnosis.experiments


def test_a_failure_of_the_experiments_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training goes on to its end, and they are not tried again."""
    runs = Runs(monkeypatch, ZeroDivisionError("of the experiments"))
    with pytest.warns(RuntimeWarning, match=r"experiments could not run \(ZeroDivisionError: of the experiments\)"):
        watch, model = fitted(tmp_path, TOO_SMALL, probe="on-verdict", verbose=False)
    assert len(runs.calls) == 1 and not watch.diagnosis.experiments
    assert int(model.optimizer.iterations) == 100


class OwnStep(keras.Model):  # type: ignore[misc]
    """A training step that scales its inputs before `compute_loss` gets them, and trains on weighted samples."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, x: Any) -> Any:
        return self.dense(x)

    def train_step(self, data: Any) -> Any:
        x, y, weights = data
        x = 2 * x
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x=x, y=y, y_pred=self(x), sample_weight=weights)
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return {"loss": loss}


def test_kept_batches_are_those_that_the_step_gets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inputs are those before the step changed them, and sample weights belong to the batch."""
    runs = Runs(monkeypatch)
    keras.utils.set_random_seed(5)
    model, weights = OwnStep(), np.linspace(0.5, 1.5, len(X), dtype="float32")
    model.compile(keras.optimizers.SGD(1e-5), "mse")
    watch = ww.WeightWatch(str(tmp_path), overhead=None, probe="on-verdict", verbose=False)
    model.fit(X, Y, sample_weight=weights, batch_size=16, epochs=25, shuffle=False, verbose=0, callbacks=[watch])
    ((x, y, w),) = runs.calls[0]["batches"][-1:]
    (i,) = [i for i in range(0, 64, 16) if np.array_equal(x, X[i : i + 16])]
    assert np.array_equal(np.reshape(y, (-1, 1)), Y[i : i + 16]) and np.array_equal(w, weights[i : i + 16])


def test_experiments_after_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`watch.probe(x, y)` returns the report, records it behind the end of the training, and prints the answer once."""
    watch, _ = fitted(tmp_path, TOO_SMALL)
    assert not watch.diagnosis.experiments
    report = watch.probe(X, Y, verbose=False)
    assert report.confirmed == CONFIRMED[:1] and report.diagnosis == watch.diagnosis
    assert capsys.readouterr().err.count("Cause, confirmed by an experiment: learning-rate-too-small") == 1
    assert ww.diagnose(ww.read(str(tmp_path))[-1]).as_dict() == watch.diagnosis.as_dict()
    with pytest.raises(RuntimeError, match=r"call it after model\.fit has begun"):
        ww.WeightWatch(str(tmp_path / "unused"), verbose=False).probe(X, Y)


# -- a loop


def loop_of(rate: float) -> tuple[Any, Any, Any]:
    """Returns model, optimizer and the compiled step of a loop."""
    model = model_of(rate)
    optimizer = keras.optimizers.SGD(rate, momentum=0.5)
    optimizer.build(model.trainable_variables)

    @tf.function  # type: ignore[untyped-decorator]
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x) - y))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    return model, optimizer, step


def trained_in_a_loop(logdir: Path, rate: float, **settings: Any) -> tuple[list[Any], ww.Watch, list[bytes]]:
    """Trains 100 steps with a `watch.probe` after each; returns what those returned, the Watch and the weights."""
    model, optimizer, step = loop_of(rate)
    reports = []
    with ww.Watch(str(logdir), model=model, optimizer=optimizer, overhead=None, verbose=False) as watch:
        for i in range(100):
            x, y = BATCHES[i % len(BATCHES)]
            loss = step(x, y)
            watch.step(loss, inputs=x, targets=y)
            if settings:
                reports.append(watch.probe(step_fn=step, batches=BATCHES, budget=300.0, **settings))
    return reports, watch, bits(model, optimizer)


def test_a_loop_runs_experiments_when_they_are_needed(tmp_path: Path) -> None:
    """`watch.probe` after each step returns None, then one report, then None; training is that without it."""
    reports, watch, trained = trained_in_a_loop(tmp_path / "a", TOO_SMALL, when="on-verdict")
    (report,) = [report for report in reports if report is not None]
    assert reports.index(report) > 8 and CONFIRMED[0] in report.confirmed
    assert watch.diagnosis.experiments and len(watch.history) and int(watch.history.steps[-1]) <= 100
    assert trained == trained_in_a_loop(tmp_path / "b", TOO_SMALL)[2]
    with pytest.raises(RuntimeError, match=r"call watch\.probe before watch\.close\(\)"):
        watch.probe(X, Y)


def test_a_healthy_loop_runs_no_experiment(tmp_path: Path) -> None:
    """Nothing is returned, and nothing recorded."""
    reports, watch, _ = trained_in_a_loop(tmp_path, HEALTHY, when="on-verdict")
    assert set(reports) == {None} and not watch.diagnosis.experiments


def test_experiments_now_are_no_steps_of_an_eager_loop(tmp_path: Path) -> None:
    """Recorded numbers, facts and gradients are those of a loop without experiments, which may call `watch.step`."""
    histories = []
    for name in ("probed", "plain"):
        model, optimizer, _ = loop_of(HEALTHY)
        watch = ww.Watch(str(tmp_path / name), model=model, optimizer=optimizer, overhead=None, verbose=False)

        def step(x: Any, y: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(model(x) - y))  # noqa: B023
            variables = model.trainable_variables  # noqa: B023
            gradients = tape.gradient(loss, variables)
            optimizer.apply_gradients(zip(gradients, variables, strict=True))  # noqa: B023
            watch.step(loss, inputs=x, targets=y)  # noqa: B023
            return loss

        for i in range(20):
            step(*BATCHES[i % len(BATCHES)])
            if name == "probed" and i == 10:
                names = ["learning-rate-sweep", "unfreeze-and-apply", "leaky-activation"]
                assert watch.probe(step_fn=step, batches=BATCHES, when="now", experiments=names).steps > 20
                by_hand = watch.probe(X, Y, loss="mse", when="now", experiments=["learning-rate-sweep"])
                assert by_hand["learning-rate-sweep"].end == "completed"
        watch.close()
        histories.append(watch.history)
    probed, plain = histories
    assert list(probed.steps) == list(plain.steps) == list(range(1, 21))
    assert probed.facts == plain.facts
    for quantity in ("gradient_norm", "update_norm", "loss"):
        assert np.array_equal(probed.column(quantity), plain.column(quantity), equal_nan=True), quantity


def test_wrong_occasions_say_what_is_right(tmp_path: Path) -> None:
    """The error names what is accepted and what was given."""
    with pytest.raises(
        ValueError, match="probe must be \"on-verdict\", or None to run no experiments, got the string 'always'"
    ):
        ww.WeightWatch(str(tmp_path), probe="always")
    model, optimizer, _ = loop_of(HEALTHY)
    with ww.Watch(str(tmp_path), model=model, optimizer=optimizer, verbose=False) as watch:
        with pytest.raises(ValueError, match='when must be "on-verdict" or "now", got the string \'later\''):
            watch.probe(X, Y, when="later")
        with pytest.raises(ValueError, match="x must be given, or batches="):
            watch.probe(loss="mse", when="now")
