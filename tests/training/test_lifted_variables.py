"""Variables of optimizer and metrics are made outside of the graph, so that the first step is traced once."""

from __future__ import annotations

import importlib
import random
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch.capture.fit import lifted_variables
from tb_weightwatch.capture.fit.lifted_variables import LiftedVariables
from tests.support import loops

BATCH, STEPS = 8, 6
X, Y = (part[: BATCH * STEPS] for part in loops.diabetes())
layers, losses, optimizers = keras.layers, keras.losses, keras.optimizers


def adam() -> Any:
    return optimizers.Adam(0.01)


def trained(
    optimizer: Any, callbacks: list[Any], layer: Callable[[], Any] | None = None, **settings: Any
) -> keras.Model:
    """Trains a model with two outputs, whose names are the same each time."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((10,))
    hidden = layers.Dropout(0.2)(layers.Dense(4, "relu", name="hidden")(inputs))
    hidden = hidden if layer is None else layer()(hidden)
    model = keras.Model(inputs, {name: layers.Dense(1, name=name)(hidden) for name in ("a", "b")})
    settings = {"metrics": {"a": ["accuracy"], "b": [keras.metrics.RootMeanSquaredError()]}, **settings}
    model.compile(optimizer, **{"loss": {"a": "mse", "b": "binary_crossentropy"}, **settings})
    fitted(model, callbacks)
    return model


def fitted(model: keras.Model, callbacks: list[Any]) -> None:
    model.fit(X, {"a": Y, "b": Y}, batch_size=BATCH, shuffle=False, verbose=0, callbacks=callbacks)


def state(model: keras.Model) -> list[bytes]:
    """Returns all variables of model, optimizer and metrics, byte for byte."""
    return [v.numpy().tobytes() for v in (*model.variables, *model.optimizer.variables, *model.metrics_variables)]


def recorder(folder: Path) -> Any:
    """Returns one that records all steps, so that the user's own function is not traced."""
    return ww.WeightWatch(folder, verbose=False, overhead=None)


class Tracings:
    """Counts in how many graphs losses are traced; `draws`: each of them draws a random number, and multiplies by it.

    A function that it calls is replaced for that: methods of Keras that are replaced are no code of Keras.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        module = importlib.import_module(losses.mean_squared_error.__module__)
        self.draws, convert = "", module.squeeze_or_expand_to_same_rank
        self._graphs: list[Any] = []

        def counted(y: Any, p: Any, *settings: Any, **named: Any) -> Any:
            if not any(graph is y.graph for graph in self._graphs):
                self._graphs.append(y.graph)
            y, p = convert(y, p, *settings, **named)
            drawn = {"python": random.random, "numpy": np.random.random_sample}.get(self.draws, lambda: 1.0)()
            return y, p * drawn

        monkeypatch.setattr(module, "squeeze_or_expand_to_same_rank", counted)

    @property
    def count(self) -> int:
        """In how many graphs, in all."""
        return len(self._graphs)

    def compare(self, folder: Path, make: Callable[[], Any], **settings: Any) -> tuple[int, keras.Model, Any]:
        """Trains without the recorder, which is traced twice, and with it, which gives the same values.

        Returns:
            How often the step was traced with the recorder, that model and the recorder.
        """
        before = self.count
        plain = trained(make(), [], **settings)
        drawn, middle = random.getstate(), self.count
        watch = recorder(folder)
        recorded = trained(make(), [watch], **settings)
        assert middle - before == 2
        assert state(recorded) == state(plain)
        assert random.getstate() == drawn
        assert len(watch.history) == STEPS
        return self.count - middle, recorded, watch


@pytest.fixture
def tracings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tracings]:
    before = random.getstate()
    yield Tracings(monkeypatch)
    random.setstate(before)


@pytest.mark.parametrize(
    ("optimizer", "settings", "expected"),
    [
        (adam, {}, 1),
        (lambda: optimizers.SGD(0.01, momentum=0.9, use_ema=True), {"jit_compile": True}, 1),
        (lambda: optimizers.Lamb(0.01, gradient_accumulation_steps=2), {"weighted_metrics": {"a": ["accuracy"]}}, 1),
        (lambda: optimizers.LossScaleOptimizer(adam()), {}, 2),  # its scale is known once it is built
        (lambda: optimizers.Adafactor(0.01), {}, 2),  # both add operations to the graph when they are built
        (lambda: optimizers.ScheduleFreeAdamW(0.01), {}, 2),
    ],
    ids=["adam", "ema, XLA", "accumulation", "loss scaling", "adafactor", "schedule-free"],
)
def test_training_is_the_same_and_the_step_is_traced_once(
    optimizer: Callable[[], Any], settings: dict[str, Any], expected: int, tmp_path: Path, tracings: Tracings
) -> None:
    """Nothing is left on the user's objects, and what was saved is known."""
    count, recorded, watch = tracings.compare(tmp_path, optimizer, **settings)
    assert count == expected
    assert (watch._gate.budget.saved > 0) == (expected == 1)
    for owner in (recorded.optimizer, recorded._compile_loss, recorded._compile_metrics):
        assert not hasattr(owner.__dict__.get("build"), "_weightwatch")


@pytest.mark.parametrize("generator", ["python", "numpy"])
def test_random_numbers_that_are_drawn_while_tracing(generator: str, tmp_path: Path, tracings: Tracings) -> None:
    """The second graph holds other ones than the first, so the step is traced twice; Keras' AugMix draws some."""
    tracings.draws = generator
    assert tracings.compare(tmp_path, adam)[0] == 2


