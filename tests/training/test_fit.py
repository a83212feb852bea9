"""`WeightWatch` in real `model.fit` runs: the numbers are right, and the user's objects are left as they were."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_diabetes

import tb_weightwatch as ww
from tb_weightwatch.capture import recorder
from tb_weightwatch.capture.fit import descriptions, step_outputs
from tb_weightwatch.capture.fit.held_weights import HeldWeights
from tb_weightwatch.capture.fit.step_layout import StepLayout
from tb_weightwatch.capture.fit.step_outputs import StepOutputs
from tb_weightwatch.capture.measure.row_buffer import RowBuffer
from tb_weightwatch.capture.measure.step_measurer import StepMeasurer
from tb_weightwatch.capture.observe import observers
from tb_weightwatch.capture.observe.method_hooks import Hooks
from tb_weightwatch.capture.schedule.bursts import scheduled
from tb_weightwatch.capture.schedule.recording_gate import TRACING_EXTRA
from tb_weightwatch.statistics import fast

BATCH, STEPS = 64, 12


def data() -> tuple[np.ndarray, np.ndarray]:
    x, y = load_diabetes(return_X_y=True)
    x, y = x[: BATCH * 6], y[: BATCH * 6]
    return ((x - x.mean(0)) / x.std(0)).astype("float32"), ((y - y.mean()) / y.std()).astype("float32")[:, None]


def model_of() -> keras.Model:
    keras.utils.set_random_seed(3)
    return keras.Sequential([keras.Input((10,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])


def fitted(logs: Path, optimizer: Any, **compiled: Any) -> tuple[ww.WeightWatch, keras.Model]:
    model = model_of()
    model.compile(optimizer, loss="mse", **compiled)
    watch = ww.WeightWatch(logs, verbose=False, overhead=None)
    model.fit(*data(), batch_size=BATCH, epochs=2, shuffle=False, verbose=0, callbacks=[watch])
    return watch, model


def by_hand(optimizer: Any) -> list[dict[str, np.ndarray]]:
    """The same training by hand: loss, gradients, weights before and after each step, in float64."""
    model, (x, y) = model_of(), data()
    optimizer.build(model.trainable_variables)
    steps = []
    for step in range(STEPS):
        part = slice(step % 6 * BATCH, (step % 6 + 1) * BATCH)
        before = [v.numpy().astype("float64") for v in model.trainable_variables]
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x[part], training=True) - y[part]))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        after = [v.numpy().astype("float64") for v in model.trainable_variables]
        grads = [g.numpy().astype("float64") for g in gradients]
        steps.append({"loss": float(loss), "before": before, "after": after, "gradients": grads})
    return steps


MODES: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "graph": (lambda: keras.optimizers.Adam(1e-2), {}),
    "xla": (lambda: keras.optimizers.Adam(1e-2), {"jit_compile": True}),
    "eager": (lambda: keras.optimizers.SGD(1e-2, momentum=0.9), {"run_eagerly": True}),
    "three steps an execution": (lambda: keras.optimizers.RMSprop(1e-3), {"steps_per_execution": 4}),
    "schedule": (lambda: keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 10)), {}),
}


class Own(keras.Sequential):
    """A model that makes its train function itself."""

    def make_train_function(self, force: bool = False) -> Any:
        if self.train_function is None or force:
            step = tf.function(self.train_step, reduce_retracing=True)
            self.train_function = lambda iterator: step(next(iterator))


def test_a_train_function_of_the_users_own_is_called_as_keras_would(tmp_path: Path) -> None:
    """A train function of the user's own gets the iterator; only that of Keras is called with a list of batches."""
    keras.utils.set_random_seed(3)
    model = Own([keras.Input((10,)), keras.layers.Dense(1)])
    model.compile("sgd", loss="mse")
    watch = ww.WeightWatch(tmp_path, verbose=False, overhead=None)
    model.fit(*data(), batch_size=BATCH, epochs=2, shuffle=False, verbose=0, callbacks=[watch])
    assert len(watch.history) == STEPS
    assert watch.history.known("gradient_norm").all()


