"""Healthy programs: optimizers of one's own, and updates written by hand."""

from __future__ import annotations

import itertools
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import Lab, data, mlp
from .proof import assert_accurate, assert_explained, assert_fell, batches, healthy, pairs, told

SPARSE = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


class _SignMomentum(keras.optimizers.Optimizer):
    """Steps of one size along the sign of a blend of momentum and gradient."""

    def __init__(self, learning_rate: Any = 1e-3, blend: float = 0.9, memory: float = 0.99, **options: Any) -> None:
        super().__init__(learning_rate=learning_rate, name="sign_momentum", **options)
        self.blend, self.memory = blend, memory

    def build(self, variables: Any) -> None:
        if not self.built:
            super().build(variables)
            self.means = [self.add_variable_from_reference(v, name="mean") for v in variables]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        mean = self.means[self._get_variable_index(variable)]
        rate = keras.ops.cast(learning_rate, variable.dtype)
        self.assign_sub(variable, rate * keras.ops.sign(self.blend * mean + (1 - self.blend) * gradient))
        self.assign(mean, self.memory * mean + (1 - self.memory) * gradient)


class _NormalisedDescent(keras.optimizers.Optimizer):
    """Each variable moves by a share of its own length, whatever the gradient's."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        length = keras.ops.maximum(keras.ops.norm(variable), 1e-2)
        direction = gradient / (keras.ops.norm(gradient) + 1e-8)
        self.assign_sub(variable, keras.ops.cast(learning_rate, variable.dtype) * length * direction)


@healthy("own-optimizer")
def sign_momentum_under_fit(lab: Lab, seed: int) -> None:
    x, y = data("digits")
    model = mlp(64, 48, 10, seed=seed)
    lab.fit(model, x, y, optimizer=_SignMomentum(1e-3), loss=SPARSE, epochs=4)
    assert_accurate(model(x), y, 0.9)


@healthy("own-optimizer")
def normalised_descent_by_hand(lab: Lab, seed: int) -> None:
    """Gradients are huge (losses are sums of raw numbers), steps are not."""
    x, y = data("diabetes", scaled=False)
    x = x / x.std(axis=0)
    model, optimizer = mlp(10, 16, 1, seed=seed), _NormalisedDescent(0.02)
    model.layers[-1].bias.assign([150.0])
    losses = []
    with lab.watch(model, optimizer) as watch:
        for xb, yb in batches(seed, 120, x, y, size=64):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum((model(xb) - yb) ** 2)
            optimizer.apply_gradients(pairs(tape, loss, model.trainable_variables))
            losses.append(loss)
            watch.step(loss)
    assert_fell(losses, 0.8)


@healthy("own-optimizer")
def optimizer_class_without_keras(lab: Lab, seed: int) -> None:
    """A plain class with `apply_gradients`, moments in a dictionary: Adam, written down once more."""

    class Adam:
        def __init__(self) -> None:
            self.moments: dict[int, Any] = {}
            self.count = 0

        def apply_gradients(self, found: Any) -> None:
            self.count += 1
            for g, v in found:
                m, s = self.moments.get(id(v), (tf.zeros_like(g), tf.zeros_like(g)))
                m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
                self.moments[id(v)] = (m, s)
                scale = np.sqrt(1 - 0.999**self.count) / (1 - 0.9**self.count)
                v.assign_sub(5e-3 * scale * m / (tf.sqrt(s) + 1e-8))

    x, y = data("digits")
    model, optimizer = mlp(64, 32, 10, seed=seed), Adam()
    with lab.watch(model) as watch:
        for xb, yb in batches(seed, 120, x, y):
            with tf.GradientTape() as tape:
                p = model(xb)
                loss = SPARSE(yb, p)
            gradients = pairs(tape, loss, model.trainable_variables)
            optimizer.apply_gradients(gradients)
            watch.step(loss, **told(lab, inputs=xb, targets=yb, predictions=p, gradients=gradients))
    assert_accurate(model(x), y, 0.8)


@healthy("update-by-hand")
def momentum_with_assign_sub(lab: Lab, seed: int) -> None:
    x, y = data("digits")
    model = mlp(64, 32, 10, seed=seed)
    speed = [tf.Variable(tf.zeros_like(v)) for v in model.trainable_variables]

    @tf.function(jit_compile=True)
    def train(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(yb, model(xb)))
        for (g, v), s in zip(pairs(tape, loss, model.trainable_variables), speed, strict=True):
            s.assign(0.9 * s + g)
            v.assign_sub(0.05 * s)
        return loss

    losses = []
    with lab.watch(model) as watch:
        for xb, yb in batches(seed, 200, x, y):
            losses.append(train(xb, yb))
            watch.step(losses[-1])
    assert_fell(losses, 0.4)


@healthy("update-by-hand")
def softmax_regression_from_scratch(lab: Lab, seed: int) -> None:
    """Two variables, no model, no optimizer: the first program of many courses."""
    x, y = data("digits")
    w = tf.Variable(tf.random.normal((64, 10), stddev=0.01, seed=seed), name="w")
    b = tf.Variable(tf.zeros(10), name="b")
    with lab.watch(None, variables=[w, b]) as watch:
        for xb, yb in batches(seed, 150, x, y, size=64):
            with tf.GradientTape() as tape:
                p = tf.nn.softmax(xb @ w + b)
                loss = -tf.reduce_mean(tf.reduce_sum(tf.one_hot(yb, 10) * tf.math.log(p + 1e-9), axis=1))
            dw, db = tape.gradient(loss, [w, b])
            w.assign_sub(0.5 * dw)
            b.assign_sub(0.5 * db)
            watch.step(loss)
    assert_accurate(x @ w.numpy() + b.numpy(), y, 0.85)


@healthy("update-by-hand")
def full_batch_descent_with_line_search(lab: Lab, seed: int) -> None:
    """Steps are tried and taken back until one lowers the loss: it falls at every step."""
    x, y = (tf.constant(a) for a in data("diabetes"))
    model = mlp(10, 16, 1, activation="tanh", seed=seed)
    losses = []
    with lab.watch(model) as watch:
        for _ in range(60):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((model(x) - y) ** 2)
            found, before, size = pairs(tape, loss, model.trainable_variables), model.get_weights(), 1.0
            while True:
                for (g, v), start in zip(found, before, strict=True):
                    v.assign(start - size * g)
                if size < 1e-4 or float(tf.reduce_mean((model(x) - y) ** 2)) < float(loss):
                    break
                size /= 2
            losses.append(loss)
            watch.step(loss)
    assert all(float(b) <= float(a) for a, b in itertools.pairwise(losses))
    assert_explained(model(x), y, 0.4)
