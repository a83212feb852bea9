"""Healthy programs: pipelines of data, layers that normalise their weights."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import L, Lab, O, data, mlp
from .proof import assert_accurate, batches, callback, healthy, pairs, told

SPARSE = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@healthy("pipeline")
def repeated_and_augmented_data_set(lab: Lab, seed: int) -> None:
    """A tf.data pipeline without an end, shuffled, shifted and batched; epochs are a number of steps."""
    x, y = data("digits")

    def shifted(image: Any, label: Any) -> Any:
        return tf.roll(image, tf.random.uniform((), -1, 2, tf.int32), axis=1), label

    rows = tf.data.Dataset.from_tensor_slices((x.reshape(-1, 8, 8, 1), y)).shuffle(500, seed=seed).repeat()
    model = keras.Sequential([L.Input((8, 8, 1)), L.Conv2D(8, 3, activation="relu"), L.MaxPooling2D(), L.Flatten(),
                              L.Dense(10)])  # fmt: skip
    model.compile(O.Adam(0.01), SPARSE)
    model.fit(rows.map(shifted).batch(32).prefetch(2), epochs=4, steps_per_epoch=40, verbose=0,
              callbacks=[callback(lab)])  # fmt: skip
    assert_accurate(model(x.reshape(-1, 8, 8, 1)), y, 0.75)


@healthy("pipeline")
def generator_of_mixed_pictures(lab: Lab, seed: int) -> None:
    """Mix-up: every input is a blend of two, every target of two labels; the loss can't come near zero."""
    x, y = data("digits")
    rng, targets = np.random.default_rng(seed), np.eye(10, dtype="f")[y]

    def mixed() -> Any:
        while True:
            i, j, share = rng.integers(0, len(x), 32), rng.integers(0, len(x), 32), rng.beta(0.4, 0.4, (32, 1))
            blend = [share * a[i] + (1 - share) * a[j] for a in (x, targets)]
            yield tuple(part.astype("f") for part in blend)

    model = mlp(64, 48, 10, seed=seed)
    model.compile(O.Adam(5e-3), keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1))
    model.fit(mixed(), epochs=3, steps_per_epoch=60, verbose=0, callbacks=[callback(lab)])
    assert_accurate(model(x), y, 0.8)


class WeightNormalised(L.Layer):
    def __init__(self, units: int, activation: str | None = None) -> None:
        super().__init__()
        self.units, self.activation = units, keras.activations.get(activation)

    def build(self, shape: Any) -> None:
        self.direction = self.add_weight(shape=(shape[-1], self.units), initializer="random_normal", name="direction")
        self.length = self.add_weight(shape=(self.units,), initializer="ones", name="length")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, x: Any) -> Any:
        kernel = self.length * self.direction / (keras.ops.norm(self.direction, axis=0) + 1e-6)
        return self.activation(x @ kernel + self.bias)


@healthy("weight-normalised")
def length_and_direction_apart(lab: Lab, seed: int) -> None:
    x, y = data("digits")
    model = keras.Sequential([L.Input((64,)), WeightNormalised(48, "relu"), WeightNormalised(10)])
    lab.fit(model, x, y, optimizer=O.Adam(5e-3), loss=SPARSE, epochs=4)
    assert_accurate(model(x), y, 0.85)


@healthy("weight-normalised")
def spectral_norm_by_hand(lab: Lab, seed: int) -> None:
    """The wrapper assigns kernels in every forward pass of training."""
    x, y = data("digits")
    layers = [L.SpectralNormalization(L.Dense(48, activation="relu")), L.Dense(10)]
    model, optimizer = keras.Sequential([L.Input((64,)), *layers]), O.Adam(5e-3)
    with lab.watch(model, optimizer) as watch:
        for xb, yb in batches(seed, 90, x, y):
            with tf.GradientTape() as tape:
                p = model(xb, training=True)
                loss = SPARSE(yb, p)
            gradients = pairs(tape, loss, model.trainable_variables)
            optimizer.apply_gradients(gradients)
            watch.step(loss, **told(lab, inputs=xb, targets=yb, predictions=p, gradients=gradients))
    assert_accurate(model(x), y, 0.75)
