"""The equation of one update, on recorded trainings: its numbers multiply to the update that was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import tb_weightwatch as ww
from tb_weightwatch.answers.equation import equation, step_numbers
from tb_weightwatch.history import History


def recorded(folder: Path, optimizer: Any) -> History:
    """Returns what was recorded of a short training of a small network."""
    keras.utils.set_random_seed(1)
    x = np.random.default_rng(0).normal(size=(96, 4)).astype("float32")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    watch = ww.WeightWatch(str(folder), verbose=False, overhead=None)
    model.fit(x, x[:, :1] - x[:, 1:2], batch_size=32, epochs=4, verbose=0, callbacks=[watch])
    return watch.history


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.SGD(0.05),
        lambda: keras.optimizers.SGD(0.05, clipnorm=0.1),
        lambda: keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.05, 2, 0.5)),
        lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05)),
    ],
    ids=["plain", "clipped", "schedule", "loss scale"],
)
def test_learning_rate_times_gradient_is_the_measured_update(tmp_path: Path, optimizer: Any) -> None:
    """Plain SGD, with the gradient as the optimizer uses it and the learning rate of that step."""
    history = recorded(tmp_path, optimizer())
    answer, numbers = equation(history, ()), step_numbers(history)
    assert answer["words"] == "new weight equals old weight minus learning rate times gradient"
    assert numbers.rate and numbers.gradient
    assert numbers.update == pytest.approx(numbers.rate * numbers.gradient, rel=0.01)
    assert answer["note"] == ""


def test_a_rule_of_the_program_is_no_product(tmp_path: Path) -> None:
    """A subclass that defines its own update is not shown as the class that it inherits from."""

    class Halved(keras.optimizers.SGD):
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            super().update_step(gradient, variable, learning_rate / 2)

    answer = equation(recorded(tmp_path, Halved(0.05)), ())
    assert [term["symbol"] for term in answer["update"]] == ["update"]
    assert answer["note"] == "The program defines the update rule of Halved itself."
