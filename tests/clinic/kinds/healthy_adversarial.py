"""Healthy programs: several models in one loop that train against or with one another, gradient penalties."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import L, Lab, O, data, mlp
from .proof import assert_accurate, assert_fell_by, batches, callback, healthy, pairs, told


def _ring(seed: int, count: int = 1000) -> Any:
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi, count)
    return np.stack([2 + np.cos(angle), np.sin(angle)], axis=1).astype("f")


class Gan(keras.Model):
    def __init__(self, seed: int) -> None:
        super().__init__()
        self.generator = mlp(4, 32, 32, 2, seed=seed)
        self.judge = mlp(2, 32, 32, 1, activation="leaky_relu", seed=seed + 1)
        self.cross = keras.losses.BinaryCrossentropy(from_logits=True)

    def compile(self, made: Any, judged: Any) -> None:
        super().compile()
        self.made, self.judged = made, judged

    def train_step(self, real: Any) -> dict[str, Any]:
        noise = tf.random.normal((tf.shape(real)[0], 4))
        with tf.GradientTape() as tape:
            fake, true = self.judge(self.generator(noise)), self.judge(real)
            judge_loss = self.cross(tf.ones_like(true), true) + self.cross(tf.zeros_like(fake), fake)
        self.judged.apply_gradients(pairs(tape, judge_loss, self.judge.trainable_weights))
        with tf.GradientTape() as tape:
            fake = self.judge(self.generator(noise))
            loss = self.cross(tf.ones_like(fake), fake)
        self.made.apply_gradients(pairs(tape, loss, self.generator.trainable_weights))
        return {"d_loss": judge_loss, "g_loss": loss}


def _assert_near_the_ring(generator: Any) -> None:
    made = np.asarray(generator(tf.random.normal((500, 4))))
    assert np.linalg.norm(made.mean(axis=0) - [2, 0]) < 0.9, made.mean(axis=0)


@healthy("gan")
def gan_in_its_own_train_step(lab: Lab, seed: int) -> None:
    """Two optimizers that `compile` does not know of by these names, no `loss` among what is reported."""
    model = Gan(seed)
    model.compile(O.Adam(2e-3, beta_1=0.5), O.Adam(2e-3, beta_1=0.5))
    model.fit(_ring(seed), epochs=8, batch_size=32, verbose=0, callbacks=[callback(lab)])
    _assert_near_the_ring(model.generator)


@healthy("gan")
def gan_by_hand_two_losses_summed(lab: Lab, seed: int) -> None:
    """Both sides in one compiled step; the sum of both losses is all that is passed on, and it does not fall."""
    generator, judge = mlp(4, 32, 2, seed=seed), mlp(2, 32, 32, 1, activation="leaky_relu", seed=seed + 1)
    makes, judges = O.Adam(2e-3, beta_1=0.5), O.Adam(2e-3, beta_1=0.5)
    makes.build(generator.trainable_variables)
    judges.build(judge.trainable_variables)

    @tf.function
    def train(real: Any) -> Any:
        noise = tf.random.normal((len(real), 4))
        with tf.GradientTape() as made, tf.GradientTape() as judged:
            fake, true = judge(generator(noise)), judge(real)
            loss = tf.reduce_mean(tf.nn.softplus(-fake))
            judge_loss = tf.reduce_mean(tf.nn.softplus(-true)) + tf.reduce_mean(tf.nn.softplus(fake))
        makes.apply_gradients(pairs(made, loss, generator.trainable_variables))
        judges.apply_gradients(pairs(judged, judge_loss, judge.trainable_variables))
        return loss + judge_loss

    with lab.watch([generator, judge], [makes, judges]) as watch:
        for (real,) in batches(seed, 300, _ring(seed)):
            watch.step(train(real))
    _assert_near_the_ring(generator)


@healthy("gradient-penalty")
def wasserstein_with_gradient_penalty(lab: Lab, seed: int) -> None:
    """Five steps of the critic for each of the generator; losses below zero; a gradient of a gradient."""
    generator, critic = mlp(4, 32, 2, seed=seed), mlp(2, 32, 32, 1, activation="elu", seed=seed + 1)
    makes, judges = O.Adam(5e-3, 0.5, 0.9), O.Adam(5e-3, 0.5, 0.9)
    makes.build(generator.trainable_variables)
    judges.build(critic.trainable_variables)

    @tf.function
    def judge(real: Any) -> Any:
        fake = generator(tf.random.normal((len(real), 4)))
        between = fake + tf.random.uniform((len(real), 1)) * (real - fake)
        with tf.GradientTape() as tape:
            with tf.GradientTape() as inner:
                inner.watch(between)
                scores = critic(between)
            slope = tf.norm(inner.gradient(scores, between), axis=1)
            loss = tf.reduce_mean(critic(fake)) - tf.reduce_mean(critic(real)) + tf.reduce_mean((slope - 1) ** 2)
        judges.apply_gradients(pairs(tape, loss, critic.trainable_variables))
        return loss

    @tf.function
    def make() -> Any:
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(critic(generator(tf.random.normal((32, 4)))))
        makes.apply_gradients(pairs(tape, loss, generator.trainable_variables))
        return loss

    with lab.watch([generator, critic], [makes, judges]) as watch:
        for number, (real,) in enumerate(batches(seed, 400, _ring(seed)), 1):
            watch.step(make() if number % 5 == 0 else judge(real))
    _assert_near_the_ring(generator)


@healthy("gradient-penalty")
def input_gradient_penalty_in_a_classifier(lab: Lab, seed: int) -> None:
    x, y = data("wine")
    model, optimizer = mlp(13, 24, 3, activation="tanh", seed=seed), O.Adam(0.01)
    cross = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with lab.watch(model, optimizer) as watch:
        for xb, yb in batches(seed, 70, x, y):
            with tf.GradientTape() as tape:
                with tf.GradientTape() as inner:
                    inner.watch(xb)
                    loss = cross(yb, model(xb))
                total = loss + 0.5 * tf.reduce_sum(inner.gradient(loss, xb) ** 2)
            gradients = pairs(tape, total, model.trainable_variables)
            optimizer.apply_gradients(gradients)
            watch.step(total, **told(lab, inputs=xb, targets=yb, gradients=gradients))
    assert_accurate(model(x), y, 0.9)


@healthy("co-training")
def two_models_teach_each_other(lab: Lab, seed: int) -> None:
    """Deep mutual learning: each fits the labels and the other's predictions; one loop, two optimizers."""
    x, y = data("digits")
    one, other = mlp(64, 32, 10, seed=seed), mlp(64, 48, 10, activation="tanh", seed=seed + 5)
    optimizers = [O.Adam(3e-3), O.SGD(0.1, momentum=0.9)]
    for optimizer, model in zip(optimizers, (one, other), strict=True):
        optimizer.build(model.trainable_variables)

    @tf.function
    def train(xb: Any, yb: Any) -> Any:
        total = 0.0
        for model, mate, optimizer in ((one, other, optimizers[0]), (other, one, optimizers[1])):
            with tf.GradientTape() as tape:
                logits = model(xb)
                near = tf.nn.softmax_cross_entropy_with_logits(tf.nn.softmax(mate(xb)), logits)
                loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(yb, logits) + 0.5 * near)
            optimizer.apply_gradients(pairs(tape, loss, model.trainable_variables))
            total += loss
        return total / 2

    with lab.watch([one, other], optimizers) as watch:
        for xb, yb in batches(seed, 150, x, y):
            watch.step(train(xb, yb))
    assert_accurate(one(x), y, 0.85)
    assert_accurate(other(x), y, 0.85)


