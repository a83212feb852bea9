"""Variables of optimizer and metrics are made outside of the graph, so that the first step is traced once."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch.capture.fit.lifted_variables import LiftedVariables
from tests.support import loops

BATCH, STEPS = 8, 6
X, Y = (part[: BATCH * STEPS] for part in loops.diabetes())
layers, optimizers = keras.layers, keras.optimizers


class Trained:
    """A model with two outputs, after a training.

    Attributes:
        tracings: how often its loss was traced.
        state: all variables of model, optimizer and metrics, byte for byte.
    """

    def __init__(self, optimizer: Any, callbacks: list[Any], **settings: Any) -> None:
        self.tracings = 0
        keras.utils.set_random_seed(3)
        inputs = keras.Input((10,))
        hidden = layers.Dropout(0.2)(layers.Dense(4, "relu")(inputs))
        self.model = keras.Model(inputs, {name: layers.Dense(1, name=name)(hidden) for name in ("a", "b")})
        loss = {"a": self._loss, "b": "mae"}
        settings = {"metrics": {"a": ["mae"], "b": [keras.metrics.MeanSquaredError()]}, **settings}
        self.model.compile(optimizer, loss, loss_weights={"a": 1.0, "b": 0.5}, **settings)
        self.model.fit(X, {"a": Y, "b": Y}, batch_size=BATCH, shuffle=False, verbose=0, callbacks=callbacks)
        variables = (*self.model.variables, *self.model.optimizer.variables, *self.model.metrics_variables)
        self.state = {v.path: v.numpy().tobytes() for v in variables}

    def _loss(self, y: Any, p: Any) -> Any:
        self.tracings += 1
        return tf.reduce_mean(tf.square(p - y))


def recorder(folder: Path) -> Any:
    """Returns one that records all steps, so that the user's own function is not traced."""
    return ww.WeightWatch(folder, verbose=False, overhead=None)


@pytest.mark.parametrize(
    ("optimizer", "settings", "tracings"),
    [
        (lambda: optimizers.Adam(0.01), {}, 1),
        (lambda: optimizers.SGD(0.01, momentum=0.9, use_ema=True), {"jit_compile": True}, 1),
        (lambda: optimizers.Lamb(0.01, gradient_accumulation_steps=2), {"weighted_metrics": {"a": ["mse"]}}, 1),
        (lambda: optimizers.LossScaleOptimizer(optimizers.Adam(0.01)), {}, 2),  # its scale is known once it is built
        (lambda: optimizers.Adafactor(0.01), {}, 2),  # both add operations to the graph when they are built
        (lambda: optimizers.ScheduleFreeAdamW(0.01), {}, 2),
    ],
    ids=["adam", "ema, XLA", "accumulation", "loss scaling", "adafactor", "schedule-free"],
)
def test_training_is_the_same_and_the_step_is_traced_once(
    optimizer: Callable[[], Any], settings: dict[str, Any], tracings: int, tmp_path: Path
) -> None:
    """Values and names of all variables are those of a plain training, which traces its step twice."""
    plain, recorded = (Trained(optimizer(), callbacks, **settings) for callbacks in ([], [recorder(tmp_path)]))
    assert (plain.tracings, recorded.tracings) == (2, tracings)
    assert list(recorded.state.values()) == list(plain.state.values())
    for owner in (recorded.model.optimizer, recorded.model._compile_loss, recorded.model._compile_metrics):
        assert "build" not in owner.__dict__


def test_an_optimizer_of_ones_own_builds_itself_in_the_graph(tmp_path: Path) -> None:
    """What its method does is not known, so the step is traced as often as without the recorder."""

    class Own(optimizers.SGD):
        def build(self, variables: Any) -> None:
            super().build(variables)

    assert Trained(Own(0.01, momentum=0.9), [recorder(tmp_path)], metrics=[]).tracings == 2


def test_an_optimizer_that_is_built_already_changes_nothing(tmp_path: Path) -> None:
    """A second training of the model traces its step once, with or without the recorder, and nothing is saved."""
    trained = Trained(optimizers.Adam(0.01), [])
    watch = recorder(tmp_path)
    trained.model.fit(X, {"a": Y, "b": Y}, batch_size=BATCH, verbose=0, callbacks=[watch])
    assert trained.tracings == 3
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

    build.__module__ = "keras.optimizers"


@pytest.mark.parametrize(("of_graph", "lifted", "tracings"), [(False, 1, 1), (True, 0, 2)])
def test_a_variable_that_cannot_be_lifted_is_made_in_the_graph(of_graph: bool, lifted: int, tracings: int) -> None:
    """TensorFlow traces the function again, as it would have done."""
    builder, errors, traced = Builder(of_graph), [], []
    variables = LiftedVariables(errors.append)

    @tf.function(autograph=False)
    def step() -> Any:
        traced.append(1)
        builder.build()
        return builder.variable + 1.0

    model = type("Model", (), {"_compile_loss": builder})()
    with variables.lifted(model, []):
        assert float(step()) == 4.0
    assert float(step()) == 4.0
    assert (variables.count, len(traced), errors) == (lifted, tracings, [])


def test_a_fault_leaves_the_training_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recorder switches itself off, and the variables are made in the graph."""
    monkeypatch.delenv("TB_WEIGHTWATCH_STRICT", raising=False)

    def fault(self: Any) -> None:
        raise ZeroDivisionError("injected")

    plain = Trained(optimizers.Adam(0.01), [])
    for method in ("begin_build", "end_build"):
        with monkeypatch.context() as patch, contextlib.ExitStack() as told:
            patch.setattr(LiftedVariables, method, fault)
            told.enter_context(pytest.warns(match="injected"))
            warnings.simplefilter("always")
            watch = recorder(tmp_path / method)
            recorded = Trained(optimizers.Adam(0.01), [watch])
        assert list(recorded.state.values()) == list(plain.state.values())
        assert watch._recorder.off
