"""Healthy programs: fine-tuning in phases, `fit` called again and again, folds."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import L, Lab, O, data, mlp
from .proof import assert_accurate, assert_explained, assert_fell, batches, callback, healthy, pairs

SPARSE = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def _pretrained(seed: int, normalised: bool = False) -> Any:
    """Returns a base that has learned whether a digit is odd."""
    x, y = data("digits")
    middle = [L.BatchNormalization()] if normalised else []
    base = keras.Sequential([L.Input((64,)), L.Dense(48, activation="relu"), *middle, L.Dense(32, activation="relu")])
    model = keras.Sequential([base, L.Dense(1, activation="sigmoid")])
    model.compile(O.Adam(5e-3), "binary_crossentropy")
    model.fit(x, y % 2, epochs=3, verbose=0)
    return base


@healthy("fine-tuning")
def base_frozen_then_unfrozen(lab: Lab, seed: int) -> None:
    """The head alone, then all of it at a hundredth of the rate; one callback for both fits."""
    x, y = data("digits")
    base, watch = _pretrained(seed), callback(lab)
    base.trainable = False
    model = keras.Sequential([base, L.Dense(10)])
    model.compile(O.Adam(0.01), SPARSE)
    model.fit(x, y, epochs=3, verbose=0, callbacks=[watch])
    base.trainable = True
    model.compile(O.Adam(1e-4), SPARSE)
    model.fit(x, y, epochs=3, verbose=0, callbacks=[watch])
    assert_accurate(model(x), y, 0.75)


@healthy("fine-tuning")
def normalisation_kept_in_inference_mode(lab: Lab, seed: int) -> None:
    """The base runs with `training=False` and is frozen but for its last layer: statistics never move."""
    x, y = data("digits")
    base = _pretrained(seed, normalised=True)
    for layer in base.layers[:-1]:
        layer.trainable = False
    start = L.Input((64,))
    model = keras.Model(start, L.Dense(10)(L.Dropout(0.2)(base(start, training=False))))
    lab.fit(model, x, y, optimizer=O.Adam(3e-3), loss=SPARSE, epochs=5)
    assert_accurate(model(x), y, 0.75)


@healthy("fine-tuning")
def layers_thawed_one_after_another(lab: Lab, seed: int) -> None:
    """By hand: the list of what is trained grows from the head downwards, with a new optimizer for each stage."""
    x, y = data("digits")
    model = keras.Sequential([_pretrained(seed), L.Dense(10)])
    model.build((None, 64))
    layers = [model.layers[-1], *reversed(model.layers[0].layers)]
    listed: list[Any] = []
    with lab.watch(model) as watch:
        for layer in layers:
            listed += layer.trainable_variables
            optimizer = O.Adam(5e-3)
            for xb, yb in batches(seed, 40, x, y):
                with tf.GradientTape() as tape:
                    loss = SPARSE(yb, model(xb, training=True))
                optimizer.apply_gradients(pairs(tape, loss, listed))
                watch.step(loss)
    assert_accurate(model(x), y, 0.75)


class LowRank(L.Layer):
    def __init__(self, dense: Any, rank: int = 4) -> None:
        super().__init__()
        self.dense, self.rank = dense, rank
        dense.trainable = False

    def build(self, shape: Any) -> None:
        self.down = self.add_weight(shape=(shape[-1], self.rank), initializer="he_normal", name="down")
        self.up = self.add_weight(shape=(self.rank, self.dense.units), initializer="zeros", name="up")

    def call(self, x: Any) -> Any:
        return self.dense.activation(x @ self.dense.kernel + self.dense.bias + x @ self.down @ self.up)


@healthy("fine-tuning")
def low_rank_updates_of_frozen_layers(lab: Lab, seed: int) -> None:
    """Nearly all weights are frozen, and half of what is trained begins at zero."""
    x, y = data("digits")
    base = _pretrained(seed)
    model = keras.Sequential([L.Input((64,)), *(LowRank(layer) for layer in base.layers), L.Dense(10)])
    lab.fit(model, x, y, optimizer=O.AdamW(5e-3), loss=SPARSE, epochs=4)
    assert_accurate(model(x), y, 0.8)


@healthy("fit-again-and-again")
def one_epoch_at_a_time_with_one_callback(lab: Lab, seed: int) -> None:
    x, y = data("diabetes")
    model, watch = mlp(10, 24, 1, seed=seed), callback(lab)
    model.compile(O.Adam(5e-3), "mse")
    for _ in range(10):
        model.fit(x, y, epochs=1, verbose=0, callbacks=[watch])
        model.evaluate(x, y, verbose=0)
    assert_explained(model(x), y, 0.4)


@healthy("fit-again-and-again")
def new_callback_for_each_epoch(lab: Lab, seed: int) -> None:
    """A stateful network whose states are reset by hand between epochs."""
    t = np.arange(480)
    wave = (np.sin(t / 5) + 0.05 * np.random.default_rng(seed).normal(size=480)).astype("f")
    x, y = wave[:-1][: 32 * 14].reshape(32, 14, 1), wave[1:][: 32 * 14].reshape(32, 14, 1)
    lstm = L.LSTM(12, stateful=True, return_sequences=True)
    model = keras.Sequential([L.Input(batch_shape=(32, 14, 1)), lstm, L.Dense(1)])
    model.compile(O.Adam(0.02), "mse")
    for _ in range(25):
        model.fit(x, y, epochs=1, batch_size=32, shuffle=False, verbose=0, callbacks=[callback(lab)])
        lstm.reset_states()
    assert_explained(model.predict(x, batch_size=32, verbose=0), y, 0.5)


@healthy("fit-again-and-again")
def batches_trained_one_by_one(lab: Lab, seed: int) -> None:
    """`train_on_batch` in a loop with a Watch: Keras makes the step, the loop passes on the loss."""
    x, y = data("digits")
    model = mlp(64, 32, 10, seed=seed)
    model.compile(O.Adam(5e-3), SPARSE)
    losses = []
    with lab.watch(model, model.optimizer) as watch:
        for xb, yb in batches(seed, 150, x, y):
            losses.append(model.train_on_batch(xb, yb))
            watch.step(losses[-1])
    assert_accurate(model(x), y, 0.8)


@healthy("folds", seeds=1)
def new_model_for_each_fold_under_fit(lab: Lab, seed: int) -> None:
    x, y = data("wine")
    scores = []
    for fold in range(4):
        held = np.arange(len(x)) % 4 == fold
        model = mlp(13, 16, 3, seed=seed + fold)
        lab.fit(model, x[~held], y[~held], optimizer=O.Adam(0.01), loss=SPARSE, epochs=10)
        scores.append(np.mean(np.asarray(model(x[held])).argmax(axis=1) == y[held]))
    assert np.mean(scores) > 0.85, scores


@healthy("folds", seeds=1)
def new_watch_for_each_fold(lab: Lab, seed: int) -> None:
    x, y = data("diabetes")
    for fold in range(3):
        held = np.arange(len(x)) % 3 == fold
        model, optimizer, losses = mlp(10, 16, 1, seed=seed + fold), O.Adam(0.01), []
        with lab.watch(model, optimizer) as watch:
            for xb, yb in batches(seed, 60, x[~held], y[~held]):
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean((model(xb) - yb) ** 2)
                optimizer.apply_gradients(pairs(tape, loss, model.trainable_variables))
                losses.append(loss)
                watch.step(loss)
        assert_fell(losses, 0.8)
