"""Healthy programs: meta-learning, federated rounds and other training by assigned weights."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import Lab, O, data, mlp
from .proof import assert_accurate, assert_fell, batches, callback, healthy, pairs

SPARSE = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def _wave(rng: np.random.Generator) -> tuple[Any, Any]:
    """Returns 20 points of a sine of random height and phase."""
    height, phase = rng.uniform(0.5, 2), rng.uniform(0, 1)
    x = rng.uniform(-3, 3, (20, 1)).astype("f")
    return tf.constant(x), tf.constant((height * np.sin(x + phase)).astype("f"))


@healthy("meta-learning")
def reptile_assigns_between_tasks(lab: Lab, seed: int) -> None:
    """Five inner steps on a task, then the weights go a part of the way: most of each move is taken back."""
    rng = np.random.default_rng(seed)
    model, inner = mlp(1, 32, 32, 1, activation="tanh", seed=seed), O.SGD(0.05)
    inner.build(model.trainable_variables)

    @tf.function
    def train(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x) - y) ** 2)
        inner.apply_gradients(pairs(tape, loss, model.trainable_variables))
        return loss

    first = []
    with lab.watch(model, inner) as watch:
        for _ in range(80):
            before, (x, y) = model.get_weights(), _wave(rng)
            losses = [train(x, y) for _ in range(5)]
            after = model.get_weights()
            model.set_weights([b + 0.3 * (a - b) for a, b in zip(after, before, strict=True)])
            first.append(losses[-1])
            watch.step(losses[-1])
    assert_fell(first, 0.6)


@healthy("meta-learning")
def reptile_watched_at_each_inner_step(lab: Lab, seed: int) -> None:
    rng = np.random.default_rng(seed)
    model, inner = mlp(1, 32, 32, 1, activation="tanh", seed=seed), O.Adam(5e-3, beta_1=0.0)
    inner.build(model.trainable_variables)

    @tf.function
    def train(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x) - y) ** 2)
        inner.apply_gradients(pairs(tape, loss, model.trainable_variables))
        return loss

    last = []
    with lab.watch(model, inner) as watch:
        for _ in range(60):
            before, (x, y) = model.get_weights(), _wave(rng)
            for _ in range(4):
                loss = train(x, y)
                watch.step(loss)
            last.append(loss)
            model.set_weights([b + 0.5 * (a - b) for a, b in zip(model.get_weights(), before, strict=True)])
    assert_fell(last, 0.7)


@healthy("meta-learning")
def maml_through_one_inner_step(lab: Lab, seed: int) -> None:
    """The gradient goes through a step of gradient descent; the adapted weights are tensors, never assigned."""
    rng = np.random.default_rng(seed)
    w = [tf.Variable(tf.random.normal(s, stddev=0.4, seed=seed + i), name=n)
         for i, (n, s) in enumerate({"w1": (1, 24), "w2": (24, 24), "w3": (24, 1)}.items())]  # fmt: skip
    w += [tf.Variable(tf.zeros(n), name=f"b{i}") for i, n in enumerate((24, 24, 1), 1)]
    optimizer = O.Adam(5e-3)

    def predict(v: Any, x: Any) -> Any:
        return tf.tanh(tf.tanh(x @ v[0] + v[3]) @ v[1] + v[4]) @ v[2] + v[5]

    @tf.function
    def differentiate(x: Any, y: Any) -> Any:
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                loss = tf.reduce_mean((predict(w, x[:10]) - y[:10]) ** 2)
            adapted = [v - 0.05 * g for v, g in zip(w, inner.gradient(loss, w), strict=True)]
            loss = tf.reduce_mean((predict(adapted, x[10:]) - y[10:]) ** 2)
        return loss, outer.gradient(loss, w)

    losses = []
    with lab.watch(None, optimizer, variables=w) as watch:
        for _ in range(200):
            loss, found = differentiate(*_wave(rng))
            optimizer.apply_gradients(zip(found, w, strict=True))
            losses.append(loss)
            watch.step(loss)
    assert_fell(losses, 0.7)


@healthy("meta-learning")
def federated_averaging(lab: Lab, seed: int) -> None:
    """Three clients train a copy each; the watched model is assigned the mean of their weights every round."""
    x, y = data("digits")
    model, client = mlp(64, 32, 10, seed=seed), mlp(64, 32, 10, seed=seed)
    client.compile(O.SGD(0.1), SPARSE)
    parts = np.array_split(np.arange(len(x)), 3)
    losses = []
    with lab.watch(model) as watch:
        for _ in range(8):
            found, lost = [], []
            for part in parts:
                client.set_weights(model.get_weights())
                seen = client.fit(x[part], y[part], epochs=1, verbose=0)
                found.append(client.get_weights())
                lost.append(seen.history["loss"][0])
            model.set_weights([np.mean(values, axis=0) for values in zip(*found, strict=True)])
            losses.append(float(np.mean(lost)))
            watch.step(losses[-1])
    assert_fell(losses, 0.6)
    assert_accurate(model(x), y, 0.7)


@healthy("meta-learning")
def best_weights_carried_from_run_to_run(lab: Lab, seed: int) -> None:
    """Warm restarts: each short `fit` begins from the best weights so far, under a rate that begins anew."""
    x, y = data("digits")
    model, watch = mlp(64, 32, 10, seed=seed), callback(lab)
    best, weights = np.inf, model.get_weights()
    for _ in range(4):
        model.set_weights(weights)
        model.compile(O.Adam(O.schedules.CosineDecay(5e-3, 60)), SPARSE)
        seen = model.fit(x[:1200], y[:1200], validation_data=(x[1200:], y[1200:]), epochs=2, batch_size=64,
                         verbose=0, callbacks=[watch])  # fmt: skip
        if seen.history["val_loss"][-1] < best:
            best, weights = seen.history["val_loss"][-1], model.get_weights()
    assert_accurate(model(x), y, 0.85)


@healthy("meta-learning")
def hyper_network_makes_the_weights(lab: Lab, seed: int) -> None:
    """A network whose outputs are the weights of another, for a task that is given as an input."""
    rng = np.random.default_rng(seed)
    maker, optimizer = mlp(2, 32, 3 * 16 + 1, activation="tanh", seed=seed), O.Adam(3e-3)
    optimizer.build(maker.trainable_variables)

    @tf.function
    def train(task: Any, x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            made = maker(task)
            hidden = tf.tanh(x * made[:, :16] + made[:, 16:32])
            p = tf.reduce_sum(hidden * made[:, 32:48], axis=1, keepdims=True) + made[:, 48:]
            loss = tf.reduce_mean((p - y) ** 2)
        optimizer.apply_gradients(pairs(tape, loss, maker.trainable_variables))
        return loss

    task = rng.uniform(-1, 1, (2000, 2)).astype("f")
    x = rng.uniform(-2, 2, (2000, 1)).astype("f")
    y = np.sin(x + task[:, :1]) * (1 + task[:, 1:])
    losses = []
    with lab.watch(maker, optimizer) as watch:
        for part in batches(seed, 250, task, x, y.astype("f"), size=64):
            losses.append(train(*part))
            watch.step(losses[-1])
    assert_fell(losses, 0.4)
