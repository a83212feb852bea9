"""`ww.assert_learns`: passes for a model that learns, and says why another does not."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww

from .programs import L, X, Y

KINDS = np.digitize(Y[:, 0], (-0.8, 0.8))


def _net(units: int = 1, last: str | None = None, **options: Any) -> Any:
    keras.utils.set_random_seed(4)
    return keras.Sequential([keras.Input((6,)), L.Dense(16, "relu", **options), L.Dense(units, last)])


def _compiled(model: Any, optimizer: Any, loss: str) -> Any:
    model.compile(optimizer, loss)
    return model


@tf.custom_gradient
def _square(z: Any) -> Any:
    return z * z, lambda upstream: -upstream * 2 * z  # wrong sign


def _wrong_gradient() -> Any:
    inputs = keras.Input((6,))
    return keras.Model(inputs, L.Dense(1)(L.Lambda(_square)(L.Dense(8)(inputs))))


def test_a_model_that_learns_passes_and_is_as_before() -> None:
    """A regression, a classification, and a model that is trained by hand."""
    model = _compiled(_net(), keras.optimizers.Adam(1e-2), "mse")
    before = [np.asarray(v) for v in model.variables]
    ww.assert_learns(model, X, Y)
    assert all((np.asarray(v) == old).all() for v, old in zip(model.variables, before, strict=True))
    ww.assert_learns(_compiled(_net(3, "softmax"), "adam", "sparse_categorical_crossentropy"), X, KINDS)
    ww.assert_learns(_net(), X, Y, loss="mse", optimizer=keras.optimizers.SGD(0.05))


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (lambda: _compiled(_net(), keras.optimizers.Adam(1e-10), "mse"), "learning-rate-too-small"),
        (lambda: _compiled(_wrong_gradient(), keras.optimizers.SGD(0.01), "mse"), "wrong-gradient"),
        (lambda: _compiled(_net(trainable=False), keras.optimizers.SGD(0.0), "mse"), "The learning rate is exactly 0"),
        (
            lambda: _compiled(_net(bias_initializer=keras.initializers.Constant(-90.0)), "adam", "mse"),
            "The ReLU layer is dead",
        ),
    ],
)
def test_the_error_reads_like_a_diagnosis(model: Any, expected: str) -> None:
    """It names the cause, with the numbers and the fix."""
    with pytest.raises(AssertionError) as error:
        ww.assert_learns(model(), X, Y)
    assert expected in str(error.value), str(error.value)
    assert "fix:" in str(error.value)


def test_what_cannot_be_checked_is_said() -> None:
    """A budget that is spent before the first round, and a model that is not built."""
    model = _compiled(_net(), "adam", "mse")
    with pytest.raises(RuntimeError, match="could not be checked: the budget of 3 steps is spent"):
        ww.assert_learns(model, X, Y, steps=3)
    with pytest.raises(ValueError, match="must be built"):
        ww.assert_learns(keras.Sequential([L.Dense(1)]), X, Y)