@pytest.mark.parametrize("mode", MODES)
def test_numbers_are_those_of_an_independent_training(mode: str, tmp_path: Path) -> None:
    """Loss, gradient, weight and update of every step agree with a hand-written training, measured in float64."""
    make, compiled = MODES[mode]
    watch, _ = fitted(tmp_path, make(), **compiled)
    history, reference = watch.history, by_hand(make())
    assert history.steps.tolist() == list(range(1, STEPS + 1))
    np.testing.assert_allclose(history.loss, [r["loss"] for r in reference], rtol=2e-4)
    expected = {
        "gradient_norm": [[np.linalg.norm(g) for g in r["gradients"]] for r in reference],
        "gradient_max": [[np.abs(g).max() for g in r["gradients"]] for r in reference],
        "weight_norm": [[np.linalg.norm(w) for w in r["after"]] for r in reference],
        "weight_max": [[np.abs(w).max() for w in r["after"]] for r in reference],
        "update_norm": [
            [np.linalg.norm(a - b) for a, b in zip(r["after"], r["before"], strict=True)] for r in reference
        ],
    }
    for name, values in expected.items():
        # The compact encoding keeps about half a percent; both trainings round differently.
        np.testing.assert_allclose(history.column(name), values, rtol=1.5e-2, atol=1e-7, err_msg=name)
    assert history.column("iterations").tolist() == list(range(1, STEPS + 1))
    assert ww.diagnose(ww.read(tmp_path)[0]) == watch.diagnosis


def test_the_learning_rate_is_the_one_of_the_step(tmp_path: Path) -> None:
    """A schedule's value is recorded as the step used it, not as it is afterwards."""
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    watch, _ = fitted(tmp_path, keras.optimizers.SGD(schedule))
    expected = [float(schedule(i)) for i in range(STEPS)]
    np.testing.assert_allclose(watch.history.column("learning_rate"), expected, rtol=1e-5, atol=1e-9)


def test_gradients_are_recorded_before_and_after_clipping(tmp_path: Path) -> None:
    """The gradient before clipping and the one that the optimizer uses have different columns."""
    watch, _ = fitted(tmp_path, keras.optimizers.SGD(1e-2, global_clipnorm=0.05))
    history = watch.history
    used = np.sqrt((history.column("gradient_norm") ** 2).sum(axis=1))
    raw = np.sqrt((history.column("raw_gradient_norm") ** 2).sum(axis=1))
    np.testing.assert_allclose(used, 0.05, rtol=1e-2)
    assert (raw > 0.1).all()


def test_accumulated_steps_move_nothing(tmp_path: Path) -> None:
    """With accumulation over four steps, three of four move nothing, and only the fourth has a known gradient."""
    watch, _ = fitted(tmp_path, keras.optimizers.Adam(1e-2, gradient_accumulation_steps=4))
    history = watch.history
    moved = history.column("update_norm")[:, 0] > 0
    assert moved.tolist() == [(step + 1) % 4 == 0 for step in range(STEPS)]
    assert (history.known("gradient_norm")[:, 0] == moved).all()
    assert watch.diagnosis.status != "sick"


def test_loss_scaling_is_taken_out(tmp_path: Path) -> None:
    """With loss scaling the recorded gradient is unscaled, and the loss scale has a column of its own."""
    plain, _ = fitted(tmp_path / "plain", keras.optimizers.SGD(1e-2))
    scaled, _ = fitted(tmp_path / "scaled", keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1e-2)))
    for name in ("gradient_norm", "update_norm"):
        np.testing.assert_allclose(scaled.history.column(name), plain.history.column(name), rtol=1e-2)
    assert (scaled.history.column("loss_scale") == 2**15).all()


def test_training_ends_with_the_same_weights(tmp_path: Path) -> None:
    """Recording every step with Adam leaves the weights bit-identical, and no hook on model or optimizer."""
    _, watched = fitted(tmp_path, keras.optimizers.Adam(1e-2))
    plain = model_of()
    plain.compile(keras.optimizers.Adam(1e-2), loss="mse")
    plain.fit(*data(), batch_size=BATCH, epochs=2, shuffle=False, verbose=0)
    for one, other in zip(watched.get_weights(), plain.get_weights(), strict=True):
        assert one.tobytes() == other.tobytes()
    hooked = {"train_step", "compute_loss", "call", "apply", "_backend_update_step", "_clip_gradients"}
    for thing in (watched, watched.optimizer, *watched.layers):
        assert not hooked & set(vars(thing))


