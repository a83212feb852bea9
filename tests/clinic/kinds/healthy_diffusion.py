"""Healthy programs: noise or score predicted at many levels of noise."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from sklearn import datasets

from ..lab import Lab, O, data, mlp
from .proof import assert_fell, batches, callback, healthy, pairs, told


@healthy("diffusion")
def noise_predicted_in_two_dimensions(lab: Lab, seed: int) -> None:
    """The predicted noise explains only part of it at small levels: the loss falls little, and noisily."""
    x = datasets.make_moons(800, noise=0.05, random_state=seed)[0].astype("f")
    kept = np.cumprod(1 - np.linspace(1e-3, 0.1, 40)).astype("f")
    model = mlp(3, 64, 64, 2, activation="swish", seed=seed)
    optimizer = O.Adam(2e-3)
    optimizer.build(model.trainable_variables)

    @tf.function
    def train(xb: Any) -> Any:
        level = tf.random.uniform((len(xb), 1), 0, 40, dtype=tf.int32)
        share, noise = tf.gather(kept, level), tf.random.normal(tf.shape(xb))
        mixed = tf.sqrt(share) * xb + tf.sqrt(1 - share) * noise
        with tf.GradientTape() as tape:
            p = model(tf.concat([mixed, tf.cast(level, tf.float32) / 40], axis=1))
            loss = tf.reduce_mean((p - noise) ** 2)
        optimizer.apply_gradients(pairs(tape, loss, model.trainable_variables))
        return loss

    losses = []
    with lab.watch(model, optimizer) as watch:
        for (xb,) in batches(seed, 400, x, size=64):
            losses.append(train(xb))
            watch.step(losses[-1])
    assert_fell(losses, 0.85)
    assert np.mean(losses[-40:]) < 0.6  # no prediction gives 1


class Denoiser(keras.Model):
    def __init__(self, seed: int) -> None:
        super().__init__()
        self.network = mlp(65, 96, 64, seed=seed)
        self.shown = keras.metrics.Mean(name="noise_loss")

    def train_step(self, x: Any) -> dict[str, Any]:
        time = tf.random.uniform((tf.shape(x)[0], 1))
        noise = tf.random.normal(tf.shape(x))
        mixed = tf.cos(1.5 * time) * x + tf.sin(1.5 * time) * noise
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.abs(self.network(tf.concat([mixed, time], axis=1), training=True) - noise))
        self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
        self.shown.update_state(loss)
        return {m.name: m.result() for m in [self.shown]}


@healthy("diffusion")
def denoising_model_of_digits(lab: Lab, seed: int) -> None:
    x = data("digits")[0] * 2 - 1
    model = Denoiser(seed)
    model.compile(optimizer=O.AdamW(3e-3, weight_decay=1e-4))
    seen = model.fit(x, epochs=10, batch_size=64, verbose=0, callbacks=[callback(lab)])
    assert_fell(seen.history["noise_loss"], 0.8)


@healthy("diffusion")
def score_matching_by_hand(lab: Lab, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = np.where(rng.random((600, 1)) > 0.5, 1.5, -1.5) + 0.3 * rng.normal(size=(600, 2))
    model, optimizer = mlp(2, 32, 32, 2, activation="elu", seed=seed), O.RMSprop(4e-3)
    losses = []
    with lab.watch(model, optimizer) as watch:
        for (xb,) in batches(seed, 120, x.astype("f"), size=64):
            noise = tf.random.normal(tf.shape(xb))
            with tf.GradientTape() as tape:
                loss = 0.5 * tf.reduce_mean(tf.reduce_sum((0.5 * model(xb + 0.5 * noise) + noise) ** 2, axis=1))
            gradients = pairs(tape, loss, model.trainable_variables)
            optimizer.apply_gradients(gradients)
            losses.append(loss)
            watch.step(loss, **told(lab, inputs=xb, gradients=gradients))
    assert_fell(losses, 0.9)
    assert np.mean(losses[-20:]) < 0.75  # no score at all gives 1
