"""Three real trainings, with or without the monitor: `fit`, a hand-written loop, and the summary functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

import tb_weightwatch as ww

if TYPE_CHECKING:
    from .scene import Scene

BATCH, BATCHES = 8, 20  # size of a batch, batches of an epoch


def _data() -> tuple[Any, Any]:
    x = np.random.default_rng(7).normal(size=(BATCH * BATCHES, 10)).astype("float32")
    return x, (x @ np.linspace(-1, 1, 10).astype("float32"))[:, None]


def _model() -> Any:
    keras.utils.set_random_seed(7)
    return keras.Sequential([keras.Input((10,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])


class _Tell(keras.callbacks.Callback):  # type: ignore[misc]
    """Ends each step of `fit`; it is called after the monitor."""

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self._scene, self._step = scene, 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._step += 1
        if self._step == self._scene.order.steps:
            self.model.stop_training = True
        self._scene.step_done(self._step)


def fit(scene: Scene) -> None:
    """Trains with `model.fit`."""
    model, (x, y) = _model(), _data()
    scene.weights = model.get_weights
    model.compile(keras.optimizers.SGD(0.01), loss="mse")
    watches = scene.recordings(lambda logdir: ww.WeightWatch(logdir, verbose=False, overhead=None))
    epochs = -(-scene.order.steps // BATCHES)
    model.fit(x, y, batch_size=BATCH, epochs=epochs, shuffle=False, verbose=0, callbacks=[*watches, _Tell(scene)])


def loop(scene: Scene) -> None:
    """Trains with an eager loop of its own."""
    model, (x, y) = _model(), _data()
    scene.weights = model.get_weights
    optimizer = keras.optimizers.SGD(0.01)
    watches = scene.recordings(lambda logdir: ww.Watch(logdir, model, optimizer, verbose=False, overhead=None))
    for step in range(1, scene.order.steps + 1):
        batch = slice((step - 1) % BATCHES * BATCH, ((step - 1) % BATCHES + 1) * BATCH)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x[batch], training=True) - y[batch]) ** 2)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        for watch in watches:
            watch.step(loss)
        scene.step_done(step)
    scene.close(watches)


def summary(scene: Scene) -> None:
    """Trains a linear model in NumPy and hands over each step."""
    (x, y), w = _data(), np.zeros((10, 1), "float32")
    scene.weights = lambda: [w]
    writers = scene.recordings(lambda logdir: ww.summary.create_file_writer(logdir, verbose=False, overhead=None))
    for step in range(1, scene.order.steps + 1):
        batch = slice((step - 1) % BATCHES * BATCH, ((step - 1) % BATCHES + 1) * BATCH)
        error = x[batch] @ w - y[batch]
        before, gradient = w.copy(), x[batch].T @ error / BATCH
        w -= 0.01 * gradient
        for writer in writers:
            ww.summary.update(step, {"w": (gradient, before, w)}, loss=float((error**2).mean()), writer=writer)
        scene.step_done(step)
    scene.close(writers)


KINDS: dict[str, Callable[[Scene], None]] = {"fit": fit, "loop": loop, "summary": summary}
