"""Healthy programs: autoencoders with narrow or sparse codes, losses summed over pixels."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import L, Lab, O, data, mlp
from .proof import assert_explained, assert_fell, batches, healthy, pairs, told


@healthy("autoencoder")
def sparse_code_by_an_activity_penalty(lab: Lab, seed: int) -> None:
    """Most of the code's units are off for any one picture, and some for all."""
    x, _ = data("digits")
    code = L.Dense(128, activation="relu", activity_regularizer=keras.regularizers.l1(1e-4))
    model = keras.Sequential([L.Input((64,)), code, L.Dense(64)])
    lab.fit(model, x, x, optimizer=O.Adam(3e-3), epochs=6)
    assert_explained(model(x), x, 0.5)


@healthy("autoencoder")
def only_the_largest_codes_pass(lab: Lab, seed: int) -> None:
    """Five of 64 units get a gradient from a row."""
    x, _ = data("digits")
    encoder, decoder, optimizer = mlp(64, 64, seed=seed), mlp(64, 64, seed=seed + 1), O.Adam(3e-3)
    with lab.watch([encoder, decoder], optimizer) as watch:
        for (xb,) in batches(seed, 100, x):
            with tf.GradientTape() as tape:
                z = encoder(xb)
                kept = tf.cast(z >= tf.math.top_k(z, 5).values[:, -1:], z.dtype)
                loss = tf.reduce_mean((decoder(z * kept) - xb) ** 2)
            variables = encoder.trainable_variables + decoder.trainable_variables
            gradients = pairs(tape, loss, variables)
            optimizer.apply_gradients(gradients)
            watch.step(loss, **told(lab, inputs=xb, targets=xb, gradients=gradients))
    z = np.asarray(encoder(x))
    z = z * (z >= np.sort(z, axis=1)[:, -5:-4])
    assert_explained(decoder(z), x, 0.3)


class Codebook(keras.Model):
    """Vectors of a codebook stand for what the encoder says; the gradient passes straight through."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.encoder = mlp(64, 48, 16, seed=seed)
        self.decoder = mlp(16, 48, 64, seed=seed + 1)
        self.book = self.add_weight(shape=(32, 4), initializer="random_normal", name="book")

    def call(self, x: Any) -> Any:
        z = tf.reshape(self.encoder(x), (-1, 4, 4))
        apart = tf.reduce_sum((z[:, :, None] - self.book[None, None]) ** 2, axis=-1)
        chosen = tf.gather(tf.convert_to_tensor(self.book), tf.argmin(apart, axis=-1))
        self.add_loss(tf.reduce_mean((tf.stop_gradient(z) - chosen) ** 2))
        self.add_loss(0.25 * tf.reduce_mean((z - tf.stop_gradient(chosen)) ** 2))
        return self.decoder(tf.reshape(z + tf.stop_gradient(chosen - z), (-1, 16)))


@healthy("autoencoder")
def vectors_from_a_codebook(lab: Lab, seed: int) -> None:
    x, _ = data("digits")
    model = Codebook(seed)
    lab.fit(model, x, x, optimizer=O.Adam(3e-3), epochs=8)
    assert_explained(model(x), x, 0.3)


@healthy("autoencoder")
def noise_removed_from_digits(lab: Lab, seed: int) -> None:
    x, _ = data("digits")
    noisy = (x + 0.3 * np.random.default_rng(seed).normal(size=x.shape)).astype("f")
    start = L.Input((64,))
    hidden = L.GaussianNoise(0.1)(start)
    for units in (48, 24, 48):
        hidden = L.LeakyReLU()(L.BatchNormalization()(L.Dense(units)(hidden)))
    model = keras.Model(start, L.Dense(64, activation="sigmoid")(hidden))
    lab.fit(model, noisy, x, optimizer=O.Nadam(3e-3), loss="binary_crossentropy", epochs=6)
    assert_explained(model(noisy), x, 0.4)


@healthy("summed-loss")
def squares_summed_over_the_picture(lab: Lab, seed: int) -> None:
    """A convolutional autoencoder with a loss of several hundred for each batch: a sum over pixels and rows."""
    x = data("digits")[0].reshape(-1, 8, 8, 1)
    model = keras.Sequential([
        L.Input((8, 8, 1)), L.Conv2D(8, 3, 2, "same", activation="relu"), L.Conv2D(4, 3, 2, "same", activation="relu"),
        L.Conv2DTranspose(8, 3, 2, "same", activation="relu"), L.Conv2DTranspose(1, 3, 2, "same"),
    ])  # fmt: skip
    optimizer = O.Adam(5e-3)
    optimizer.build(model.trainable_variables)

    @tf.function
    def train(xb: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum((model(xb, training=True) - xb) ** 2)
        optimizer.apply_gradients(pairs(tape, loss, model.trainable_variables))
        return loss

    losses = []
    with lab.watch(model, optimizer) as watch:
        for (xb,) in batches(seed, 200, x):
            losses.append(train(xb))
            watch.step(losses[-1])
    assert_fell(losses, 0.4)


@healthy("summed-loss")
def mask_of_each_pixel_summed(lab: Lab, seed: int) -> None:
    """Segmentation under `fit`: cross-entropy and overlap, summed over the pixels of a row."""
    x = data("digits")[0].reshape(-1, 8, 8, 1)
    ink = (x > 0.5).astype("f")
    seen = (x + 0.3 * np.random.default_rng(seed).normal(size=x.shape)).astype("f")
    start = L.Input((8, 8, 1))
    one = L.Conv2D(8, 3, padding="same", activation="relu")(start)
    two = L.UpSampling2D()(L.Conv2D(8, 3, padding="same", activation="relu")(L.MaxPooling2D()(one)))
    model = keras.Model(start, L.Conv2D(1, 3, padding="same")(L.Concatenate()([one, two])))

    def loss(t: Any, p: Any) -> Any:
        pixels = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(t, p), axis=(1, 2, 3))
        q = tf.sigmoid(p)
        both, either = tf.reduce_sum(t * q, axis=(1, 2, 3)), tf.reduce_sum(t + q, axis=(1, 2, 3))
        return pixels + 10 * (1 - (2 * both + 1) / (either + 1))

    lab.fit(model, seen, ink, optimizer=O.Adam(5e-3), loss=loss, epochs=2)
    assert np.mean((np.asarray(model(seen)) > 0) == (ink > 0)) > 0.85