class OneShot(layers.Layer):
    """Assigns a scale that depends on the data when it is first called in training."""

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(), initializer="ones", trainable=False)
        self.done = False

    def call(self, x: Any, training: bool = False) -> Any:
        if training and not self.done:
            self.done = True
            self.scale.assign(tf.math.reduce_std(x) + 0.1)
        return x * self.scale


class RandomStart(keras.metrics.Metric):
    """Begins with a random number of TensorFlow's global generator."""

    def __init__(self, name: str = "start") -> None:
        super().__init__(name=name)
        self.start = self.add_variable((), lambda shape, dtype=None: tf.random.normal(shape, dtype=dtype), name="start")

    def update_state(self, *given: Any, **named: Any) -> None:
        pass

    def result(self) -> Any:
        return self.start


class OwnSlots(optimizers.SGD):
    """Has slots of its own making, by Keras' method `build`."""

    def add_variable_from_reference(self, reference: Any, name: Any = None, initializer: Any = "zeros") -> Any:
        return super().add_variable_from_reference(reference, name, "ones")


class OwnRate(optimizers.schedules.ExponentialDecay):
    """A schedule of the user's."""


def absolute(y: Any, p: Any) -> Any:
    return tf.reduce_mean(tf.abs(y - p))


@pytest.mark.parametrize(
    ("optimizer", "settings"),
    [
        (adam, {"layer": OneShot}),
        (adam, {"layer": lambda: layers.Dense(4, activation=lambda x: x)}),
        (adam, {"loss": {"a": "mse", "b": absolute}}),
        (adam, {"metrics": {"a": [RandomStart]}}),
        (lambda: OwnSlots(0.01, momentum=0.9), {}),
        (lambda: optimizers.Adam(OwnRate(0.01, 9, 0.9)), {}),
    ],
    ids=["layer", "activation", "loss", "metric", "optimizer", "schedule"],
)
def test_code_of_the_users_is_traced_as_often_as_without_the_recorder(
    optimizer: Callable[[], Any], settings: dict[str, Any], tmp_path: Path, tracings: Tracings
) -> None:
    """It may keep values while it is traced, or draw random numbers while variables are made."""
    assert tracings.compare(tmp_path, optimizer, **settings)[0] == 2


def test_a_creator_of_the_users_sees_what_it_sees_without_the_recorder(tmp_path: Path, tracings: Tracings) -> None:
    """Each variable is made in the graph, and no other ones are."""
    seen: list[tuple[Any, bool]] = []

    def creator(next_creator: Any, **arguments: Any) -> Any:
        seen.append((arguments["name"], tf.executing_eagerly()))
        return next_creator(**arguments)

    with tf.variable_creator_scope(creator):
        assert tracings.compare(tmp_path, lambda: optimizers.SGD(0.01, momentum=0.9))[0] == 2
    half = len(seen) // 2
    assert seen[:half] == seen[half:]


def test_what_several_optimizers_do_is_recorded_from_the_first_step_on(tmp_path: Path) -> None:
    """They are known once the one around them is built: gradients are those that were clipped."""

    def several() -> Any:
        one = optimizers.SGD(0.01, clipnorm=0.1)
        return optimizers.MultiOptimizer(lambda variable: one)

    watch = recorder(tmp_path)
    trained(several(), [watch])
    assert (watch.history.column("gradient_norm") < 0.11).all()
    assert watch.history.column("learning_rate") == pytest.approx(0.01)


def test_an_optimizer_that_is_built_already_changes_nothing(tmp_path: Path, tracings: Tracings) -> None:
    """A second training of the model traces its step once, with or without the recorder, and nothing is saved."""
    model = trained(adam(), [])
    watch = recorder(tmp_path)
    fitted(model, [watch])
    assert tracings.count == 3
    assert watch._gate.budget.saved == 0


class Builder:
    """Makes a variable when it is built, as an optimizer does; `of_graph`: from a tensor of the graph."""

    built = False

    def __init__(self, of_graph: bool) -> None:
        self._of_graph = of_graph

    def build(self) -> None:
        if self.built:
            return
        self.built = True
        value = tf.constant(2.0) + 1.0 if self._of_graph else 3.0
        self.variable = tf.Variable(lambda: value, trainable=False)


@pytest.mark.parametrize(("of_graph", "lifted", "expected"), [(False, 1, 1), (True, 0, 2)])
def test_a_variable_that_cannot_be_lifted_is_made_in_the_graph(
    of_graph: bool, lifted: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorFlow traces the function again, as it would have done."""
    monkeypatch.setattr(lifted_variables, "is_keras_code", lambda model, optimizers: True)
    builder, errors, counted = Builder(of_graph), list[Exception](), list[int]()
    variables = LiftedVariables(errors.append)

    @tf.function(autograph=False)
    def step() -> Any:
        counted.append(1)
        builder.build()
        variables.end_step()
        return builder.variable + 1.0

    with variables.lifted(type("Model", (), {"_compile_loss": builder})(), []):
        assert float(step()) == 4.0
    assert float(step()) == 4.0
    assert (variables.count, len(counted), errors) == (lifted, expected, [])


@pytest.mark.parametrize("method", ["begin_build", "_made_outside", "end_build", "end_step"])
def test_a_fault_leaves_the_training_as_it_is(method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recorder switches itself off, and all variables are those of a plain training."""
    monkeypatch.delenv("TB_WEIGHTWATCH_STRICT", raising=False)

    def fault(*given: Any) -> None:
        raise ZeroDivisionError("injected")

    plain, watch = trained(adam(), []), recorder(tmp_path)
    monkeypatch.setattr(LiftedVariables, method, fault)
    with pytest.warns(match="injected"), warnings.catch_warnings():
        warnings.simplefilter("always")
        recorded = trained(adam(), [watch])
    assert state(recorded) == state(plain)
    assert watch._recorder.off
