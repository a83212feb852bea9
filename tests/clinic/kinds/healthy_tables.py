"""Healthy programs: imbalanced tables, ranks, survival."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import L, Lab, O, mlp
from .proof import assert_fell, callback, healthy, pairs, told


def _rare(seed: int) -> tuple[Any, Any]:
    """Returns a table of which four in a hundred rows are positive."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(3000, 8)).astype("f")
    score = x[:, 0] + x[:, 1] * x[:, 2] + 0.3 * rng.normal(size=3000)
    return x, (score > np.quantile(score, 0.96)).astype("f")[:, None]


def _assert_ranked(scores: Any, y: Any, above: float) -> None:
    order = np.asarray(scores).reshape(-1).argsort().argsort()
    positive = y.reshape(-1) > 0
    n = positive.sum()
    area = (order[positive].sum() - n * (n - 1) / 2) / (n * (~positive).sum())
    assert area > above, area


@healthy("imbalance")
def class_weights_for_rare_events(lab: Lab, seed: int) -> None:
    x, y = _rare(seed)
    model = mlp(8, 32, 16, 1, last="sigmoid", seed=seed)
    model.compile(O.Adam(3e-3), "binary_crossentropy", metrics=[keras.metrics.AUC(name="auc")])
    model.fit(x, y, epochs=6, batch_size=64, verbose=0, class_weight={0: 0.5, 1: 12.5}, callbacks=[callback(lab)])
    _assert_ranked(model(x), y, 0.85)


@healthy("imbalance")
def bias_begins_at_the_base_rate(lab: Lab, seed: int) -> None:
    """The loss is small from the first step on, and falls from 0.17 to less than 0.1."""
    x, y = _rare(seed)
    start = L.Input((8,))
    hidden = L.Dropout(0.2)(L.Dense(32, activation="relu")(start))
    prior = keras.initializers.Constant(np.log(0.04 / 0.96))
    model = keras.Model(start, L.Dense(1, activation="sigmoid", bias_initializer=prior)(hidden))
    lab.fit(model, x, y, optimizer=O.Adam(5e-3), loss="binary_crossentropy", epochs=6, batch=128)
    _assert_ranked(model(x), y, 0.85)


@healthy("imbalance")
def focal_loss_by_hand(lab: Lab, seed: int) -> None:
    """Easy rows hardly count: losses of a hundredth and less."""
    x, y = _rare(seed)
    model = mlp(8, 32, 1, seed=seed)

    def focal(t: Any, p: Any) -> Any:
        right = tf.sigmoid(tf.where(t > 0, p, -p))
        return tf.reduce_mean(-tf.where(t > 0, 0.75, 0.25) * (1 - right) ** 2 * tf.math.log(right + 1e-7))

    lab.loop(model, x, y, optimizer=O.Adam(0.01), loss=focal, steps=100, batch=128)
    _assert_ranked(model(x), y, 0.85)


@healthy("ranking-survival")
def partial_likelihood_of_survival(lab: Lab, seed: int) -> None:
    """Cox: a log of sums over those still at risk, for a whole batch; a constant shift of scores changes nothing."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(500, 5)).astype("f")
    time = rng.exponential(np.exp(-x[:, 0] + 0.7 * x[:, 1] ** 2))
    order = np.argsort(-time)
    x, died = x[order], (rng.random(500) < 0.7).astype("f")
    model, optimizer = mlp(5, 16, 1, activation="tanh", seed=seed), O.Adam(0.01)
    losses = []
    with lab.watch(model, optimizer) as watch:
        for _ in range(90):
            with tf.GradientTape() as tape:
                score = model(x)[:, 0]
                loss = -tf.reduce_sum((score - tf.math.cumulative_logsumexp(score)) * died) / died.sum()
            gradients = pairs(tape, loss, model.trainable_variables)
            optimizer.apply_gradients(gradients)
            losses.append(loss)
            watch.step(loss, **told(lab, inputs=x, gradients=gradients))
    assert_fell(losses, 0.95)  # from 5.2 to 4.7: most of it can't be explained
    assert np.corrcoef(np.asarray(score), x[:, 0] - 0.7 * x[:, 1] ** 2)[0, 1] > 0.6


@healthy("ranking-survival")
def lists_ranked_as_a_whole(lab: Lab, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(300, 8, 4)).astype("f")
    gain = np.digitize(x[..., 0] - x[..., 1], [-1, 0, 1.5]).astype("f")
    model = keras.Sequential([L.Input((8, 4)), L.Dense(16, activation="relu"), L.Dense(1), L.Flatten()])

    def listwise(t: Any, p: Any) -> Any:
        return tf.nn.softmax_cross_entropy_with_logits(tf.nn.softmax(t), p)

    lab.fit(model, x, gain, optimizer=O.Adam(0.01), loss=listwise, epochs=12)
    best = np.take_along_axis(gain, np.asarray(model(x)).argmax(axis=1)[:, None], axis=1)
    assert best.mean() > gain.max(axis=1).mean() - 0.25
