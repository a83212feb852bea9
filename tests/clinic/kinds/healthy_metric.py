"""Healthy programs: contrastive and metric learning."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import L, Lab, O, data, mlp
from .proof import assert_accurate, assert_fell, batches, healthy, pairs, told

SPARSE = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def _assert_neighbours_agree(embedding: Any, y: Any, above: float) -> None:
    z = np.asarray(embedding)
    near = np.linalg.norm(z[:300, None] - z[None, 300:900], axis=2).argmin(axis=1)
    share = np.mean(y[300:900][near] == y[:300])
    assert share > above, share


@healthy("contrastive")
def triplets_with_a_margin(lab: Lab, seed: int) -> None:
    """Anchor, positive and negative pass through one encoder; more and more triplets have no loss at all."""
    x, y = data("digits")
    rng = np.random.default_rng(seed)
    of = [np.flatnonzero(y == c) for c in range(10)]
    model, optimizer = mlp(64, 48, 8, seed=seed), O.Adam(3e-3)
    losses = []
    with lab.watch(model, optimizer) as watch:
        for _ in range(90):
            c, other = rng.integers(0, 10, 32), rng.integers(1, 10, 32)
            a, p, n = (x[[rng.choice(of[k]) for k in ids]] for ids in (c, c, (c + other) % 10))
            with tf.GradientTape() as tape:
                za, zp, zn = (tf.math.l2_normalize(model(part), axis=1) for part in (a, p, n))
                apart = tf.reduce_sum((za - zp) ** 2, axis=1) - tf.reduce_sum((za - zn) ** 2, axis=1)
                loss = tf.reduce_mean(tf.nn.relu(apart + 0.5))
            gradients = pairs(tape, loss, model.trainable_variables)
            optimizer.apply_gradients(gradients)
            losses.append(loss)
            watch.step(loss, **told(lab, inputs=a, gradients=gradients))
    assert_fell(losses, 0.6)
    _assert_neighbours_agree(model(x), y, 0.7)


@healthy("contrastive")
def info_nce_of_two_views(lab: Lab, seed: int) -> None:
    """Two noisy views of each picture against the rest of the batch, at a temperature; no label is used."""
    x, y = data("digits")
    model, optimizer = mlp(64, 64, 16, seed=seed), O.Adam(2e-3)
    optimizer.build(model.trainable_variables)

    @tf.function
    def train(xb: Any) -> Any:
        one, two = (xb * tf.cast(tf.random.uniform(tf.shape(xb)) > 0.2, "float32") for _ in range(2))
        with tf.GradientTape() as tape:
            a, b = tf.math.l2_normalize(model(one), axis=1), tf.math.l2_normalize(model(two), axis=1)
            loss = SPARSE(tf.range(len(xb)), tf.matmul(a, b, transpose_b=True) / 0.1)
        optimizer.apply_gradients(pairs(tape, loss, model.trainable_variables))
        return loss

    losses = []
    with lab.watch(model, optimizer) as watch:
        for (xb,) in batches(seed, 200, x, size=64):
            losses.append(train(xb))
            watch.step(losses[-1])
    assert_fell(losses, 0.6)
    _assert_neighbours_agree(model(x), y, 0.7)


@healthy("contrastive")
def siamese_pairs_under_fit(lab: Lab, seed: int) -> None:
    x, y = data("digits")
    rng = np.random.default_rng(seed)
    one, two = rng.integers(0, len(x), 1500), rng.integers(0, len(x), 1500)
    for i in range(0, 1500, 2):  # half of them of one class
        two[i] = rng.choice(np.flatnonzero(y == y[one[i]]))
    same = (y[one] == y[two]).astype("f")
    encoder = mlp(64, 48, 8, seed=seed)
    a, b = L.Input((64,)), L.Input((64,))
    apart = L.Lambda(lambda z: keras.ops.sqrt(keras.ops.sum((z[0] - z[1]) ** 2, axis=1, keepdims=True) + 1e-6))
    model = keras.Model([a, b], apart([encoder(a), encoder(b)]))

    def contrast(t: Any, d: Any) -> Any:
        return tf.reduce_mean(t * d**2 + (1 - t) * tf.nn.relu(1.5 - d) ** 2)

    lab.fit(model, [x[one], x[two]], same, optimizer=O.RMSprop(2e-3), loss=contrast, epochs=6)
    assert_accurate(0.75 - model([x[one], x[two]]), same, 0.8)


@healthy("contrastive")
def prototypes_of_episodes(lab: Lab, seed: int) -> None:
    """Few-shot episodes of five classes: what is compared with is made anew from each episode."""
    x, y = data("digits")
    rng = np.random.default_rng(seed)
    model, optimizer = mlp(64, 64, 16, seed=seed), O.Adam(2e-3)
    losses = []
    with lab.watch(model, optimizer) as watch:
        for _ in range(80):
            classes = rng.permutation(10)[:5]
            rows = np.concatenate([rng.choice(np.flatnonzero(y == c), 8, replace=False) for c in classes])
            asked = np.repeat(np.arange(5), 5)
            with tf.GradientTape() as tape:
                z = tf.reshape(model(x[rows]), (5, 8, 16))
                centres, queries = tf.reduce_mean(z[:, :3], axis=1), tf.reshape(z[:, 3:], (25, 1, 16))
                loss = SPARSE(asked, -tf.reduce_sum((queries - centres[None]) ** 2, axis=2))
            gradients = pairs(tape, loss, model.trainable_variables)
            optimizer.apply_gradients(gradients)
            losses.append(loss)
            watch.step(loss)
    assert_fell(losses, 0.6)
    _assert_neighbours_agree(model(x), y, 0.8)