def test_a_second_fit_of_the_same_model_continues_the_launch(tmp_path: Path) -> None:
    """Two fits of a model with one callback make one launch, which ends with the last fit."""
    watch, model = fitted(tmp_path, keras.optimizers.Adam(1e-2))
    model.fit(*data(), batch_size=BATCH, epochs=1, verbose=0, callbacks=[watch])
    (history,) = ww.read(tmp_path)
    assert history.steps.tolist() == list(range(1, STEPS + 7))
    assert history.ended is not None
    assert history.ended.step == STEPS + 6


def test_another_model_is_another_launch(tmp_path: Path) -> None:
    """A second model with the same callback makes a second launch, which is never merged with the first."""
    watch, _ = fitted(tmp_path, keras.optimizers.Adam(1e-2))
    other = model_of()
    other.compile("sgd", loss="mse")
    other.fit(*data(), batch_size=BATCH, epochs=1, verbose=0, callbacks=[watch])
    histories = ww.read(tmp_path)
    assert [len(h) for h in histories] == [STEPS, 6]
    assert watch.history.launch == histories[1].launch


def test_a_model_that_is_not_built_yet(tmp_path: Path) -> None:
    """A model without an input shape is recorded from its first step."""
    model = keras.Sequential([keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1)])
    model.compile("adam", loss="mse")
    watch = ww.WeightWatch(tmp_path, verbose=False)
    model.fit(*data(), batch_size=BATCH, epochs=1, verbose=0, callbacks=[watch])
    assert len(watch.history) == 6
    assert len(watch.history.variables) == 4
    assert watch.history.known("update_norm").all()


def test_an_exception_in_training_restores_the_users_model(tmp_path: Path) -> None:
    """After an exception in another callback the model has no hooks, and the recorded steps can be read."""

    class Fails(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 3:
                raise KeyboardInterrupt

    model = model_of()
    model.compile("adam", loss="mse")
    watch = ww.WeightWatch(tmp_path, verbose=False)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*data(), batch_size=BATCH, epochs=1, verbose=0, callbacks=[watch, Fails()])
    assert "train_step" not in vars(model)
    model.fit(*data(), batch_size=BATCH, epochs=1, verbose=0)
    assert len(watch.history) >= 3
    assert watch.diagnosis.status != "sick"


FAULTS: list[tuple[Any, str]] = [
    (StepOutputs, "read_before"),
    (StepOutputs, "read_after"),
    (step_outputs, "independent_read"),
    (HeldWeights, "__init__"),
    (HeldWeights, "tensors"),
    (StepLayout, "pack"),
    (StepLayout, "unpack"),
    (StepMeasurer, "measure"),
    (fast, "small_statistics"),
    (fast, "layer_statistics"),
    (fast, "batch_statistics"),
    (RowBuffer, "drain"),
    (Hooks, "put"),
    (observers, "gradients_given"),
    (observers, "gradients_used"),
    (observers, "loss_and_data"),
    (observers, "layer_output"),
    (descriptions, "feature_records"),
    (recorder, "as_stored"),
]


def test_of_two_tracings_only_the_later_is_charged(tmp_path: Path) -> None:
    """A new model is traced once anyway, so of the first tracing only what takes longer is charged to the recorder."""
    fresh, (x, y) = model_of(), data()
    fresh.compile("sgd", "mse")
    watch = ww.WeightWatch(tmp_path / "fresh", verbose=False)
    watch._gate.budget.affords_burst = lambda: False  # type: ignore[method-assign]
    watch._gate.budget.affords_once = lambda seconds: True  # type: ignore[method-assign]
    fresh.fit(x, y, batch_size=BATCH, verbose=0, callbacks=[watch])  # six steps, all of them recorded
    assert len(watch.history) == 6
    assert watch._gate.budget._steps_in_it == TRACING_EXTRA
    fresh.fit(x, y, batch_size=BATCH, verbose=0, epochs=3, callbacks=[watch])
    assert watch._gate.budget._steps_in_it == TRACING_EXTRA + 1
    fresh.fit(x, y, batch_size=BATCH, verbose=0, epochs=9, callbacks=[watch])
    assert watch._gate.budget._steps_in_it == TRACING_EXTRA + 1

    trained = model_of()
    trained.compile("sgd", "mse")
    trained.fit(x, y, batch_size=BATCH, verbose=0)
    watch = ww.WeightWatch(tmp_path / "trained", verbose=False)
    trained.fit(x, y, batch_size=BATCH, verbose=0, callbacks=[watch])
    assert watch._gate.budget._steps_in_it == 1


