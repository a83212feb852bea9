"""Training that ends in an exception: what is recorded, what is said, and that the exception goes on unchanged."""

from __future__ import annotations

import functools
import gc
import os
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch.capture.observe.exception_meaning import MEANINGS, meaning_of
from tb_weightwatch.capture.schedule.recording_gate import RecordingGate

layers = keras.layers
X = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
IDS = (np.arange(64) % 3).astype("int32")
SECRET = "my_secret_tag"
quiet = functools.partial(ww.Watch, verbose=False, overhead=None)


def net(units: int = 3, activation: str | None = "softmax", *more: Any) -> Any:
    return keras.Sequential([keras.Input((4,)), layers.Dense(units, activation), *more])


def blocked() -> Any:
    """Returns a model through which no gradient flows."""
    return net(3, None, layers.Lambda(tf.stop_gradient))


def fit(model: Any, loss: Any, y: Any, *, callbacks: Any = (), jit_compile: bool = False, **settings: Any) -> None:
    model.compile("adam", loss, jit_compile=jit_compile, **settings)  # XLA checks neither labels nor numbers
    model.fit(X, y, batch_size=16, shuffle=False, verbose=0, callbacks=list(callbacks))


def nan_loss(y: Any, p: Any) -> Any:
    return tf.debugging.check_numerics(tf.reduce_mean(p) * np.nan, SECRET)


def check(values: Any, text: str = SECRET) -> Any:
    return tf.debugging.check_numerics(tf.constant(values), text)


def tracing_step() -> None:
    model, optimizer = net(), keras.optimizers.Adam()

    @tf.function
    def step() -> None:
        optimizer.apply_gradients([(None, v) for v in model.trainable_variables])

    step()


def failing_fit(*arguments: Any) -> Callable[[], None]:
    return lambda: fit(arguments[0](), *arguments[1:])


SPARSE, DENSE = "sparse_categorical_crossentropy", "categorical_crossentropy"
REAL: list[tuple[str, Callable[[], Any]]] = [
    ("no-gradients", tracing_step),
    ("label-out-of-range", lambda: keras.losses.sparse_categorical_crossentropy(IDS + 1, net()(X))),
    ("target-shape-mismatch", lambda: keras.losses.categorical_crossentropy(IDS, net()(X))),
    ("target-shape-mismatch", lambda: keras.losses.sparse_categorical_crossentropy(np.eye(3)[IDS], net()(X))),
    ("target-shape-mismatch", failing_fit(lambda: net(5, None), "mse", np.zeros((64, 3)))),
    ("shape-mismatch", lambda: net()(np.zeros((3, 7), "float32"))),
    ("shape-mismatch", lambda: tf.constant([1.0, 2.0]) + tf.constant([1.0, 2.0, 3.0])),
    ("dtype-mismatch", lambda: tf.constant(1.0) + tf.constant(1)),
    ("non-finite", lambda: check(np.nan)),
    ("non-finite-in-loss", lambda: check(np.nan, "the loss")),
    ("non-finite-in-gradient", lambda: check([np.inf], "a gradient")),
    ("out-of-memory", lambda: np.zeros((10**6, 10**8))),
    ("out-of-memory", lambda: tf.zeros((10**5, 10**9))),
    ("other", lambda: {}["key"]),
]


@pytest.mark.parametrize(("meaning", "program"), REAL, ids=[f"{i}-{meaning}" for i, (meaning, _) in enumerate(REAL)])
def test_the_meaning_of_real_exceptions(meaning: str, program: Callable[[], Any]) -> None:
    """Each exception as TensorFlow and Keras raise it has its meaning, also as the cause of another one."""
    with pytest.raises(Exception) as raised:
        program()
    assert meaning in MEANINGS
    assert meaning_of(raised.value) == meaning
    with pytest.raises(RuntimeError) as outer:
        raise RuntimeError("training failed") from raised.value
    assert meaning_of(outer.value) == meaning


def test_an_exception_without_a_message() -> None:
    """An exception whose text cannot be read has no meaning, and does not fail."""

    class Silent(ValueError):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    assert meaning_of(Silent()) == "other"


# -- fit

