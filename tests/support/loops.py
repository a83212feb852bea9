"""Small hand-written loops on real data, run with or without a Watch, for tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_diabetes, load_digits

BATCH = 32


def diabetes() -> tuple[np.ndarray, np.ndarray]:
    x, y = load_diabetes(return_X_y=True)
    return ((x - x.mean(0)) / x.std(0)).astype("float32"), ((y - y.mean()) / y.std()).astype("float32")[:, None]


def digits() -> tuple[np.ndarray, np.ndarray]:
    x, y = load_digits(return_X_y=True)
    return (x / 16).astype("float32").reshape(-1, 8, 8, 1), y.astype("int64")


def dense() -> keras.Model:
    layers = keras.layers
    return keras.Sequential([layers.Input((10,)), layers.Dense(8, activation="relu"), layers.Dense(1)])


def conv() -> keras.Model:
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )


def squared(y: Any, p: Any) -> Any:
    return tf.reduce_mean(tf.square(p - y))


def cross_entropy(y: Any, p: Any) -> Any:
    return tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, p))


NETS: dict[str, tuple[Callable[[], keras.Model], Callable[[], Any], Callable[..., Any]]] = {
    "dense": (dense, diabetes, squared),
    "conv": (conv, digits, cross_entropy),
}


@dataclass
class Run:
    """What an independent observer saw of each step, in float64 (non-trainable variables are not among the weights)."""

    model: Any
    optimizer: Any
    loss: list[float] = field(default_factory=list)
    gradients: list[list[np.ndarray]] = field(default_factory=list)
    before: list[list[np.ndarray]] = field(default_factory=list)
    after: list[list[np.ndarray]] = field(default_factory=list)

    @property
    def bits(self) -> list[bytes]:
        """All variables and optimizer slots, byte for byte."""
        return [v.numpy().tobytes() for v in [*self.model.variables, *self.optimizer.variables]]


def run(
    net: str,
    mode: str = "eager",
    *,
    steps: int = 10,
    optimizer: Callable[[], Any] = lambda: keras.optimizers.Adam(1e-2),
    watch: Callable[[Any, Any], Any] | None = None,
    hand: tuple[str, ...] = (),
    spoil: Callable[[np.ndarray], np.ndarray] = lambda x: x,
    look: bool = True,
) -> Run:
    """Trains; `watch(model, optimizer)` makes the Watch, `hand` names what is handed to its `step`."""
    make, data, loss_of = NETS[net]
    keras.utils.set_random_seed(3)
    model, done = make(), None
    x, y = data()
    x = spoil(x.copy())
    done = Run(model, optimizer())
    done.optimizer.build(model.trainable_variables)
    watching = watch(model, done.optimizer) if watch else None

    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            prediction = model(x, training=True)
            loss = loss_of(y, prediction)
        gradients = tape.gradient(loss, model.trainable_variables)
        done.optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss, gradients, prediction

    if mode != "eager":
        step = tf.function(step, jit_compile=mode == "xla")
    for i in range(steps):
        at = i * BATCH % (len(x) - BATCH)
        part = slice(at, at + BATCH)
        before = [v.numpy().astype("float64") for v in model.trainable_variables] if look else []
        loss, gradients, prediction = step(x[part], y[part])
        if look:
            done.loss.append(float(loss))
            done.before.append(before)
            done.after.append([v.numpy().astype("float64") for v in model.trainable_variables])
            done.gradients.append([tf.convert_to_tensor(g).numpy().astype("float64") for g in gradients])
        if watching is not None:
            pairs = zip(gradients, model.trainable_variables, strict=True)
            given = {"inputs": x[part], "targets": y[part], "predictions": prediction, "gradients": pairs}
            watching.step(loss, **{name: given[name] for name in hand})
    return done
