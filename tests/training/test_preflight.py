"""`ww.preflight`: the rules report causes before the first step, and nothing is left changed."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch.verdict import Diagnosis, Verdict

layers = keras.layers
RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 8)).astype("float32")
IDS = RNG.integers(0, 3, 96)
SPARSE = "sparse_categorical_crossentropy"


class Bare(layers.Layer):  # type: ignore[misc]
    """Holds a weight that Keras does not track."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = tf.Variable(tf.ones((8, 8)))

    def call(self, x: Any) -> Any:
        return x @ self.scale


def net(units: int = 3, activation: str | None = "softmax", hidden: str = "relu", init: str = "glorot_uniform") -> Any:
    """A small classifier, not compiled."""
    stack = [layers.Dense(8, hidden, kernel_initializer=init), layers.Dense(8, hidden, kernel_initializer=init)]
    return keras.Sequential([keras.Input((8,)), *stack, layers.Dense(units, activation)])


def compiled(model: Any, loss: Any = SPARSE, optimizer: Any = "adam") -> Any:
    """The model, compiled."""
    model.compile(optimizer, loss)
    return model


def frozen() -> Any:
    """A classifier with all layers frozen."""
    model = net()
    model.trainable = False
    return compiled(model)


def thawed_too_late() -> Any:
    """A layer that is set trainable after the optimizer has been built for the others."""
    model = net()
    model.layers[0].trainable = False
    compiled(model).optimizer.build(model.trainable_variables)
    model.layers[0].trainable = True
    return model


def cut() -> Any:
    """A classifier whose gradient is stopped behind the first layer."""
    return compiled(keras.Sequential([keras.Input((8,)), layers.Dense(4), layers.Lambda(tf.stop_gradient),
                                      layers.Dense(3, "softmax")]))  # fmt: skip


class Case:
    """A program that is sick before its first step; `at_once`: a recording of its first step has the same verdict."""

    def __init__(self, name: str, make: Callable[[], Any], x: Any = X, y: Any = IDS, *, at_once: bool = True) -> None:
        self.name, self.make, self.x, self.y, self.at_once = name, make, x, y, at_once


HALVES = (IDS > 0).astype("float32")
SICK = {
    "softmax on one unit": Case("loss-activation-mismatch", lambda: compiled(net(1), "binary_crossentropy"), y=HALVES),
    "softmax twice": Case("loss-activation-mismatch",
                          lambda: compiled(net(), keras.losses.SparseCategoricalCrossentropy(from_logits=True))),
    "raw outputs": Case("loss-activation-mismatch", lambda: compiled(net(3, None))),
    "class ids from 1": Case("label-problem", lambda: compiled(net()), y=IDS + 1, at_once=False),
    "too few units": Case("label-problem", lambda: compiled(net(2)), at_once=False),
    "three classes for a sigmoid": Case("label-problem", lambda: compiled(net(1, "sigmoid"), "binary_crossentropy"),
                                        y=IDS.astype("float32")),
    "one-hot rows for ids": Case("label-problem", lambda: compiled(net()), y=np.eye(3)[IDS], at_once=False),
    "ids for one-hot rows": Case("label-problem", lambda: compiled(net(), "categorical_crossentropy"), at_once=False),
    "numbers with a cross-entropy": Case("wrong-loss", lambda: compiled(net(1, "sigmoid"), "binary_crossentropy"),
                                         y=X[:, 0] * 9),
    "learning rate 0": Case("learning-rate-zero", lambda: compiled(net(), optimizer=keras.optimizers.Adam(0.0)),
                            at_once=False),
    "negative learning rate": Case("optimizer-misconfigured",
                                   lambda: compiled(net(), optimizer=keras.optimizers.SGD(-0.1))),
    "everything frozen": Case("frozen-weights", frozen),
    "thawed after compile": Case("updates-not-applied", thawed_too_late, at_once=False),
    "untracked variable": Case("untracked-variable", lambda: compiled(keras.Sequential([keras.Input((8,)), Bare(),
                               layers.Dense(3, "softmax")]))),
    "stopped gradient": Case("no-gradient", cut, at_once=False),
    "kernels of zeros": Case("poor-initialization", lambda: compiled(net(init="zeros")), at_once=False),
    "NaN in the inputs": Case("nonfinite-input", lambda: compiled(net(hidden="tanh")), np.where(X > 2, np.nan, X)),
    "inputs in their own units": Case("unscaled-input", lambda: compiled(net()), X * 500 + 200, at_once=False),
    "inputs all the same": Case("constant-data", lambda: compiled(net()), 0 * X + 3, at_once=False),
    "saturated from the start": Case("unscaled-input", lambda: compiled(net(hidden="tanh")), X * 1000, at_once=False),
}  # fmt: skip


