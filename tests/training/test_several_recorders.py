"""Several recorders of one training, one that is used twice, and one that an exception has interrupted."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch.capture.fit.step_recorder import FitStepRecorder
from tests.support import loops

BATCH, STEPS = 8, 10
X, Y = (part[: BATCH * STEPS] for part in loops.diabetes())


def compiled(**settings: Any) -> Any:
    keras.utils.set_random_seed(3)
    model = loops.dense()
    model.compile(keras.optimizers.Adam(1e-2), "mse", **settings)
    return model


def fitted(callbacks: list[Any], model: Any = None, **settings: Any) -> list[bytes]:
    model = model or compiled(**settings)
    model.fit(X, Y, batch_size=BATCH, epochs=2, shuffle=False, verbose=0, callbacks=callbacks)
    return [v.numpy().tobytes() for v in (*model.variables, *model.optimizer.variables)]


def recorder(logs: Path, **settings: Any) -> ww.WeightWatch:
    return ww.WeightWatch(logs, **{"overhead": None, "verbose": False, **settings})


SETTINGS: list[dict[str, Any]] = [{}, {"run_eagerly": True}, {"steps_per_execution": 3}]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_same_callback_twice(settings: dict[str, Any], tmp_path: Path) -> None:
    """Each step is counted and recorded once, the end is recorded once, and the weights are the same."""
    watch = recorder(tmp_path)
    assert fitted([watch, watch], **settings) == fitted([], **settings)
    assert watch.history.steps.tolist() == list(range(1, 2 * STEPS + 1))
    assert watch._step == 2 * STEPS
    assert len(watch.history.of_kind("end")) == 1
    np.testing.assert_array_equal(watch.history.column("iterations"), watch.history.steps)


def test_the_same_callback_twice_between_bursts(tmp_path: Path) -> None:
    """Steps that are not recorded are counted once too, those that ask no schedule included."""
    watch, model = recorder(tmp_path), compiled()
    watch._step = start = 2_000_000
    model.fit(np.repeat(X, 4, 0), np.repeat(Y, 4, 0), batch_size=BATCH, verbose=0, callbacks=[watch, watch])
    assert watch._step == start + 4 * STEPS


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_two_callbacks_record_the_same(settings: dict[str, Any], tmp_path: Path) -> None:
    """Two callbacks on one model record all steps, with the same numbers, each in its own folder."""
    one, other = recorder(tmp_path / "one"), recorder(tmp_path / "other")
    assert fitted([one, other], **settings) == fitted([], **settings)
    for watch in (one, other):
        assert watch.history.steps.tolist() == list(range(1, 2 * STEPS + 1))
        assert len(watch.history.of_kind("end")) == 1
    assert one.history.variables == other.history.variables
    for name in ("update_norm", "gradient_norm", "weight_norm"):
        np.testing.assert_array_equal(one.history.column(name), other.history.column(name))
    (read,) = ww.read(tmp_path / "other")
    assert len(read) == 2 * STEPS


def test_two_callbacks_record_at_steps_of_their_own(tmp_path: Path) -> None:
    """A callback whose step is due runs it although the other's is not."""
    one, other = recorder(tmp_path / "one"), recorder(tmp_path / "other")
    one._gate.schedule.due = lambda step: step % 2 == 0  # type: ignore[method-assign]
    other._gate.schedule.due = lambda step: step % 3 == 0  # type: ignore[method-assign]
    assert fitted([one, other]) == fitted([])
    assert one.history.steps.tolist() == list(range(2, 21, 2))
    assert other.history.steps.tolist() == list(range(3, 21, 3))


def test_two_watches_of_one_loop(tmp_path: Path) -> None:
    """Two Watches on one model both record each step, and the weights are those of a plain loop."""
    watches: list[ww.Watch] = []

    class Both:
        def step(self, loss: Any, **given: Any) -> None:
            for watch in watches:
                watch.step(loss, **given)

    def both(model: Any, optimizer: Any) -> Both:
        watches.extend(ww.Watch(tmp_path / n, model, optimizer, overhead=None, verbose=False) for n in "ab")
        return Both()

    assert loops.run("dense", look=False, watch=both).bits == loops.run("dense", look=False).bits
    for watch in watches:
        watch.close()
        assert watch.history.steps.tolist() == list(range(1, 11))
        assert watch.history.column("gradient_norm").all()


def test_a_watch_that_two_threads_step(tmp_path: Path) -> None:
    """Each step of either thread is counted, nothing is raised, and what is recorded is in order."""
    weight, errors = tf.Variable(np.ones(3, "float32")), []
    watch = ww.Watch(tmp_path, variables=[weight], overhead=None, verbose=False)

    def steps() -> None:
        try:
            for _ in range(200):
                watch.step(1.0)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=steps) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    watch.close()
    assert not errors
    assert watch.history.steps.tolist() == sorted(set(watch.history.steps.tolist()))


class Interrupting(keras.callbacks.Callback):
    """Raises an exception before the train function of the fourth batch runs."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if batch == 3:
            raise ZeroDivisionError("of the user's own callback")


def test_an_exception_of_a_callback_before_a_recorded_step(tmp_path: Path) -> None:
    """It is raised as it is and recorded as the end; another `fit` goes on with the user's own train function."""
    watch, model = recorder(tmp_path / "run"), compiled()
    with pytest.raises(ZeroDivisionError, match="own callback"):
        model.fit(X, Y, batch_size=BATCH, verbose=0, callbacks=[watch, Interrupting()])
    plain = compiled()
    with pytest.raises(ZeroDivisionError):
        plain.fit(X, Y, batch_size=BATCH, verbose=0, callbacks=[Interrupting()])
    assert fitted([recorder(tmp_path / "next")], model) == fitted([], plain)
    assert FitStepRecorder.of(model) is None
    assert (len(watch.history), watch._step) == (3, 3)


def test_a_wrong_argument_late_in_a_training(tmp_path: Path) -> None:
    """After the first steps a wrong argument ends no training: it is a warning, given once."""
    weight = tf.Variable(np.ones(3, "float32"))
    with ww.Watch(tmp_path, variables=[weight], overhead=None, verbose=False) as watch:
        with pytest.raises(TypeError, match="loss must be"):
            watch.step("0.5")  # type: ignore[arg-type]
        for _ in range(20):
            watch.step(1.0)
        with pytest.warns(RuntimeWarning, match=r"loss must be .* \(step 22 is not recorded; training goes on\)"):
            watch.step("0.5")  # type: ignore[arg-type]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            watch.step("0.5")  # type: ignore[arg-type]
            watch.step(1.0)
    assert watch.history.steps.tolist() == [*range(2, 22), 24]
