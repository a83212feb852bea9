"""Trainings of a few steps, with and without a recorder, that call nearly all of its functions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import tb_weightwatch as ww

# A training gets the folder to record in, or None to record nothing, and what to call when it begins.
Train = Callable[[Path | None, Callable[[], None]], list[bytes]]
STEPS, BATCH = 20, 4
SCARCE = 1e-9  # nothing is recorded after the first 16 steps, so that both kinds of steps occur
X = np.random.default_rng(0).normal(size=(STEPS * BATCH, 3)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5]], "float32") + 0.1).astype("float32")


def _model() -> Any:
    keras.utils.set_random_seed(1)
    layers = keras.layers  # no more of them than are needed: a training is repeated for each of a thousand functions
    return keras.Sequential([keras.Input((3,)), layers.BatchNormalization(), layers.Dense(1, "leaky_relu")])


def _optimizer() -> Any:
    return keras.optimizers.SGD(0.01, momentum=0.9, clipnorm=1.0)


def _bits(model: Any, optimizer: Any) -> list[bytes]:
    return [variable.numpy().tobytes() for variable in (*model.variables, *optimizer.variables)]


def _batches() -> tf.data.Dataset:
    options = tf.data.Options()
    options.autotune.enabled = False  # else a `fit` ends only when tf.data's tuner wakes, after 2.5 seconds
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(BATCH).with_options(options)


def _fit(folder: Path | None, begins: Callable[[], None], **compiled: Any) -> list[bytes]:
    model = _model()
    model.compile(_optimizer(), "mse", **compiled)
    watch = None if folder is None else ww.WeightWatch(folder, overhead=SCARCE, verbose=False, tensors={"*/kernel": 18})
    begins()
    recorders = [] if watch is None else [watch]
    model.fit(_batches(), shuffle=False, verbose=0, callbacks=recorders)
    return _bits(model, model.optimizer)


def fit(folder: Path | None, begins: Callable[[], None]) -> list[bytes]:
    """`model.fit` as it is: the recorded step is traced."""
    return _fit(folder, begins)


def fit_eager(folder: Path | None, begins: Callable[[], None]) -> list[bytes]:
    """`model.fit` without tracing."""
    return _fit(folder, begins, run_eagerly=True)


def fit_executions(folder: Path | None, begins: Callable[[], None]) -> list[bytes]:
    """`model.fit` with several steps in each call of the train function."""
    return _fit(folder, begins, steps_per_execution=3)


def _loop(folder: Path | None, begins: Callable[[], None], *, traced: bool) -> list[bytes]:
    model, optimizer = _model(), _optimizer()
    optimizer.build(model.trainable_variables)

    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            predictions = model(x, training=True)
            loss = tf.reduce_mean(tf.square(predictions - y))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss, predictions, gradients

    run = tf.function(step) if traced else step
    watch = None
    if folder is not None:
        tensors = {"*/kernel": 18}
        watch = ww.Watch(folder, model, optimizer, overhead=SCARCE, verbose=False, tensors=tensors)
    begins()
    for number in range(STEPS):
        part = slice(number * BATCH, number * BATCH + BATCH)
        loss, predictions, gradients = run(tf.constant(X[part]), tf.constant(Y[part]))
        if watch is not None:
            given = zip(gradients, model.trainable_variables, strict=True)
            watch.step(loss, inputs=X[part], targets=Y[part], predictions=predictions, gradients=given)
            watch.probe(step_fn=run, batches=[(X[part], Y[part])])
    if watch is not None:
        watch.close()
    return _bits(model, optimizer)


def loop(folder: Path | None, begins: Callable[[], None]) -> list[bytes]:
    """A hand-written loop, eager."""
    return _loop(folder, begins, traced=False)


def loop_traced(folder: Path | None, begins: Callable[[], None]) -> list[bytes]:
    """A hand-written loop around a `tf.function`."""
    return _loop(folder, begins, traced=True)


def summary(folder: Path | None, begins: Callable[[], None]) -> list[bytes]:
    """A training in NumPy with the summary functions."""
    weights = np.zeros((3, 1), "float32")
    writer = None if folder is None else ww.summary.create_file_writer(folder, verbose=False)
    begins()
    for number in range(STEPS):
        x, y = X[number * BATCH : number * BATCH + BATCH], Y[number * BATCH : number * BATCH + BATCH]
        error, before = x @ weights - y, weights.copy()
        gradient = x.T @ error / BATCH
        weights -= 0.1 * gradient
        if writer is not None:
            arrays = {"w": (gradient, before, weights)}
            ww.summary.update(number + 1, arrays, loss=float(np.mean(error**2)), learning_rate=0.1, writer=writer)
            if number == STEPS // 2:
                ww.summary.verdict(
                    number + 1, "odd", "Odd.", link="data", evidence={"error": float(error[0, 0])}, writer=writer
                )
    if writer is not None:
        with writer:  # its end closes
            pass
        writer.close()
    return [weights.tobytes()]


TRAININGS: dict[str, Train] = {
    "loop": loop,
    "loop-traced": loop_traced,
    "fit": fit,
    "fit-eager": fit_eager,
    "fit-executions": fit_executions,
    "summary": summary,
}
