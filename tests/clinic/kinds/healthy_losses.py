"""Healthy programs: hinge, cosine, smoothed and other losses."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from ..lab import Lab, O, data, mlp
from .proof import assert_accurate, assert_explained, healthy


@healthy("other-loss")
def squared_hinge_of_signs(lab: Lab, seed: int) -> None:
    x, y = data("breast_cancer")
    model = mlp(30, 16, 1, last="tanh", seed=seed)
    lab.fit(model, x, (2 * y - 1).astype("f"), optimizer=O.Adam(3e-3), loss="squared_hinge", epochs=8)
    assert_accurate(model(x), y, 0.9)


@healthy("other-loss")
def categorical_hinge_of_raw_scores(lab: Lab, seed: int) -> None:
    x, y = data("wine")
    model = mlp(13, 24, 3, seed=seed)
    lab.fit(model, x, np.eye(3, dtype="f")[y], optimizer=O.Adam(5e-3), loss="categorical_hinge", epochs=15)
    assert_accurate(model(x), y, 0.9)


@healthy("other-loss")
def cosine_similarity_from_zero_to_minus_one(lab: Lab, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(600, 6)).astype("f")
    y = np.tanh(x @ rng.normal(size=(6, 4))).astype("f")
    model = mlp(6, 24, 4, seed=seed)
    lab.fit(model, x, y, optimizer=O.Adam(5e-3), loss="cosine_similarity", epochs=8)
    assert float(tf.reduce_mean(keras.losses.cosine_similarity(y, model(x)))) < -0.85


@healthy("other-loss")
def smoothed_labels_by_the_loss(lab: Lab, seed: int) -> None:
    """The least possible loss is 0.9, most of where it begins."""
    x, y = data("digits")
    model = mlp(64, 48, 10, seed=seed)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.3)
    lab.loop(model, x, np.eye(10, dtype="f")[y], optimizer=O.Adam(5e-3), loss=loss, steps=100)
    assert_accurate(model(x), y, 0.8)


@healthy("other-loss")
def log_cosh_of_a_noisy_slope(lab: Lab, seed: int) -> None:
    """The loss falls by a few percent only: the rest is noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2000, 3)).astype("f")
    true = 0.6 * x[:, :1] - 0.3 * x[:, 1:2]
    y = (true + 1.5 * rng.normal(size=(2000, 1))).astype("f")
    model = mlp(3, 8, 1, seed=seed)
    lab.fit(model, x, y, optimizer=O.Adam(5e-3), loss="log_cosh", epochs=5)
    assert_explained(model(x), true, 0.5)