FITS: list[tuple[str, str, Callable[..., None]]] = [
    ("no-gradient", "certain", lambda **k: fit(blocked(), "mse", np.zeros((64, 3)), **k)),
    ("label-problem", "certain", lambda **k: fit(net(), SPARSE, IDS + 1, **k)),
    ("label-problem", "certain", lambda **k: fit(net(), DENSE, IDS, **k)),
    ("nonfinite-loss", "likely", lambda **k: fit(net(), nan_loss, IDS, **k)),
]


def assert_private(logs: Path) -> None:
    """Checks that no text, path or value of the exception is in the files."""
    data = b"".join(path.read_bytes() for path in logs.rglob("*") if path.is_file())
    for text in (
        SECRET,
        "outside the valid range",
        "No gradients provided",
        __file__,
        "Received",
        "must have the same",
    ):
        assert text.encode() not in data, text


@pytest.mark.parametrize(("rule", "certainty", "program"), FITS, ids=[f"{i}-{r}" for i, (r, _, _) in enumerate(FITS)])
@pytest.mark.parametrize("eagerly", [False, True], ids=["graph", "eager"])
def test_an_exception_of_the_first_step_of_fit(
    rule: str, certainty: str, program: Callable[..., None], eagerly: bool, tmp_path: Path
) -> None:
    """The rule names the cause although no step was recorded, live and from files; fit raises what it would raise."""
    with pytest.raises(Exception) as plain:
        program(run_eagerly=eagerly)
    watch = ww.WeightWatch(tmp_path, verbose=False)
    with pytest.raises(Exception) as raised:
        program(run_eagerly=eagerly, callbacks=[watch])
    assert type(raised.value) is type(plain.value)
    assert type(raised.value.__context__) is type(plain.value.__context__)
    diagnosis = watch.diagnosis
    assert diagnosis.status == "sick"
    first = diagnosis.verdicts[0]
    assert (first.name, first.certainty, first.first_step, first.last_step) == (rule, certainty, 1, 1)
    assert (
        f"training stopped at step 1 with a{'n' * (raised.typename[0] in 'AEIOU')} {raised.typename}" in first.message
    )
    assert len(watch.history.variables) >= 2
    (read,) = ww.read(tmp_path)
    assert ww.diagnose(read) == diagnosis
    assert_private(tmp_path)


def test_a_failing_first_batch_is_not_skipped(tmp_path: Path) -> None:
    """The user's function is not called for the second batch after the first one has failed."""
    y = np.where(np.arange(64) < 16, 7, IDS)
    watch = ww.WeightWatch(tmp_path, verbose=False)
    with pytest.raises(tf.errors.InvalidArgumentError, match="label value of 7"):
        fit(net(), SPARSE, y, callbacks=[watch])
    assert len(watch.history) == 0


def test_a_later_step_of_fit_and_the_fit_after_it(tmp_path: Path) -> None:
    """The verdict is dated with the step that raised; after another fit of the same model it is resolved."""
    y, model = np.where(np.arange(64) >= 48, 7, IDS), net()
    watch = ww.WeightWatch(tmp_path, verbose=False)
    with pytest.raises(tf.errors.InvalidArgumentError):
        fit(model, SPARSE, y, callbacks=[watch])
    assert watch.history.steps.tolist() == [1, 2, 3]
    ended = watch.history.ended
    assert ended is not None
    assert (ended.step, ended.data["step"], ended.data["meaning"]) == (3, 4, "label-out-of-range")
    assert [(v.name, v.first_step) for v in watch.diagnosis.verdicts[:1]] == [("label-problem", 4)]
    model.fit(X, IDS, batch_size=16, verbose=0, callbacks=[watch])
    diagnosis = watch.diagnosis
    assert "label-problem" not in [v.name for v in diagnosis.verdicts]
    assert [(v.name, v.first_step) for v in diagnosis.resolved if v.name == "label-problem"] == [("label-problem", 4)]
    assert watch.history.ended is not None
    assert watch.history.ended.data["how"] == "completed"


