"""Where the budget does not pay for tracing the user's own function, that which records runs all steps.

That these are bit-identical is tested in `test_identical.py`.
"""

from __future__ import annotations

import contextlib
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch.capture.fit import logs_only
from tb_weightwatch.capture.schedule.recording_gate import TRACING_AGAIN, TRACING_LOGS_ONLY
from tests.support import loops

BATCH, STEPS, RECORDED = 8, 12, 4
X, Y = (part[: BATCH * STEPS] for part in loops.diabetes())


class Counted:
    """A loss that counts how often Python runs it: in a graph, how often it is traced."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, y: Any, p: Any) -> Any:
        self.calls += 1
        return tf.reduce_mean(tf.square(p - y))


def compiled(kind: type[keras.Model] = keras.Sequential, **settings: Any) -> tuple[Any, Counted]:
    keras.utils.set_random_seed(3)
    model, loss = kind([keras.Input((10,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(1)]), Counted()
    model.compile("adam", loss, **settings)
    return model, loss


def recorder(
    logs: Path, *, pays_after: int = STEPS, logs_only_after: int = STEPS, recorded: int = RECORDED
) -> ww.WeightWatch:
    """Returns one that records the first steps, and whose budget pays for either tracing after so many."""
    watch = ww.WeightWatch(logs, verbose=False)

    def affords(seconds: float) -> bool:
        is_logs_only = seconds == TRACING_LOGS_ONLY * watch._tracing_seconds
        return watch._step >= (logs_only_after if is_logs_only else pays_after)

    watch._gate.schedule.due = lambda step: step <= recorded  # type: ignore[method-assign]
    watch._gate.budget.affords_once = affords  # type: ignore[method-assign]
    return watch


def fitted(model: Any, callbacks: list[Any], epochs: int = 1, **settings: Any) -> None:
    settings = {"batch_size": BATCH, "shuffle": False, "verbose": 0, **settings}
    model.fit(X, Y, epochs=epochs, callbacks=callbacks, **settings)


def traced_by(callbacks: list[Any], **settings: Any) -> int:
    """Returns how often the loss is traced in a training."""
    model, loss = compiled(**settings)
    fitted(model, callbacks)
    return loss.calls


def test_a_model_is_traced_as_often_as_without_the_recorder(tmp_path: Path) -> None:
    """As long as a second tracing is not paid for there is none, and one of the user's function when it is."""
    plain = traced_by([])
    watch = recorder(tmp_path / "one")
    assert traced_by([watch]) == plain
    paid = recorder(tmp_path / "other", pays_after=STEPS - 2)
    assert traced_by([paid]) == plain + 1
    assert paid._gate.budget.one_off > watch._gate.budget.one_off
    assert paid.history.steps.tolist() == watch.history.steps.tolist() == list(range(1, RECORDED + 1))


def test_what_a_tracing_takes_is_learnt_from_the_first_step(tmp_path: Path) -> None:
    """The budget is asked for as many seconds as the first recorded step took, of which nearly all is tracing."""
    asked: list[float] = []
    watch = recorder(tmp_path)
    ask = lambda seconds: bool(asked.append(seconds))  # type: ignore[func-returns-value]  # noqa: E731
    watch._gate.budget.affords_once = ask  # type: ignore[method-assign]
    model, _ = compiled()
    fitted(model, [watch])
    expected = [seconds for seconds in asked if seconds]  # for maps, which have taken no time, it is asked as well
    assert len(expected) == 2 * (STEPS - RECORDED)
    assert {seconds / watch._tracing_seconds for seconds in expected} == {TRACING_AGAIN, TRACING_LOGS_ONLY}


def test_what_only_the_recorder_needs_is_left_out_when_that_is_paid_for(tmp_path: Path) -> None:
    """The step runs without its further results from then on; none of its Python code is traced once more for it."""
    watch, model_and_loss = recorder(tmp_path, logs_only_after=RECORDED + 2), compiled()
    model, loss = model_and_loss
    charged: list[int] = []
    charge = watch._gate.charge_once

    def noted(ended: float, share: float = 1.0) -> None:
        charged.append(watch._step)
        charge(ended, share)

    watch._gate.charge_once = noted  # type: ignore[method-assign]
    fitted(model, [watch])
    assert loss.calls == traced_by([])
    assert charged == [1, RECORDED + 3]  # the first step, and that in which the other function was traced
    assert watch._steps._function is not None and watch._steps._function.logs_only_has_run


def test_nothing_is_left_out_of_what_xla_has_compiled(tmp_path: Path) -> None:
    """XLA compiles a step as a whole: another function would be compiled once more, and be no faster."""
    watch = recorder(tmp_path, logs_only_after=0)
    model, _ = compiled(jit_compile=True)
    fitted(model, [watch])
    assert watch._steps._function is not None and not watch._steps._function.logs_only_has_run
    assert len(watch.history) == RECORDED


class OwnFunction(keras.Sequential):
    """A model that makes its train function itself."""

    def make_train_function(self, force: bool = False) -> Any:
        if self.train_function is None or force:
            step = tf.function(self.train_step, reduce_retracing=True)
            self.train_function = lambda iterator: step(next(iterator))