def first(diagnosis: Diagnosis) -> Verdict:
    """The first verdict."""
    assert diagnosis.verdicts, diagnosis.sentence
    return diagnosis.verdicts[0]


@pytest.mark.filterwarnings("ignore")  # Keras warns of some of these programs as well
@pytest.mark.parametrize("kind", SICK)
def test_the_cause_is_reported_before_the_first_step(kind: str) -> None:
    """The rule that would fire in training fires before it, with step 0 and a fix."""
    case = SICK[kind]
    diagnosis = ww.preflight(case.make(), case.x, case.y)
    verdict = first(diagnosis)
    assert diagnosis.status == "sick" and diagnosis.step == 0
    assert verdict.name == case.name, [str(v) for v in diagnosis.verdicts]
    assert verdict.first_step == verdict.last_step == 0 and not verdict.resolved
    assert verdict.fix and "step 1" not in verdict.message and "8 steps" not in verdict.message


@pytest.mark.filterwarnings("ignore")  # Keras warns of some of these programs as well
@pytest.mark.parametrize("kind", [kind for kind, case in SICK.items() if case.at_once])
def test_a_cause_in_the_structure_is_reported_at_the_first_step(kind: str, tmp_path: Path) -> None:
    """A recording of one step has the same first verdict."""
    case = SICK[kind]
    model, watch = case.make(), ww.WeightWatch(tmp_path, verbose=False)
    model.run_eagerly = True  # one step is not worth a trace
    model.fit(case.x[:32], case.y[:32], batch_size=32, verbose=0, callbacks=[watch])
    assert len(watch.history) == 1
    verdict = first(watch.diagnosis)
    assert verdict.name == case.name and verdict.first_step == 1, [str(v) for v in watch.diagnosis.verdicts]


def regression() -> tuple[Any, Any, Any]:
    """Numbers, standardised."""
    return compiled(net(1, None), "mse", "sgd"), X, X[:, 0] * 2


def pictures() -> tuple[Any, Any, Any]:
    """A convolution with BatchNormalization and dropout."""
    stack = [layers.Rescaling(1 / 255), layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization(),
             layers.Dropout(0.5), layers.GlobalAveragePooling2D(), layers.Dense(3, "softmax")]  # fmt: skip
    return compiled(keras.Sequential([keras.Input((8, 8, 1)), *stack])), RNG.integers(0, 255, (40, 8, 8, 1)), IDS[:40]


def words() -> tuple[Any, Any, Any]:
    """Token ids through an embedding and an LSTM, to logits."""
    model = keras.Sequential(
        [keras.Input((6,), dtype="int32"), layers.Embedding(20, 4), layers.LSTM(4), layers.Dense(1)]
    )
    return compiled(model, keras.losses.BinaryCrossentropy(from_logits=True)), RNG.integers(0, 20, (40, 6)), HALVES[:40]


def several() -> tuple[Any, Any, Any]:
    """Two inputs by name, two outputs with a loss each, regularised."""
    a, b = keras.Input((8,), name="a"), keras.Input((2,), name="b")
    inner = layers.Dense(6, "gelu", kernel_regularizer="l2")(layers.Concatenate()([a, b]))
    model = keras.Model([a, b], [layers.Dense(3, "softmax", name="kind")(inner), layers.Dense(1, name="size")(inner)])
    return compiled(model, [SPARSE, "mse"]), {"a": X, "b": X[:, :2]}, (IDS, X[:, :1])


def warming_up() -> tuple[Any, Any, Any]:
    """A learning rate that begins at 0 and rises."""
    schedule = keras.optimizers.schedules.CosineDecay(0.0, 100, warmup_target=1e-3, warmup_steps=1000)
    return compiled(net(), optimizer=keras.optimizers.Adam(schedule)), X, IDS


def dataset() -> tuple[Any, Any, Any]:
    """Batches of a `tf.data.Dataset`."""
    return compiled(net()), tf.data.Dataset.from_tensor_slices((X, IDS)).batch(16), None


def single() -> tuple[Any, Any, Any]:
    """One sample is a batch too."""
    return compiled(net()), X[:1], IDS[:1]


@pytest.mark.filterwarnings("ignore:The structure of `inputs`")  # Keras 3.6, where inputs have names
@pytest.mark.parametrize("make", [regression, pictures, words, several, warming_up, dataset, single])
def test_healthy_programs_have_no_verdict(make: Callable[[], Any]) -> None:
    """A healthy program has no verdict, and its status is undecided, since only steps show whether it learns."""
    keras.utils.set_random_seed(1)
    diagnosis = ww.preflight(*make())
    assert not diagnosis.verdicts and diagnosis.status == "undecided"
    assert diagnosis.sentence.startswith("No problems found so far")
    assert "loss-activation-mismatch" in diagnosis.passed