@pytest.mark.parametrize("interactive", [False, True])
def test_a_step_of_fit_that_is_not_recorded(interactive: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras tells nobody of the exception; it is known in the `except` block, and afterwards in a notebook."""
    monkeypatch.setattr(RecordingGate, "due", lambda gate, step: False)
    watch, model = ww.WeightWatch(tmp_path, verbose=False), net()
    try:
        fit(model, SPARSE, IDS + 1, callbacks=[watch])
    except tf.errors.InvalidArgumentError as error:
        if interactive:
            monkeypatch.setattr(sys, "ps1", "In : ", raising=False)
            monkeypatch.setattr(sys, "last_value", error, raising=False)
        else:
            assert watch.diagnosis.verdicts[0].name == "label-problem"
    assert watch.diagnosis.verdicts[0].name == "label-problem"
    assert "before the end of its first step" in str(watch.diagnosis)


def test_an_exception_of_something_else_is_not_that_of_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A diagnosis that is read while another exception is handled, inside fit or after it, does not blame it."""
    watch = ww.WeightWatch(tmp_path, verbose=False)

    class Reads(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            try:
                raise ValueError("No gradients provided for any variable")
            except ValueError:
                assert watch.diagnosis.status != "sick"

    fit(net(), SPARSE, IDS, callbacks=[watch, Reads()])
    try:
        net().predict(np.zeros((2, 9)), verbose=0)
    except ValueError:
        assert watch.diagnosis.status != "sick"
    assert watch.history.ended is not None
    assert watch.history.ended.data["how"] == "completed"


def test_the_program_is_not_kept_alive(tmp_path: Path) -> None:
    """The handler that waits for the end of the program refers neither to the callback nor to the Watch."""
    callback, watch = ww.WeightWatch(tmp_path / "a", verbose=False), quiet(tmp_path / "b", variables=[tf.Variable(1.0)])
    watch.step(1.0)
    references = weakref.ref(callback), weakref.ref(watch)
    del callback, watch
    gc.collect()
    assert [reference() for reference in references] == [None, None]


# -- loops


class Refuses(keras.optimizers.SGD):  # type: ignore[misc]
    """An optimizer whose `apply` raises one exception object."""

    error = KeyError(SECRET)

    def apply(self, *arguments: Any, **settings: Any) -> None:
        raise self.error


def loss_of(model: Any, y: Any = IDS) -> Any:
    return tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, model(X)))


@pytest.mark.parametrize("traced", [False, True], ids=["eager", "traced"])
def test_no_gradients_in_a_loop_that_never_closes(traced: bool, tmp_path: Path) -> None:
    """The hook of the optimizer sees the exception: it is told although the program catches it and does nothing."""
    model, optimizer = net(), keras.optimizers.Adam()
    watch = quiet(tmp_path, model, optimizer)

    def step() -> Any:
        with tf.GradientTape() as tape:
            loss = tf.stop_gradient(loss_of(model))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    with pytest.raises(ValueError, match="No gradients provided"):
        (tf.function(step) if traced else step)()
    diagnosis = watch.diagnosis
    first = diagnosis.verdicts[0]
    assert (diagnosis.status, first.name, first.certainty, first.first_step) == ("sick", "no-gradient", "certain", 1)
    assert set(first.variables) == {v.name for v in watch.history.variables}
    (read,) = ww.read(tmp_path)  # written at once
    assert ww.diagnose(read) == diagnosis
    watch.close()
    assert [r.data["how"] for r in ww.read(tmp_path)[0].of_kind("end")] == ["exception"]
    assert_private(tmp_path)


def test_the_exception_object_is_unchanged(tmp_path: Path) -> None:
    """The hook passes on the same object, with its traceback, and keeps no reference to it."""
    model, optimizer = net(), Refuses(0.1)
    watch = quiet(tmp_path, model, optimizer)
    with pytest.raises(KeyError) as raised:
        optimizer.apply_gradients([(tf.zeros_like(v.value), v) for v in model.trainable_variables])
    assert raised.value is Refuses.error
    assert raised.traceback[-1].name == "apply"
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)
    del raised
    Refuses.error.__traceback__ = None
    gc.collect()
    assert not [r for r in gc.get_referrers(Refuses.error) if isinstance(r, dict) and "_recorder" in r]
    assert str(watch.diagnosis) == "Training stopped at step 1 with a KeyError."
    watch.close()
    assert_private(tmp_path)