@pytest.mark.parametrize(
    "settings", [{"run_eagerly": True}, {"steps_per_execution": 2}, {"kind": OwnFunction}, {"recorded": 0}], ids=str
)
def test_the_users_function_runs_where_no_other_can(settings: dict[str, Any], tmp_path: Path) -> None:
    """An eager step, several steps an execution, a function of the user's own; and nothing that has been traced."""
    watch, executions = recorder(tmp_path, recorded=settings.pop("recorded", RECORDED)), []
    model, _ = compiled(**settings)

    class Called(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            executions.append(getattr(model.train_function, "__self__", None) is watch._steps)

    fitted(model, [watch, Called()])
    recorded = len(watch.history) // model.steps_per_execution
    assert executions == [True] * recorded + [False] * (len(executions) - recorded)
    assert len(executions) * model.steps_per_execution == STEPS


@pytest.mark.parametrize("after", [0, STEPS])
def test_another_batch_shape_is_trained_as_well(after: int, tmp_path: Path) -> None:
    """The last batch of an epoch may be smaller, and a second `fit` may have batches of another size."""
    states = []
    for callbacks in ([], [recorder(tmp_path, logs_only_after=after)]):
        model, _ = compiled()
        fitted(model, callbacks, epochs=2, batch_size=BATCH + 1)
        fitted(model, callbacks, batch_size=2 * BATCH)
        states.append([v.numpy().tobytes() for v in (*model.variables, *model.optimizer.variables)])
    assert states[0] == states[1]


def test_two_recorders_of_a_model(tmp_path: Path) -> None:
    """A step that is recorded for one of them only has a row there, and the weights are those of a plain training."""
    one = recorder(tmp_path / "one", logs_only_after=RECORDED + 1)
    other = recorder(tmp_path / "other", recorded=RECORDED + 4)
    model, loss = compiled()
    fitted(model, [one, other])
    assert loss.calls == traced_by([])
    assert one.history.steps.tolist() == list(range(1, RECORDED + 1))
    assert other.history.steps.tolist() == list(range(1, RECORDED + 5))


def test_the_users_own_function_is_left_behind(tmp_path: Path) -> None:
    """Within a callback that Keras calls after the step, and after `fit`, the train function is the user's own."""
    model, _ = compiled()
    model.make_train_function()
    own, seen = model.train_function, []
    watch = recorder(tmp_path)
    watch._user_function_untraced = True

    class Seen(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(model.train_function is own)

    fitted(model, [watch, Seen()])
    assert seen == [True] * STEPS
    assert model.train_function is own


@pytest.mark.parametrize("after", [0, STEPS])
def test_an_exception_is_recorded_with_its_step(after: int, tmp_path: Path) -> None:
    """A step that is not recorded and fails is known exactly, as a recorded one is; a further `fit` trains on."""
    keras.utils.set_random_seed(3)
    fragile = keras.Sequential([keras.Input((10,)), keras.layers.Dense(1)])

    def loss(y: Any, p: Any) -> Any:
        with tf.control_dependencies([tf.debugging.assert_less(tf.abs(y), 1e6)]):
            return tf.reduce_mean(tf.square(p - y))

    fragile.compile("adam", loss)
    watch, x, y = recorder(tmp_path, logs_only_after=after), X, Y.copy()
    y[BATCH * 7] = 1e9
    with pytest.raises(tf.errors.InvalidArgumentError):
        fragile.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[watch])
    end = watch.history.of_kind("end")[-1].data
    assert end["how"] == "exception" and end["step"] == 8
    before = int(fragile.optimizer.iterations.numpy())
    fragile.fit(X, Y, batch_size=BATCH, verbose=0, callbacks=[watch])
    fragile.fit(X, Y, batch_size=BATCH, verbose=0)
    assert int(fragile.optimizer.iterations.numpy()) == before + 2 * STEPS


def test_a_fault_of_ours_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the recorder has failed the user's own function runs, and the weights are those of a plain training."""
    monkeypatch.delenv("TB_WEIGHTWATCH_STRICT", raising=False)
    states = []
    for recorded in (False, True):
        model, _ = compiled()
        watch = recorder(tmp_path)

        def fault(completed: int, watch: Any = watch, **given: Any) -> bool:
            if completed == RECORDED + 2:
                raise ZeroDivisionError("injected")
            return bool(type(watch._steps).stand_in_next(watch._steps, completed, **given))

        monkeypatch.setattr(watch._steps, "stand_in_next", fault)
        told = pytest.warns(match="injected") if recorded else contextlib.nullcontext()
        with told, warnings.catch_warnings():
            warnings.simplefilter("always")
            fitted(model, [watch] if recorded else [])
        states.append([v.numpy().tobytes() for v in (*model.variables, *model.optimizer.variables)])
        assert watch._recorder.off == recorded
    assert states[0] == states[1]
    assert np.isfinite(np.frombuffer(states[0][0], "float32")).all()


def test_a_fault_while_the_step_is_traced_for_its_logs_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one of tracing: nothing has been trained, the user's own function takes the step, and recording stops."""
    monkeypatch.delenv("TB_WEIGHTWATCH_STRICT", raising=False)

    def fault(result: Any) -> Any:
        raise ZeroDivisionError("injected")

    monkeypatch.setattr(logs_only, "_logs", fault)
    states = []
    for callbacks in ([], [watch := recorder(tmp_path, logs_only_after=RECORDED + 1)]):
        model, _ = compiled()
        told = pytest.warns(match="injected") if callbacks else contextlib.nullcontext()
        with told, warnings.catch_warnings():
            warnings.simplefilter("always")
            fitted(model, callbacks)
        states.append([v.numpy().tobytes() for v in (*model.variables, *model.optimizer.variables)])
    assert states[0] == states[1]
    assert watch._recorder.off and len(watch.history) == RECORDED