def test_the_loss_and_optimizer_of_a_loop() -> None:
    """In a loop, an optimizer built for another model is reported with code for loops; the model's own one passes."""
    model, optimizer = net(), keras.optimizers.SGD(1e-2)
    optimizer.build(net().trainable_variables)
    verdict = first(ww.preflight(model, X, IDS, loss=SPARSE, optimizer=optimizer))
    assert verdict.name == "updates-not-applied" and "apply_gradients" in verdict.fix and len(verdict.variables) == 6
    own = keras.optimizers.SGD(1e-2)
    own.build(model.trainable_variables)
    assert not ww.preflight(model, X, IDS, loss=keras.losses.SparseCategoricalCrossentropy(), optimizer=own).verdicts
    assert not ww.preflight(model, X).verdicts  # without a loss: what the rest tells


def test_rules_can_be_muted() -> None:
    """`rules` mutes a rule, and a misspelt name is an error with a suggestion."""
    model = compiled(net(), optimizer=keras.optimizers.SGD(-0.1))
    assert not ww.preflight(model, X, IDS, rules={"optimizer-misconfigured": False}).verdicts
    with pytest.raises(ValueError, match="did you mean 'dead-relu'"):
        ww.preflight(model, X, IDS, rules={"dead-rely": False})


def trained(examine: bool) -> tuple[list[Any], list[Any]]:
    """Returns a model's weights after two epochs, and the random states before; `examine`: with a preflight before."""
    keras.utils.set_random_seed(7)
    stack = [layers.Dense(8, "relu"), layers.BatchNormalization(), layers.Dropout(0.5), layers.GaussianNoise(0.1)]
    model = compiled(keras.Sequential([keras.Input((8,)), *stack, layers.Dense(3, "softmax")]))
    before = [v.numpy() for v in model.variables]
    states: list[Any] = [random.getstate(), str(np.random.get_state())]
    if examine:
        ww.preflight(model, X, IDS)
        assert all(np.array_equal(a, b.numpy()) for a, b in zip(before, model.variables, strict=True))
        assert not model.optimizer.built and int(model.optimizer.iterations.numpy()) == 0
        assert not [layer for layer in model.layers if "call" in vars(layer)], "a hook was left"
        assert [random.getstate(), str(np.random.get_state())] == states
    model.fit(X, IDS, epochs=2, verbose=0)
    return [v.numpy() for v in model.variables], states


def test_no_trace_is_left() -> None:
    """Weights, statistics, the optimizer and all later random numbers are the same with and without preflight."""
    plain, examined = trained(False), trained(True)
    assert plain[1] == examined[1]
    assert all(np.array_equal(a, b) for a, b in zip(plain[0], examined[0], strict=True))


def test_a_recording_includes_the_result(tmp_path: Path) -> None:
    """A recording of the model has one record of the result, in `fit` and in loops, live and read from the files."""
    model = compiled(net())
    diagnosis = ww.preflight(model, X, IDS + 1)
    watch = ww.WeightWatch(tmp_path / "fit", verbose=False)
    for _ in range(2):
        model.fit(X, IDS, verbose=0, callbacks=[watch])
    with ww.Watch(tmp_path / "loop", model=model, verbose=False) as loop:
        pass
    for history in (watch.history, loop.history, ww.read(tmp_path / "fit")[0]):
        (record,) = history.of_kind("preflight")
        assert record.step == 0 and record.data["status"] == "sick" and record.data["sentence"] == diagnosis.sentence
        assert [v["name"] for v in record.data["verdicts"]] == ["label-problem"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ww.preflight("model", X, IDS), TypeError, "must be a keras.Model, got the string"),
        (lambda: ww.preflight(keras.Sequential([layers.Dense(3)]), X, IDS), ValueError, r"model\.build\(input_shape\)"),
        (lambda: ww.preflight(compiled(net()), X[:, :3], IDS), ValueError, "inputs of shape .*, 3"),
        (
            lambda: ww.preflight(compiled(net()), X, IDS[:7]),
            ValueError,
            r"same number of samples, got lengths \[96, 7\]",
        ),
        (lambda: ww.preflight(compiled(net()), X[:0], IDS[:0]), ValueError, "same number of samples"),
        (lambda: ww.preflight(net(), X, IDS, loss=lambda y, p: p[:, 9]), ValueError, "the loss must take"),
    ],
)
def test_errors_name_the_argument(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    """An error states what was expected and what was received."""
    with pytest.raises(error, match=message):
        call()
