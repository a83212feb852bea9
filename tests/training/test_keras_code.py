"""Whether all code of a step is that of Keras: where it is not, or that cannot be told, the step is traced twice."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

import keras
import pytest
import tensorflow as tf

from tb_weightwatch.capture.fit.keras_code import is_keras_code

layers, losses, optimizers = keras.layers, keras.losses, keras.optimizers


class OwnLoss:
    """A loss that is a method."""

    def __call__(self, y: Any, p: Any) -> Any:
        return losses.mean_squared_error(y, p)


class OwnLayer(layers.Dense):
    """A layer of the user's, that is Keras' one."""


class OwnPolicy(keras.DTypePolicy):
    """Converts inputs in its own way."""


@functools.wraps(losses.mean_squared_error)
def wrapped(y: Any, p: Any) -> Any:
    return losses.mean_squared_error(y, p)


def squared(x: Any) -> Any:
    return x * x


# As of a Lambda that was loaded from a file: its globals are those of a module of Keras.
loaded = types.FunctionType(squared.__code__, vars(keras), "squared")


def compiled(layer: Any = None, *, change: Callable[[Any], None] | None = None, **settings: Any) -> Any:
    """Returns a compiled model with a layer, a function of the hidden tensor or a change of the hidden layer."""
    inputs = keras.Input((4,))
    hidden = layers.Dense(3, "tanh", name="hidden", kernel_regularizer="l2")
    x = hidden(inputs)
    model = keras.Model(inputs, layers.Dense(1)(x if layer is None else layer(x)))
    if change is not None:
        change(hidden)
    model.compile(**{"optimizer": "adam", "loss": "mse", "metrics": ["mae"], **settings})
    model.make_train_function()
    return model


def recurrent(x: Any) -> Any:
    return layers.LSTM(3, dropout=0.1)(layers.Reshape((3, 1))(x))


def cell(x: Any) -> Any:
    return layers.LSTMCell(3, dropout=0.1)(x, [x, x])[0]


def inside(x: Any) -> Any:
    inputs = keras.Input((3,))
    return keras.Model(inputs, cell(inputs))(x)


def inner() -> Any:
    inputs = keras.Input((3,))
    return keras.Function(inputs, OwnLayer(3)(inputs))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"layer": recurrent},
        {"layer": lambda x: layers.Activation("tanh", dtype="float64")(x) + layers.GaussianNoise(0.1)(x)},
        {"change": lambda hidden: setattr(hidden.kernel, "constraint", keras.constraints.MaxNorm(2))},
        {"loss": losses.Huber(), "optimizer": optimizers.SGD(optimizers.schedules.CosineDecay(0.1, 10))},
        {"loss": losses.mean_squared_error, "weighted_metrics": [keras.metrics.AUC(), keras.metrics.BinaryAccuracy]},
    ],
    ids=["plain", "recurrent", "layers", "constraint", "schedule", "metrics"],
)
def test_code_of_keras(settings: dict[str, Any]) -> None:
    """Layers, losses and metrics by name, by function, by class and by instance."""
    model = compiled(**settings)
    assert is_keras_code(model, [model.optimizer])


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": lambda y, p: losses.mean_squared_error(y, p)},  # noqa: PLW0108 - a function of the user's
        {"loss": wrapped},
        {"loss": OwnLoss().__call__},
        {"loss": tf.function(squared)},
        {"loss": functools.partial(losses.huber, delta=2.0)},
        {"loss": losses.MeanAbsoluteError.__call__.__get__(OwnLoss())},
        {"layer": OwnLayer(3)},
        {"layer": layers.Lambda(squared)},
        {"layer": layers.Lambda(loaded)},
        {"layer": layers.Lambda(inner())},
        {"layer": layers.Activation("tanh", dtype=OwnPolicy("float32"))},
        {"layer": lambda x: keras.ops.map(squared, x)},
        {"layer": cell},
        {"layer": inside},
        {"change": lambda hidden: setattr(hidden.kernel, "regularizer", OwnLoss())},
        {"change": lambda hidden: setattr(hidden, "parts", [{"part": squared}])},
        {"change": lambda hidden: setattr(hidden, "call", squared)},
        {"optimizer": optimizers.Adam(type("Rate", (optimizers.schedules.CosineDecay,), {})(0.1, 10))},
        {"metrics": [type("Own", (keras.metrics.Mean,), {})()]},
    ],
    ids=[
        "loss",
        "wrapped",
        "method",
        "traced",
        "partial",
        "bound",
        "layer",
        "Lambda",
        "loaded",
        "Function",
        "policy",
        "map",
        "cell",
        "inner cell",
        "regularizer",
        "part",
        "call",
        "schedule",
        "metric",
    ],
)
def test_code_of_the_users(settings: dict[str, Any]) -> None:
    """Wherever it is kept: in attributes, lists, closures, variables, or among the arguments of an operation."""
    model = compiled(**settings)
    assert not is_keras_code(model, [model.optimizer])


def test_methods_that_the_program_has_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are traced count, also on Keras' own classes; loggers of trainings replace `fit`."""
    model = compiled()
    monkeypatch.setattr(keras.Model, "fit", squared)
    assert is_keras_code(model, [model.optimizer])
    monkeypatch.setattr(layers.Dense, "call", squared)
    assert not is_keras_code(model, [model.optimizer])


def test_models_of_ones_own() -> None:
    """A subclass may do anything in its step, and what is no model is of nobody."""

    class Own(keras.Sequential):
        pass

    model = Own([keras.Input((4,)), layers.Dense(1)])
    model.compile("adam", "mse")
    model.make_train_function()
    assert not is_keras_code(model, [model.optimizer])
    assert not is_keras_code(None, [])