def test_training_that_goes_on_after_an_exception(tmp_path: Path) -> None:
    """A program may catch the exception of a step and go on: then it did not end the training."""
    model, optimizer = net(), keras.optimizers.SGD(0.1)
    with quiet(tmp_path, model, optimizer) as watch:
        for step in range(1, 7):
            with tf.GradientTape() as tape:
                loss = loss_of(model)
            gradients = tape.gradient(loss, model.trainable_variables)
            if step == 3:
                gradients = [None] * len(gradients)
            try:
                optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            except ValueError:
                continue
            watch.step(loss)
    history = watch.history
    assert [r.data["how"] for r in history.of_kind("end")] == ["exception", "completed"]
    assert [v.name for v in watch.diagnosis.resolved] == ["no-gradient"]
    assert "no-gradient" not in [v.name for v in watch.diagnosis.verdicts]


def loop_with(watch: ww.Watch) -> None:
    watch.step(loss_of(net()))
    loss_of(net(), IDS + 1)


def closes_in_finally(logs: Path) -> None:
    watch = quiet(logs, variables=[tf.Variable(1.0)])
    try:
        loop_with(watch)
    finally:
        watch.close()


def closes_in_except(logs: Path) -> None:
    watch = quiet(logs, variables=[tf.Variable(1.0)])
    try:
        loop_with(watch)
    except tf.errors.OpError:
        watch.close()
        raise


def reads_in_except(logs: Path) -> None:
    watch = quiet(logs, variables=[tf.Variable(1.0)])
    try:
        loop_with(watch)
    except tf.errors.OpError:
        assert watch.diagnosis.status == "sick"
        raise


def in_a_with_block(logs: Path) -> None:
    with quiet(logs, variables=[tf.Variable(1.0)]) as watch:
        loop_with(watch)


@pytest.mark.parametrize("program", [closes_in_finally, closes_in_except, reads_in_except, in_a_with_block])
def test_labels_out_of_range_in_a_loop(program: Callable[[Path], None], tmp_path: Path) -> None:
    """However the Watch learns of the exception, its files say what it means."""
    with pytest.raises(tf.errors.InvalidArgumentError):
        program(tmp_path)
    (read,) = ww.read(tmp_path)
    expected = {"how": "exception", "detail": "InvalidArgumentError", "meaning": "label-out-of-range", "after": 1}
    assert [dict(record.data) for record in read.of_kind("end")] == [expected]
    verdicts = {v.name: v for v in ww.diagnose(read).verdicts}
    assert verdicts["label-problem"].certainty == "certain"
    assert "training stopped after step 1 with an InvalidArgumentError" in verdicts["label-problem"].message
    assert_private(tmp_path)


@pytest.mark.parametrize("error", [StopIteration, tf.errors.OutOfRangeError(None, None, "end")], ids=["python", "tf"])
def test_the_end_of_the_data_is_no_exception(error: Any, tmp_path: Path) -> None:
    """A loop that ends when the data end has completed."""
    watch = quiet(tmp_path, variables=[tf.Variable(1.0)])
    watch.step(1.0)
    try:
        raise error
    except (StopIteration, tf.errors.OutOfRangeError):
        watch.close()
    assert watch.history.ended is not None
    assert watch.history.ended.data == {"how": "completed", "detail": ""}


def test_training_inside_an_except_block(tmp_path: Path) -> None:
    """An exception that was being handled while steps were recorded did not end the training."""
    watch = quiet(tmp_path, variables=[tf.Variable(1.0)])
    try:
        raise MemoryError
    except MemoryError:
        watch.step(1.0)
        watch.close()
    assert watch.history.ended is not None
    assert watch.history.ended.data["how"] == "completed"


UNCAUGHT = """
import sys
import keras, numpy as np, tensorflow as tf
import tb_weightwatch as ww
watch = ww.Watch(sys.argv[1], verbose=False)
keras.losses.sparse_categorical_crossentropy(np.array([5]), tf.constant([[0.5, 0.5]]))
"""


def test_an_exception_that_nobody_catches(tmp_path: Path) -> None:
    """At the end of the interpreter its exception is recorded, and it is printed as without the Watch."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", UNCAUGHT, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root, env=dict(os.environ))
    assert done.returncode == 1
    assert "outside the valid range" in done.stderr
    (read,) = ww.read(tmp_path)
    diagnosis = ww.diagnose(read)
    assert (diagnosis.status, diagnosis.verdicts[0].name, diagnosis.rows) == ("sick", "label-problem", 0)
    assert_private(tmp_path)
