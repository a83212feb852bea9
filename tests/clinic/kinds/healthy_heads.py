"""Healthy programs: several heads, plateaus before learning."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import L, Lab, O, data, mlp
from .proof import assert_accurate, assert_explained, assert_fell, batches, callback, healthy, pairs

SPARSE = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@healthy("several-heads")
def three_heads_with_weights(lab: Lab, seed: int) -> None:
    """Losses of unlike size, one of them weighed at a hundredth."""
    x, y = data("digits")
    start = L.Input((64,))
    trunk = L.Dense(64, activation="relu")(start)
    heads = {"digit": L.Dense(10, name="digit")(trunk), "odd": L.Dense(1, activation="sigmoid", name="odd")(trunk),
             "ink": L.Dense(1, name="ink")(trunk)}  # fmt: skip
    model = keras.Model(start, heads)
    targets = {"digit": y, "odd": (y % 2)[:, None].astype("f"), "ink": x.sum(axis=1, keepdims=True)}
    lab.fit(model, x, targets, optimizer=O.Adam(5e-3), epochs=4,
            loss={"digit": SPARSE, "odd": "binary_crossentropy", "ink": "mse"},
            loss_weights={"digit": 1.0, "odd": 0.5, "ink": 0.01})  # fmt: skip
    assert_accurate(model(x)["digit"], y, 0.8)


@healthy("several-heads")
def heads_weighed_by_their_uncertainty(lab: Lab, seed: int) -> None:
    """The weights of the losses are trained too, as log variances: the total goes below zero."""
    x, _ = data("diabetes")
    easy, hard = (x @ np.random.default_rng(seed).normal(size=(10, 2))).astype("f").T
    easy, hard = easy / easy.std(), hard / hard.std() + np.random.default_rng(seed).normal(size=len(x)).astype("f")
    y = np.stack([easy, hard], axis=1).astype("f")
    model, optimizer = mlp(10, 24, 2, seed=seed), O.Adam(0.01)
    spread = tf.Variable(tf.zeros(2), name="log_variance")
    variables = [*model.trainable_variables, spread]
    optimizer.build(variables)

    @tf.function
    def train(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as tape:
            errors = tf.reduce_mean((model(xb) - yb) ** 2, axis=0)
            loss = tf.reduce_sum(tf.exp(-spread) * errors + spread)
        optimizer.apply_gradients(pairs(tape, loss, variables))
        return loss

    losses = []
    with lab.watch(model, optimizer, variables=[spread]) as watch:
        for xb, yb in batches(seed, 400, x, y):
            losses.append(train(xb, yb))
            watch.step(losses[-1])
    assert float(spread[0]) < float(spread[1])
    assert_explained(model(x)[:, 0], easy, 0.8)


@healthy("plateau")
def parity_of_four_bits(lab: Lab, seed: int) -> None:
    """The loss stays at log 2 for many steps, then falls."""
    bits = np.array([[(i >> k) & 1 for k in range(4)] for i in range(16)], "f")
    y = bits.sum(axis=1, keepdims=True) % 2
    model, optimizer = mlp(4, 32, 32, 1, activation="tanh", seed=seed), O.SGD(0.1, momentum=0.9)
    optimizer.build(model.trainable_variables)
    x = tf.constant(2 * bits - 1)

    @tf.function
    def train() -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y, model(x)))
        optimizer.apply_gradients(pairs(tape, loss, model.trainable_variables))
        return loss

    losses = []
    with lab.watch(model, optimizer) as watch:
        for _ in range(400):
            losses.append(train())
            watch.step(losses[-1])
    assert_fell(losses, 0.3)


@healthy("plateau")
def exclusive_or_with_four_units(lab: Lab, seed: int) -> None:
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 16, "f")
    y = (x[:, :1] != x[:, 1:]).astype("f")
    model = mlp(2, 4, 1, activation="tanh", last="sigmoid", seed=seed)
    lab.fit(model, x, y, optimizer=O.SGD(0.5, momentum=0.9), epochs=80, batch=16)
    assert_accurate(np.asarray(model(x)) - 0.5, y, 0.7)  # one of four can stay wrong


@healthy("plateau")
def two_spirals(lab: Lab, seed: int) -> None:
    rng = np.random.default_rng(seed)
    turn = 3 * np.sqrt(rng.random((600, 1)))
    side = np.sign(rng.normal(size=(600, 1)))
    x = (side * turn * np.concatenate([np.cos(turn * 1.5), np.sin(turn * 1.5)], axis=1)).astype("f")
    y = (side > 0).astype("f")
    model, watch = mlp(2, 48, 48, 1, activation="elu", seed=seed), callback(lab)
    model.compile(O.Adam(3e-3), keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit(x, y, epochs=40, batch_size=64, verbose=0, callbacks=[watch])
    assert_accurate(model(x), y, 0.8)
