"""Losses that nobody declared: signs, margins, means taken too early, custom train_step."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import L, Lab, O, data, mlp
from .faulty_tools import bce, drive, faulty, linear, sparse, trainer

KIND = "undeclared-loss"


@faulty("wrong-loss", "optimizer-misconfigured", "learning-rate-too-large", kind=KIND)
def loss_is_maximised_by_the_step(lab: Lab, bad: bool) -> Any:
    model = mlp(13, 16, 3, last="softmax")
    rate = 0.05 if bad else -0.05

    def step(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = sparse(yb, model(xb, training=True))
        for v, g in zip(model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True):
            v.assign_add(rate * g)
        return loss

    return drive(lab, model, None, step, *data("wine"))


@faulty("wrong-loss", kind=KIND)
def log_likelihood_without_its_minus(lab: Lab, bad: bool) -> Any:
    model, optimizer = mlp(64, 24, 10, last="softmax"), O.Adam(0.003)
    sign = 1.0 if bad else -1.0

    def loss_of(y: Any, p: Any) -> Any:
        return sign * tf.reduce_mean(tf.math.log(tf.gather(p, y, batch_dims=1) + 1e-8))

    step = trainer(model, optimizer, loss_of, graph=True)
    return drive(lab, model, optimizer, step, *data("digits"))


@faulty("wrong-loss", kind=KIND)
def cosine_loss_with_the_wrong_sign(lab: Lab, bad: bool) -> Any:
    """Keras' cosine_similarity is negative already."""
    x, _ = data("digits")
    target = (x @ np.random.default_rng(0).normal(size=(64, 8)) / 8).astype("f")

    def loss(t: Any, p: Any) -> Any:
        similarity = keras.losses.cosine_similarity(t, p)
        return 1 - similarity if bad else 1 + similarity

    return lab.fit(mlp(64, 24, 8), x, target, optimizer=O.Adam(0.003), loss=loss, epochs=4)


@faulty("wrong-loss", "loss-disconnected", kind=KIND)
def loss_of_the_first_sample_of_a_fixed_batch(lab: Lab, bad: bool) -> Any:
    x, y = data("wine")
    model, optimizer = mlp(13, 16, 3), O.SGD(0.1)

    def loss_of(t: Any, p: Any) -> Any:
        each = tf.nn.sparse_softmax_cross_entropy_with_logits(t, p)
        return each[0] if bad else tf.reduce_mean(each)

    step = trainer(model, optimizer, loss_of)
    whole = [(tf.constant(x), tf.constant(y))] * 100
    return drive(lab, model, optimizer, step, x, y, feed=whole)


@faulty("wrong-loss", kind=KIND)
def mean_taken_before_the_square(lab: Lab, bad: bool) -> Any:
    model, optimizer = mlp(6, 16, 1), O.SGD(0.05)

    def loss_of(y: Any, p: Any) -> Any:
        return tf.square(tf.reduce_mean(p - y)) if bad else tf.reduce_mean(tf.square(p - y))

    step = trainer(model, optimizer, loss_of, graph=True)
    return drive(lab, model, optimizer, step, *linear(seed=12), steps=150)


class OwnLoss(keras.Model):
    """A classifier that computes its loss itself."""

    def __init__(self, loss_of: Any, inputs: int, classes: int) -> None:
        super().__init__()
        self.net, self.loss_of = mlp(inputs, 24, classes, last="softmax"), loss_of

    def call(self, x: Any) -> Any:
        return self.net(x)

    def train_step(self, batch: Any) -> Any:
        x, y = batch
        with tf.GradientTape() as tape:
            loss = self.loss_of(y, self.net(x, training=True))
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return {"own": loss}


@faulty("wrong-loss", "loss-activation-mismatch", kind=KIND)
def train_step_squares_class_ids(lab: Lab, bad: bool) -> Any:
    def squared(y: Any, p: Any) -> Any:
        return tf.reduce_mean(tf.square(tf.cast(y, "float32")[:, None] - p))

    x, y = data("digits")
    return lab.fit(OwnLoss(squared if bad else sparse, 64, 10), x, y, optimizer=O.Adam(0.005), loss=None, epochs=4)


@faulty("loss-activation-mismatch", kind=KIND)
def train_step_applies_softmax_again(lab: Lab, bad: bool) -> Any:
    def twice(y: Any, p: Any) -> Any:
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, p))

    model = OwnLoss(twice if bad else sparse, 64, 10)
    return lab.fit(model, *data("digits"), optimizer=O.SGD(0.05), loss=None, epochs=5)


@faulty("loss-disconnected", "zero-gradient", "wrong-loss", kind=KIND)
def triplets_with_a_negative_margin(lab: Lab, bad: bool) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(4)
    model = keras.Sequential([L.Input((64,)), L.Dense(24, activation="relu"), L.Dense(4), L.UnitNormalization()])
    optimizer, margin = O.Adam(0.005), -5.0 if bad else 0.5
    by_class = [np.flatnonzero(y == k) for k in range(10)]
    rng = np.random.default_rng(0)

    def step(_: Any, __: Any) -> Any:
        classes = [rng.choice(10, 2, replace=False) for _ in range(32)]
        rows = [[*rng.choice(by_class[a], 2), rng.choice(by_class[b])] for a, b in classes]
        anchor, positive, negative = (tf.constant(x[[r[i] for r in rows]]) for i in range(3))
        with tf.GradientTape() as tape:
            a, p, n = (model(t, training=True) for t in (anchor, positive, negative))
            near, far = (tf.reduce_sum(tf.square(a - o), axis=1) for o in (p, n))
            loss = tf.reduce_mean(tf.nn.relu(near - far + margin))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    return drive(lab, model, optimizer, step, x, y, steps=50)


@faulty("label-problem", "wrong-loss", kind=KIND)
def hinge_of_labels_zero_and_one(lab: Lab, bad: bool) -> Any:
    model, optimizer = mlp(30, 16, 1), O.SGD(0.05)

    def loss_of(y: Any, p: Any) -> Any:
        y = tf.cast(y, "float32") if bad else 2 * tf.cast(y, "float32") - 1
        return tf.reduce_mean(tf.nn.relu(1 - y * p))

    step = trainer(model, optimizer, loss_of)
    return drive(lab, model, optimizer, step, *data("breast_cancer"))


@faulty("no-gradient", "loss-disconnected", kind=KIND)
def predicted_before_the_tape(lab: Lab, bad: bool) -> Any:
    model, optimizer = mlp(30, 16, 1, last="sigmoid"), O.SGD(0.2)

    def step(xb: Any, yb: Any) -> Any:
        p = model(xb, training=True)
        with tf.GradientTape() as tape:
            loss = bce(yb, p if bad else model(xb, training=True))
        variables = model.trainable_variables
        pairs = [(g, v) for g, v in zip(tape.gradient(loss, variables), variables, strict=True) if g is not None]
        if pairs:
            optimizer.apply_gradients(pairs)
        return loss

    return drive(lab, model, optimizer, step, *data("breast_cancer"), steps=80)
