"""Healthy programs: embeddings trained by few rows a step, graphs, an input that is trained."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import L, Lab, O, data, mlp
from .proof import assert_accurate, assert_explained, assert_fell, batches, healthy, pairs

SPARSE = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@healthy("embedding")
def skip_grams_with_negative_samples(lab: Lab, seed: int) -> None:
    """Words of two topics; five random words for each real neighbour."""
    rng = np.random.default_rng(seed)
    topic = rng.integers(0, 2, 3000)
    word, near = (2 * rng.integers(0, 100, 3000) + topic for _ in range(2))
    asked = np.concatenate([near[:, None], rng.integers(0, 200, (3000, 5))], axis=1)
    truth = np.concatenate([np.ones((3000, 1)), np.zeros((3000, 5))], axis=1).astype("f")
    one, two = L.Input((), dtype="int32"), L.Input((6,), dtype="int32")
    scores = L.Dot(axes=(2, 1))([L.Embedding(200, 8)(two), L.Embedding(200, 8)(one)])
    model = keras.Model([one, two], scores)
    cross = keras.losses.BinaryCrossentropy(from_logits=True)
    lab.fit(model, [word, asked], truth, optimizer=O.Adam(0.02), loss=cross, epochs=8)
    assert float(cross(truth, model([word, asked]))) < 0.42  # 0.45 knows only that one in six is real


@healthy("embedding")
def co_occurrences_by_hand(lab: Lab, seed: int) -> None:
    """Weighted least squares of log counts: gradients are slices of four tables."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(60, 3))
    counts = np.exp(np.clip(hidden @ hidden.T + 1, -2, 4))
    i, j = (a.reshape(-1) for a in np.meshgrid(np.arange(60), np.arange(60)))
    named = [("word", 8), ("context", 8), ("bias", 1), ("context_bias", 1)]
    tables = [tf.Variable(tf.random.normal((60, n), stddev=0.1, seed=seed), name=name) for name, n in named]
    optimizer = O.Adagrad(0.2)
    optimizer.build(tables)
    losses = []
    with lab.watch(None, optimizer, variables=tables) as watch:
        for a, b, c in batches(seed, 120, i, j, counts[i, j].astype("f"), size=128):
            with tf.GradientTape() as tape:
                w, v, p, q = (tf.gather(t, r) for t, r in zip(tables, (a, b, a, b), strict=True))
                error = tf.reduce_sum(w * v, axis=1) + p[:, 0] + q[:, 0] - tf.math.log(c)
                loss = tf.reduce_sum(tf.minimum(1.0, (c / 20) ** 0.75) * error**2)
            optimizer.apply_gradients(pairs(tape, loss, tables))
            losses.append(loss)
            watch.step(loss)
    assert_fell(losses, 0.5)


@healthy("embedding")
def ratings_by_factors_and_biases(lab: Lab, seed: int) -> None:
    """Matrix factorization with Keras layers, raw ratings from one to five, decay on the tables."""
    rng = np.random.default_rng(seed)
    user, item = rng.integers(0, 80, 4000), rng.integers(0, 60, 4000)
    taste, merit = rng.normal(size=(80, 2)), rng.normal(size=(60, 2))
    rating = np.clip(3 + (taste[user] * merit[item]).sum(axis=1), 1, 5)[:, None].astype("f")
    decay = keras.regularizers.l2(1e-6)
    u, m = L.Input((), dtype="int32"), L.Input((), dtype="int32")
    score = L.Dot(1)([L.Embedding(80, 6, embeddings_regularizer=decay)(u), L.Embedding(60, 6)(m)])
    model = keras.Model([u, m], L.Add()([score, L.Embedding(80, 1)(u), L.Embedding(60, 1)(m)]))
    lab.fit(model, [user, item], rating, optimizer=O.Adam(0.02), epochs=10, batch=64)
    assert_explained(model([user, item]), rating, 0.6)


@healthy("embedding")
def preferred_before_other_items(lab: Lab, seed: int) -> None:
    """Bayesian personalised ranking: the loss is of differences, with no target."""
    rng = np.random.default_rng(seed)
    user = rng.integers(0, 50, 3000)
    liked = (user % 5 + 5 * rng.integers(0, 20, 3000)) % 100
    users, items, optimizer = L.Embedding(50, 8), L.Embedding(100, 8), O.Adam(0.02)
    users.build(None)
    items.build(None)
    variables = users.trainable_variables + items.trainable_variables
    optimizer.build(variables)

    @tf.function
    def train(u: Any, good: Any) -> Any:
        other = tf.random.uniform(tf.shape(good), 0, 100, dtype=good.dtype)
        with tf.GradientTape() as tape:
            apart = tf.reduce_sum(users(u) * (items(good) - items(other)), axis=1)
            loss = tf.reduce_mean(tf.nn.softplus(-apart))
        optimizer.apply_gradients(pairs(tape, loss, variables))
        return loss

    losses = []
    with lab.watch(None, optimizer, variables=variables) as watch:
        for part in batches(seed, 250, user, liked, size=64):
            losses.append(train(*part))
            watch.step(losses[-1])
    assert_fell(losses, 0.75)


