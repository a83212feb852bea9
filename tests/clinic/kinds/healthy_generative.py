"""Healthy programs: variational autoencoders and normalizing flows."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from sklearn import datasets

from ..lab import L, Lab, O, data, mlp
from .proof import assert_explained, assert_fell, assert_fell_by, batches, callback, healthy, pairs, told


@healthy("vae")
def vae_sums_by_hand(lab: Lab, seed: int) -> None:
    """Binary cross-entropy summed over the pixels plus the divergence, the loss alone passed on."""
    x, _ = data("digits")
    encoder, decoder = mlp(64, 32, 8, seed=seed), mlp(4, 32, 64, seed=seed + 1)
    optimizer = O.Adam(2e-3)
    variables = encoder.trainable_variables + decoder.trainable_variables
    optimizer.build(variables)

    @tf.function
    def train(xb: Any) -> Any:
        with tf.GradientTape() as tape:
            mean, log_variance = tf.split(encoder(xb), 2, axis=1)
            z = mean + tf.exp(0.5 * log_variance) * tf.random.normal(tf.shape(mean))
            pixels = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(xb, decoder(z)), axis=1)
            divergence = 0.5 * tf.reduce_sum(tf.exp(log_variance) + mean**2 - 1 - log_variance, axis=1)
            loss = tf.reduce_mean(pixels + divergence)
        optimizer.apply_gradients(pairs(tape, loss, variables))
        return loss

    losses = []
    with lab.watch([encoder, decoder], optimizer) as watch:
        for (xb,) in batches(seed, 250, x):
            losses.append(train(xb))
            watch.step(losses[-1])
    assert_fell(losses, 0.8)
    assert_explained(tf.sigmoid(decoder(encoder(x)[:, :4])), x, 0.15)


class Vae(keras.Model):
    def __init__(self, seed: int) -> None:
        super().__init__()
        self.encoder = mlp(64, 48, 12, activation="swish", seed=seed)
        self.decoder = mlp(6, 48, 64, activation="swish", last="sigmoid", seed=seed + 1)
        self.total, self.divergence = keras.metrics.Mean(name="loss"), keras.metrics.Mean(name="kl")

    @property
    def metrics(self) -> list[Any]:
        return [self.total, self.divergence]

    def call(self, x: Any) -> Any:
        return self.decoder(self.encoder(x)[:, :6])

    def train_step(self, x: Any) -> dict[str, Any]:
        with tf.GradientTape() as tape:
            mean, log_variance = tf.split(self.encoder(x, training=True), 2, axis=1)
            z = mean + tf.exp(0.5 * log_variance) * tf.random.normal(tf.shape(mean))
            pixels = tf.reduce_mean(tf.reduce_sum((x - self.decoder(z, training=True)) ** 2, axis=1))
            divergence = -0.5 * tf.reduce_sum(1 + log_variance - mean**2 - tf.exp(log_variance), axis=1)
            loss = pixels + 0.05 * tf.reduce_mean(divergence)
        self.optimizer.apply_gradients(pairs(tape, loss, self.trainable_variables))
        self.total.update_state(loss)
        self.divergence.update_state(divergence)
        return {"loss": self.total.result(), "kl": self.divergence.result()}


@healthy("vae")
def vae_with_its_own_train_step(lab: Lab, seed: int) -> None:
    x, _ = data("digits")
    model = Vae(seed)
    model(x[:2])
    model.compile(optimizer=O.Adam(3e-3))
    seen = model.fit(x, epochs=8, batch_size=64, verbose=0, callbacks=[callback(lab)])
    assert_fell(seen.history["loss"], 0.7)


class Sampling(L.Layer):
    def call(self, inputs: Any) -> Any:
        mean, log_variance = inputs
        self.add_loss(-0.01 * keras.ops.mean(1 + log_variance - mean**2 - keras.ops.exp(log_variance)))
        return mean + keras.ops.exp(0.5 * log_variance) * keras.random.normal(keras.ops.shape(mean))


@healthy("vae")
def vae_with_the_divergence_as_a_layer_loss(lab: Lab, seed: int) -> None:
    x, _ = data("digits")
    start = L.Input((64,))
    hidden = L.Dense(48, activation="relu")(start)
    z = Sampling()([L.Dense(6, name="mean")(hidden), L.Dense(6, name="log_variance")(hidden)])
    model = keras.Model(start, L.Dense(64, activation="sigmoid")(L.Dense(48, activation="relu")(z)))
    lab.fit(model, x, x, optimizer=O.Adam(5e-3), loss="mse", epochs=8)
    assert_explained(model(x), x, 0.3)


@healthy("normalizing-flow")
def affine_coupling_flow(lab: Lab, seed: int) -> None:
    """Four coupling layers on two moons scaled down: the negative log likelihood falls below zero."""
    x = (0.2 * datasets.make_moons(600, noise=0.05, random_state=seed)[0]).astype("f")
    nets = [mlp(1, 24, 24, 2, activation="tanh", seed=seed + i) for i in range(4)]
    variables = [v for net in nets for v in net.trainable_variables]
    optimizer = O.Adam(5e-3)
    optimizer.build(variables)

    def likelihood(xb: Any) -> Any:
        a, b, total = xb[:, :1], xb[:, 1:], tf.zeros((len(xb), 1))
        for net in nets:
            log_scale, shift = tf.split(net(a), 2, axis=1)
            log_scale = 3 * tf.tanh(log_scale)
            a, b, total = b * tf.exp(log_scale) + shift, a, total + log_scale
        return total[:, 0] - 0.5 * tf.reduce_sum(a**2 + b**2, axis=1) - np.log(2 * np.pi)

    @tf.function
    def train(xb: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(likelihood(xb))
        found = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(found, variables, strict=True))
        return loss, found

    losses = []
    with lab.watch(nets, optimizer) as watch:
        for (xb,) in batches(seed, 200, x, size=64):
            loss, found = train(xb)
            losses.append(loss)
            watch.step(loss, **told(lab, inputs=xb, gradients=list(zip(found, variables, strict=True))))
    assert_fell_by(losses, 0.5)
    assert float(losses[-1]) < 0


@healthy("normalizing-flow")
def mixture_density_network(lab: Lab, seed: int) -> None:
    """The likelihood of a narrow density is above one: the loss that `fit` shows goes below zero."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (800, 1)).astype("f")
    y = (0.3 * np.sign(rng.normal(size=x.shape)) * (1 + x) + rng.normal(0, 0.02, x.shape)).astype("f")

    def likelihood(t: Any, p: Any) -> Any:
        weight, mean, log_scale = tf.split(p, 3, axis=1)
        parts = tf.nn.log_softmax(weight) - 0.5 * ((t - mean) / tf.exp(log_scale)) ** 2 - log_scale - 0.919
        return -tf.reduce_logsumexp(parts, axis=1)

    model = mlp(1, 32, 32, 6, activation="tanh", seed=seed)
    lab.fit(model, x, y, optimizer=O.Adam(0.01), loss=likelihood, epochs=20)
    assert float(tf.reduce_mean(likelihood(tf.constant(y), model(x)))) < -0.3
