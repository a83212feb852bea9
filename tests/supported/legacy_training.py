"""Trains models of legacy Keras, `tf_keras`, under an independent observer."""

from __future__ import annotations

import contextlib
import functools
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

import tb_weightwatch as ww

from .case import Seen, Step
from .observe import BATCH, compiled_loss, diabetes, part, replay, weights

Make = Callable[[], Any]


@functools.cache
def legacy() -> Any:
    """The package, which takes a second to import: when the first case runs."""
    return importlib.import_module("tf_keras")


def model(*parts: Any, **options: Any) -> Any:
    """Returns a compiled model of these layers; else of a hidden and an output layer."""
    layers = legacy().layers
    parts = parts or (layers.Dense(8, activation="tanh"), layers.Dense(1))
    made = legacy().Sequential([legacy().Input((10,)), *parts])
    made.compile(**{"optimizer": legacy().optimizers.SGD(0.05), "loss": "mse", **options})
    return made


def spy() -> Any:
    """Returns a callback that copies the trained weights between steps."""

    class Spy(legacy().callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.steps: list[Step] = []
            self.before: dict[str, Any] = {}

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.before = weights(self.model.trainable_variables)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.steps.append(Step(self.before, weights(self.model.trainable_variables)))

    return Spy()


def fitted(
    logs: Path,
    make: Make,
    *,
    epochs: int = 1,
    data: Any = None,
    strategy: Any = None,
    gradients: bool = True,
    **fit: Any,
) -> Seen:
    """Trains under the callback and the spy, as `observed` does with Keras 3."""
    legacy().utils.set_random_seed(3)
    with strategy.scope() if strategy else contextlib.nullcontext():
        trained = make()
    watch, seen = ww.WeightWatch(logs, verbose=False, overhead=None), spy()
    x, y = data or diabetes()
    told = {"batch_size": BATCH, "epochs": epochs, "shuffle": False, "verbose": 0, **fit}
    trained.fit(x, y, callbacks=[watch, seen], **told)
    if gradients:
        replay(make, seen.steps, lambda i: part((x, y), i, len(x)), compiled_loss)
    return watch.history, seen.steps


def looped(logs: Path, make_optimizer: Make, *, traced: bool = False) -> Seen:
    """Trains in a loop; gradients are those that the step itself computed."""
    legacy().utils.set_random_seed(3)
    trained, optimizer, steps = model(), make_optimizer(), []
    scaled = hasattr(optimizer, "get_scaled_loss")

    def train(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(trained(x, training=True) - y))
            total = optimizer.get_scaled_loss(loss) if scaled else loss
        gradients = tape.gradient(total, trained.trainable_variables)
        gradients = optimizer.get_unscaled_gradients(gradients) if scaled else gradients
        optimizer.apply_gradients(zip(gradients, trained.trainable_variables, strict=True))
        return loss, gradients

    step_function = tf.function(train) if traced else train
    with ww.Watch(logs, trained, optimizer, verbose=False, overhead=None) as watch:
        for i in range(4):
            x, y = part(diabetes(), i, 4 * BATCH)
            before = weights(trained.trainable_variables)
            loss, gradients = step_function(tf.constant(x), tf.constant(y))
            told = {"gradients": gradients} if traced else {}
            watch.step(loss, **told)
            after = weights(trained.trainable_variables)
            found = {n: np.asarray(g, "float64") for n, g in zip(after, gradients, strict=True)}
            steps.append(Step(before, after, found, run={"loss": float(loss), "iterations": i + 1.0}))
    return watch.history, steps
