"""Healthy programs: mixed precision, accumulation, compiled steps."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ..lab import L, Lab, O, data, mlp
from .proof import assert_accurate, assert_explained, assert_fell, batches, healthy, pairs, told

SPARSE = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def _mixed(policy: str, *units: int) -> Any:
    hidden = [L.Dense(n, activation="relu", dtype=policy) for n in units[:-1]]
    return keras.Sequential([L.Input((64,)), *hidden, L.Dense(units[-1], dtype=policy), L.Activation("linear",
                             dtype="float32")])  # fmt: skip


@healthy("mixed-precision")
def float16_with_a_scaled_loss_by_hand(lab: Lab, seed: int) -> None:
    x, y = data("digits")
    model, optimizer = _mixed("mixed_float16", 48, 10), O.LossScaleOptimizer(O.Adam(5e-3))
    optimizer.build(model.trainable_variables)

    @tf.function
    def train(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = SPARSE(yb, model(xb, training=True))
            scaled = optimizer.scale_loss(loss)
        optimizer.apply_gradients(pairs(tape, scaled, model.trainable_variables))
        return loss

    losses = []
    with lab.watch(model, optimizer) as watch:
        for xb, yb in batches(seed, 150, x, y):
            losses.append(train(xb, yb))
            watch.step(losses[-1])
    assert_fell(losses, 0.5)


@healthy("mixed-precision")
def float16_convolutions_under_fit(lab: Lab, seed: int) -> None:
    x, y = data("digits")
    half = "mixed_float16"
    model = keras.Sequential([L.Input((8, 8, 1)), L.Conv2D(8, 3, activation="relu", dtype=half),
                              L.BatchNormalization(dtype=half), L.Flatten(), L.Dense(10, dtype=half),
                              L.Activation("softmax", dtype="float32")])  # fmt: skip
    optimizer = O.LossScaleOptimizer(O.SGD(0.05, momentum=0.9), initial_scale=2.0**12, dynamic_growth_steps=50)
    lab.fit(model, x.reshape(-1, 8, 8, 1), y, optimizer=optimizer, loss="sparse_categorical_crossentropy", epochs=2)
    assert_accurate(model(x.reshape(-1, 8, 8, 1)), y, 0.8)


@healthy("mixed-precision")
def brain_floats_by_hand(lab: Lab, seed: int) -> None:
    x, y = data("digits")
    model, optimizer = _mixed("mixed_bfloat16", 48, 10), O.Adam(5e-3)
    with lab.watch(model, optimizer) as watch:
        for xb, yb in batches(seed, 90, x, y):
            with tf.GradientTape() as tape:
                p = model(xb)
                loss = SPARSE(yb, p)
            gradients = pairs(tape, loss, model.trainable_variables)
            optimizer.apply_gradients(gradients)
            watch.step(loss, **told(lab, inputs=xb, targets=yb, predictions=p, gradients=gradients))
    assert_accurate(model(x), y, 0.75)


class Accumulating(keras.Model):
    def __init__(self, network: Any, every: int) -> None:
        super().__init__()
        self.network, self.every = network, every
        self.count = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="count")
        self.sums = [self.add_weight(shape=v.shape, initializer="zeros", trainable=False, name=f"sum_{i}")
                     for i, v in enumerate(network.trainable_variables)]  # fmt: skip

    def call(self, x: Any) -> Any:
        return self.network(x)

    def train_step(self, batch: Any) -> dict[str, Any]:
        x, y = batch
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        listed = self.network.trainable_variables
        self.count.assign_add(1)
        for total, g in zip(self.sums, tape.gradient(loss, listed), strict=True):
            total.assign_add(g / self.every)
        if not self.optimizer.built:
            self.optimizer.build(listed)

        def flush() -> Any:
            self.optimizer.apply([tf.convert_to_tensor(s) for s in self.sums], listed)
            for total in self.sums:
                total.assign(tf.zeros_like(total))
            return tf.constant(1)

        tf.cond(tf.equal(self.count % self.every, 0), flush, lambda: tf.constant(0))
        return {"loss": loss}


@healthy("accumulation")
def sums_kept_in_the_model(lab: Lab, seed: int) -> None:
    """The model's own train step updates the weights at every fourth batch only."""
    x, y = data("digits")
    model = Accumulating(mlp(64, 32, 10, seed=seed), 4)
    model(x[:2])
    lab.fit(model, x, y, optimizer=O.Adam(0.01), loss=SPARSE, epochs=4, batch=16)
    assert_accurate(model(x), y, 0.85)


@healthy("accumulation")
def watched_at_each_small_batch(lab: Lab, seed: int) -> None:
    """Eight small batches for one update, and `watch.step` after each of them with the loss alone."""
    x, y = data("digits")
    model, optimizer, sums = mlp(64, 32, 10, seed=seed), O.Adam(0.02), None
    optimizer.build(model.trainable_variables)

    @tf.function
    def differentiate(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = SPARSE(yb, model(xb)) / 8
        return loss, tape.gradient(loss, model.trainable_variables)

    with lab.watch(model, optimizer) as watch:
        for number, (xb, yb) in enumerate(batches(seed, 320, x, y, size=16), 1):
            loss, found = differentiate(xb, yb)
            sums = found if sums is None else [a + b for a, b in zip(sums, found, strict=True)]
            if number % 8 == 0:
                optimizer.apply_gradients(zip(sums, model.trainable_variables, strict=True))
                sums = None
            watch.step(loss)
    assert_accurate(model(x), y, 0.75)


@healthy("compiled-loop")
def ten_steps_in_one_compiled_call(lab: Lab, seed: int) -> None:
    """XLA, ten updates for each `watch.step`: the loss is the mean of ten."""
    x, y = data("digits")
    model, optimizer = mlp(64, 32, 10, seed=seed), O.SGD(0.1, momentum=0.9)
    optimizer.build(model.trainable_variables)

    @tf.function(jit_compile=True)
    def train(xs: Any, ys: Any) -> Any:
        total = 0.0
        for i in range(10):
            with tf.GradientTape() as tape:
                logits = model(xs[32 * i : 32 * i + 32])
                loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(ys[32 * i : 32 * i + 32], logits))
            optimizer.apply_gradients(pairs(tape, loss, model.trainable_variables))
            total += loss / 10
        return total

    losses = []
    with lab.watch(model, optimizer) as watch:
        for xs, ys in batches(seed, 40, x, y, size=320):
            losses.append(train(xs, ys))
            watch.step(losses[-1])
    assert_fell(losses, 0.3)


@healthy("compiled-loop")
def compiled_by_xla_under_fit(lab: Lab, seed: int) -> None:
    x, y = data("diabetes")
    model = mlp(10, 32, 1, activation="selu", seed=seed)
    lab.fit(model, x, y, optimizer=O.Adam(5e-3), epochs=8, jit_compile=True, steps_per_execution=4)
    assert_explained(model(x), y, 0.4)
