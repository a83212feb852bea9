"""Healthy programs: autoencoders with narrow or sparse codes, losses summed over pixels, several heads, plateaus."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import L, Lab, O, data, mlp
from .proof import assert_accurate, assert_explained, assert_fell, batches, callback, healthy, pairs, told

SPARSE = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


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


class _Codebook(keras.Model):
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
    model = _Codebook(seed)
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
