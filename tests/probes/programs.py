"""Tiny training programs of many kinds, on which experiments must leave no trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

L = keras.layers
RNG = np.random.default_rng(3)
X = RNG.normal(size=(64, 6)).astype("float32")
Y = (X[:, :1] - X[:, 1:2]).astype("float32")
BATCHES = [(tf.constant(X[i : i + 16]), tf.constant(Y[i : i + 16])) for i in range(0, 64, 16)]


_STRATEGIES: list[Any] = []


class Case(NamedTuple):
    """A program under test.

    Attributes:
        arguments: those of `ww.probe`.
        variables: returns everything that must be as before, models, metrics and optimizers included.
        train: goes on training a little.
    """

    arguments: dict[str, Any]
    variables: Callable[[], list[Any]]
    train: Callable[[], Any]


def net(*, dropout: bool = True, **options: Any) -> Any:
    """Returns a small net with statistics, a random generator and a frozen layer."""
    keras.utils.set_random_seed(5)
    layers = [L.Dense(8, "relu", **options), L.BatchNormalization(), *([L.Dropout(0.2)] if dropout else []), L.Dense(1)]
    return keras.Sequential([keras.Input((6,)), L.Dense(6, trainable=False), *layers])


def _of_model(model: Any, *optimizers: Any) -> list[Any]:
    own = [model.optimizer] if getattr(model, "optimizer", None) is not None else []
    return [*model.variables, *model.metrics_variables, *(v for o in [*own, *optimizers] for v in o.variables)]


def _fit(model: Any, optimizer: Any, *, trained: bool = True, **options: Any) -> Case:
    model.compile(optimizer, "mse", metrics=["mae"], **options)
    if trained:
        model.fit(X, Y, batch_size=16, epochs=1, shuffle=False, verbose=0)
    return Case(
        {"model": model, "x": X, "y": Y, "batch_size": 16},
        lambda: _of_model(model),
        lambda: model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0),
    )


def fit() -> Case:
    """`model.fit`, after an epoch."""
    return _fit(net(), keras.optimizers.Adam(1e-3, clipnorm=1.0))


def before_training() -> Case:
    """`model.fit` that has not begun: the optimizer has no slots."""
    return _fit(net(), keras.optimizers.RMSprop(1e-3), trained=False)


def schedule() -> Case:
    """A learning-rate schedule, which cannot be set."""
    return _fit(net(), keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9), momentum=0.9))


def eager() -> Case:
    """`run_eagerly=True`."""
    return _fit(net(dropout=False), keras.optimizers.SGD(0.01), run_eagerly=True)


def mixed_precision() -> Case:
    """float16 computation with a LossScaleOptimizer."""
    return _fit(net(dtype="mixed_float16"), keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(1e-3)))


class Gan(keras.Model):  # type: ignore[misc]
    """Two models and two optimizers in one train_step."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = keras.Sequential([keras.Input((4,)), L.Dense(8, "relu"), L.Dense(6)])
        self.discriminator = keras.Sequential([keras.Input((6,)), L.Dense(8, "relu"), L.Dense(1)])
        self.g_optimizer, self.d_optimizer = keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3)
        self.g_loss = keras.metrics.Mean(name="loss")
        self.noise = keras.random.SeedGenerator(1)

    def call(self, x: Any) -> Any:
        return self.discriminator(x)

    def train_step(self, data: Any) -> Any:
        x = keras.utils.unpack_x_y_sample_weight(data)[0]
        noise = keras.random.normal((16, 4), seed=self.noise)
        with tf.GradientTape() as d_tape, tf.GradientTape() as g_tape:
            made = self.discriminator(self.generator(noise))
            d_loss = tf.reduce_mean(tf.nn.softplus(made) + tf.nn.softplus(-self.discriminator(x)))
            g_loss = tf.reduce_mean(tf.nn.softplus(-made))
        for tape, loss, model, optimizer in (
            (d_tape, d_loss, self.discriminator, self.d_optimizer), (g_tape, g_loss, self.generator, self.g_optimizer),
        ):  # fmt: skip
            variables = model.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        self.g_loss.update_state(g_loss)
        return {"loss": self.g_loss.result()}


def gan() -> Case:
    """A GAN with optimizers of its own."""
    keras.utils.set_random_seed(2)
    model = Gan()
    model(X[:1])
    model.compile()
    model.fit(X, batch_size=16, epochs=1, shuffle=False, verbose=0)
    return Case(
        {"model": model, "x": X, "batch_size": 16},
        lambda: _of_model(model, model.g_optimizer, model.d_optimizer),
        lambda: model.fit(X, batch_size=16, epochs=2, shuffle=False, verbose=0),
    )


def by_hand() -> Case:
    """A model that is trained in a loop; its loss and optimizer are given."""
    model, optimizer = net(), keras.optimizers.Adam(1e-3)
    step = loop_step(model, optimizer)
    for batch in BATCHES:
        step(*batch)
    arguments = {"model": model, "x": X, "y": Y, "loss": "mse", "optimizer": optimizer, "batch_size": 16}
    return Case(arguments, lambda: _of_model(model, optimizer), lambda: [step(*batch) for batch in BATCHES])


def loop() -> Case:
    """A step function that TensorFlow has compiled already."""
    model, optimizer = net(), keras.optimizers.SGD(0.01, momentum=0.9)
    step = tf.function(loop_step(model, optimizer))
    for batch in BATCHES:
        step(*batch)
    arguments = {"model": model, "step_fn": step, "optimizer": optimizer, "batches": BATCHES}
    return Case(arguments, lambda: _of_model(model, optimizer), lambda: [step(*batch) for batch in BATCHES])


def without_keras() -> Case:
    """Variables that a step function moves by itself."""
    weights = [tf.Variable(tf.random.stateless_normal((6, 1), (1, 2)))]

    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(x @ weights[0] - y))
        weights[0].assign_sub(0.01 * tape.gradient(loss, weights[0]))
        return loss

    arguments = {"step_fn": step, "variables": weights, "batches": BATCHES}
    return Case(arguments, lambda: list(weights), lambda: [step(*batch) for batch in BATCHES])


def mirrored() -> Case:
    """Two replicas: nothing is run, and it is said."""
    devices = tf.config.list_logical_devices("CPU")[:2]
    strategy = tf.distribute.MirroredStrategy([device.name for device in devices])
    _STRATEGIES.append(strategy)  # its threads must not end while another test runs
    with strategy.scope():
        model = net(dropout=False)
        model.compile("sgd", "mse")
    # It is not trained: collective operations of one process disturb each other from test to test.
    return Case({"model": model, "x": X, "y": Y, "batch_size": 16}, lambda: _of_model(model), lambda: None)


def loop_step(model: Any, optimizer: Any) -> Callable[[Any, Any], Any]:
    """Returns the usual step of a hand-written loop, for the mean squared error."""

    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    return step


CASES: dict[str, Callable[[], Case]] = {
    make.__name__: make
    for make in (
        fit, before_training, schedule, eager, mixed_precision, gan, by_hand, loop, without_keras, mirrored,
    )
}  # fmt: skip