@tf.custom_gradient
def _reversed(x: Any) -> Any:
    return tf.identity(x), lambda upstream: -0.3 * upstream


@healthy("domain-adaptation")
def gradient_reversed_for_the_domain_head(lab: Lab, seed: int) -> None:
    """The domain head gets worse on purpose: its loss rises to chance while the labels are learned."""
    x, y = data("digits")
    shifted = (0.7 * x + 0.3).astype("f")
    start = L.Input((64,))
    hidden = L.Dense(48, activation="relu")(start)
    labels = L.Dense(10, name="labels")(hidden)
    domain = L.Dense(1, name="domain")(L.Dense(16, activation="relu")(L.Lambda(_reversed)(hidden)))
    model, optimizer = keras.Model(start, [labels, domain]), O.Adam(3e-3)
    optimizer.build(model.trainable_variables)

    @tf.function
    def train(xb: Any, yb: Any, other: Any) -> Any:
        with tf.GradientTape() as tape:
            logits, domain = model(tf.concat([xb, other], axis=0), training=True)
            where = tf.concat([tf.zeros((32, 1)), tf.ones((32, 1))], axis=0)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(yb, logits[:32]))
            total = loss + tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(where, domain))
        optimizer.apply_gradients(pairs(tape, total, model.trainable_variables))
        return total

    losses = []
    with lab.watch(model, optimizer) as watch:
        for xb, yb, other in batches(seed, 200, x, y, shifted):
            losses.append(train(xb, yb, other))
            watch.step(losses[-1])
    assert_fell_by(losses, 0.5)
    assert_accurate(model(x)[0], y, 0.7)
    assert_accurate(model(shifted)[0], y, 0.3)