def _communities(seed: int) -> tuple[Any, Any, Any]:
    """Returns the normalised adjacency of 90 nodes in three groups, noisy features and groups."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(3), 30)
    linked = rng.random((90, 90)) < np.where(group[:, None] == group, 0.2, 0.02)
    a = np.maximum(linked, linked.T) + np.eye(90)
    root = 1 / np.sqrt(a.sum(axis=1))
    features = np.eye(3)[group] + 1.5 * rng.normal(size=(90, 3))
    return (root[:, None] * a * root).astype("f"), features.astype("f"), group


@healthy("graph")
def convolutions_with_few_labelled_nodes(lab: Lab, seed: int) -> None:
    """The whole graph in each step, a loss over the twelve nodes whose group is known."""
    a, x, group = _communities(seed)
    first, second, optimizer = L.Dense(16, activation="relu"), L.Dense(3), O.Adam(0.02)
    known = np.concatenate([np.flatnonzero(group == g)[:4] for g in range(3)])
    first(x)
    second(tf.zeros((1, 16)))
    variables = first.trainable_variables + second.trainable_variables
    with lab.watch([first, second], optimizer) as watch:
        for _ in range(80):
            with tf.GradientTape() as tape:
                logits = a @ second(a @ first(x))
                loss = SPARSE(group[known], tf.gather(logits, known))
            optimizer.apply_gradients(pairs(tape, loss, variables))
            watch.step(loss)
    assert_accurate(logits, group, 0.7)


@healthy("graph")
def messages_along_edges(lab: Lab, seed: int) -> None:
    """Segment sums of messages along a list of edges, for a number of the whole graph."""
    rng = np.random.default_rng(seed)
    message, update, read = mlp(8, 16, 8, seed=seed), mlp(12, 16, 4, seed=seed + 1), mlp(4, 16, 1, seed=seed + 2)
    models, optimizer = [message, update, read], O.Adam(5e-3)
    variables = [v for model in models for v in model.trainable_variables]
    optimizer.build(variables)

    @tf.function
    def train(nodes: Any, sources: Any, sinks: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            sent = message(tf.concat([tf.gather(nodes, sources), tf.gather(nodes, sinks)], axis=1))
            got = tf.math.unsorted_segment_sum(sent, sinks, len(nodes))
            after = update(tf.concat([nodes, got], axis=1))
            p = tf.reduce_mean(tf.reshape(read(after), (16, 10)), axis=1)
            loss = tf.reduce_mean((p - y) ** 2)
        optimizer.apply_gradients(pairs(tape, loss, variables))
        return loss

    losses = []
    with lab.watch(models, optimizer) as watch:
        for _ in range(200):  # 16 graphs of ten nodes and thirty edges
            nodes = rng.normal(size=(160, 4)).astype("f")
            graph = np.repeat(np.arange(16), 30) * 10
            sources, sinks = (graph + rng.integers(0, 10, 480) for _ in range(2))
            y = (nodes[sources, 0] * nodes[sinks, 1] > 0).reshape(16, 30).mean(axis=1)
            y = y + nodes.reshape(16, 10, 4)[:, :, 2].mean(axis=1)
            losses.append(train(*map(tf.constant, (nodes, sources, sinks, y.astype("f")))))
            watch.step(losses[-1])
    assert_fell(losses, 0.7)


@healthy("input-optimised", seeds=1)
def picture_changed_instead_of_weights(lab: Lab, seed: int) -> None:
    """The only trained variable is an input; the classifier that it is shown to stands still on purpose."""
    x, y = data("digits")
    model = mlp(64, 32, 10, seed=seed)
    model.compile(O.Adam(5e-3), SPARSE)
    model.fit(x, y, epochs=4, verbose=0)
    model.trainable = False
    picture, optimizer = tf.Variable(x[:1], name="picture"), O.Adam(0.05)
    other, losses = tf.constant([(int(y[0]) + 1) % 10]), []
    with lab.watch(None, optimizer, variables=[picture]) as watch:
        for _ in range(80):
            with tf.GradientTape() as tape:
                loss = SPARSE(other, model(picture)) + 0.01 * tf.reduce_sum(picture**2)
            optimizer.apply_gradients([(tape.gradient(loss, picture), picture)])
            losses.append(loss)
            watch.step(loss)
    assert int(np.argmax(model(picture))) == int(other[0])
    assert_fell(losses, 0.5)