def test_late_steps_are_those_of_the_schedule(tmp_path: Path) -> None:
    """Between bursts the schedule is not asked, and yet all steps of bursts and of `tensors=` are recorded."""
    start, steps = 65_536, 1_800
    inputs = tf.data.Dataset.from_tensors((np.ones((4, 10), "float32"), np.ones((4, 1), "float32"))).repeat()
    watch = ww.WeightWatch(tmp_path, verbose=False, overhead=None, tensors={"*/kernel": [start + 300]})
    model = model_of()
    model.compile("sgd", "mse")
    watch._step = start
    model.fit(inputs, steps_per_epoch=steps // 2, epochs=2, shuffle=False, verbose=0, callbacks=[watch])
    assert watch._step == start + steps
    due = {s for s in range(start + 1, start + steps + 1) if scheduled(s)} | {start + 300}
    assert watch.history.steps.tolist() == sorted(due)
    assert int(watch.history.column("iterations")[-1]) == max(due) - start


@pytest.mark.parametrize(("owner", "name"), FAULTS, ids=[f"{o.__name__}.{name}" for o, name in FAULTS])
def test_a_failing_recorder_warns_once_and_training_goes_on(
    owner: Any, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault in our own code gives one warning with the traceback; training ends with the same weights."""

    def fault(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("injected")

    monkeypatch.setattr(owner, name, fault)
    monkeypatch.delenv("TB_WEIGHTWATCH_STRICT", raising=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _, model = fitted(tmp_path, keras.optimizers.Adam(1e-2))
    ours = [w for w in caught if "tb_weightwatch" in str(w.message)]
    assert len(ours) == 1
    assert "injected" in str(ours[0].message)
    plain = model_of()
    plain.compile(keras.optimizers.Adam(1e-2), loss="mse")
    plain.fit(*data(), batch_size=BATCH, epochs=2, shuffle=False, verbose=0)
    for one, other in zip(model.get_weights(), plain.get_weights(), strict=True):
        assert one.tobytes() == other.tobytes()


def test_an_unwritable_folder_fails_at_once(tmp_path: Path) -> None:
    """A folder that cannot be written is an OSError that names it, raised when the callback is made."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(OSError, match="file"):
        ww.WeightWatch(blocked / "run")


def test_wrong_settings_fail_at_once(tmp_path: Path) -> None:
    """A misspelt rule or an impossible overhead is an error when the callback is made; the former suggests a name."""
    with pytest.raises(ValueError, match="learning-rate-zero"):
        ww.WeightWatch(tmp_path, rules={"learning-rate-zer": False})
    with pytest.raises(ValueError, match="overhead"):
        ww.WeightWatch(tmp_path, overhead=2.0)


def test_a_users_own_writer_is_used(tmp_path: Path) -> None:
    """With a tf.summary writer all data go into its event file, beside the user's scalars, and are read back."""
    writer = tf.summary.create_file_writer(str(tmp_path))
    model = model_of()
    model.compile("adam", loss="mse")
    watch = ww.WeightWatch(writer, verbose=False)
    model.fit(*data(), batch_size=BATCH, epochs=1, verbose=0, callbacks=[watch])
    with writer.as_default():
        tf.summary.scalar("mine", 1.0, step=1)
    writer.close()
    assert len(list(tmp_path.rglob("*tfevents*"))) == 1
    (history,) = ww.read(tmp_path)
    assert ww.diagnose(history) == watch.diagnosis


@pytest.mark.parametrize("steps", [1, 3])
def test_features_that_stand_out_are_named_once(steps: int, tmp_path: Path) -> None:
    """Features of the first batch that stand out are recorded once, also if an execution has several steps."""
    x, y = data()
    x = x * np.where(np.arange(10) == 4, 1e4, 1).astype("float32")
    model = model_of()
    model.compile("adam", loss="mse", steps_per_execution=steps)
    watch = ww.WeightWatch(tmp_path, verbose=False)
    model.fit(x, y, batch_size=BATCH, verbose=0, callbacks=[watch])
    (record,) = watch.history.of_kind("features")
    assert record.data["which"] == "inputs"
    assert record.data["features"][0]["name"] == "4"


@pytest.mark.parametrize("recorded", [(False, True), (True, True)])
def test_trainable_changed_without_compiling_again(recorded: tuple[bool, bool], tmp_path: Path) -> None:
    """The layer made trainable does not move, as without the recorder, and the verdict says so."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(128, 4)).astype("float32"), rng.normal(size=(128, 1)).astype("float32")
    keras.utils.set_random_seed(1)
    first, last = keras.layers.Dense(8, "relu", trainable=False), keras.layers.Dense(1)
    model = keras.Sequential([keras.Input((4,)), first, last])
    model.compile("adam", "mse")
    watch = ww.WeightWatch(tmp_path, verbose=False)
    before = first.kernel.numpy()
    for attached in recorded:
        model.fit(x, y, batch_size=16, verbose=0, callbacks=[watch] if attached else [])
        first.trainable = True
    assert np.array_equal(first.kernel.numpy(), before)
    verdict = watch.diagnosis.verdicts[0]
    assert verdict.name == "updates-not-applied" and set(verdict.variables) == {
        v.name for v in watch.history.variables if v.layer.endswith(first.name)
    }
    assert all(v.trainable for v in model.trainable_variables) and len(model.trainable_variables) == 4


class TracedInTwoWays(keras.Sequential):
    """A model that updates two variables for batches of 8 samples, and all of them for other batches."""

    def train_step(self, data: Any) -> Any:
        x, y = data
        variables = self.trainable_variables[: 2 if x.shape[0] == 8 else 4]
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(y - self(x, training=True)))
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return {"loss": loss}


def test_each_trace_is_read_in_its_own_layout(tmp_path: Path) -> None:
    """After a retrace with other gradients, a step compiled before is still unpacked as it was traced."""
    keras.utils.set_random_seed(3)
    model = TracedInTwoWays([keras.Input((10,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(1)])
    model.compile("sgd")
    model.optimizer.build(model.trainable_variables)
    watch = ww.WeightWatch(tmp_path, verbose=False, overhead=None)
    samples = tf.data.Dataset.from_tensor_slices(data())
    for batch in (8, 16, 8):
        batches = samples.batch(batch, drop_remainder=True).take(2)
        model.fit(batches, verbose=0, shuffle=False, callbacks=[watch])
    known = watch.history.known("gradient_norm")
    assert known.sum(axis=1).tolist() == [2, 2, 4, 4, 2, 2]
    assert ((watch.history.column("update_norm") > 0) == known).all()


def test_an_error_of_the_users_step_is_raised_as_it_is(tmp_path: Path) -> None:
    """An error of the user's own step is raised as it is, without a warning that blames the recorder."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("adam", lambda y, p: tf.reduce_mean(p - tf.zeros([7, 5])))
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        with pytest.raises(Exception, match=r"(?i)dimension|shape|broadcast|incompatible"):
            model.fit(np.ones((8, 4)), np.ones((8, 1)), verbose=0, callbacks=[ww.WeightWatch(tmp_path, verbose=False)])


def test_an_error_of_the_first_batch_is_the_users_in_an_eager_step(tmp_path: Path) -> None:
    """An eager step's error is raised as without the recorder: going on with the next batch would hide it."""
    seen: list[int] = []

    def loss(y: Any, p: Any) -> Any:
        seen.append(1)
        if len(seen) == 1:
            raise ValueError("a bad batch")
        return tf.reduce_mean(tf.square(y - p))

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("adam", loss, run_eagerly=True)
    with pytest.raises(ValueError, match="a bad batch"):
        model.fit(np.ones((64, 4)), np.ones((64, 1)), verbose=0, callbacks=[ww.WeightWatch(tmp_path, verbose=False)])
    assert len(seen) == 1
