"""Losses that nobody declared, in hand-written loops: activations, axes, shapes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import Lab, O, data, mlp
from .faulty_tools import cnn, drive, faulty, linear, logits_loss, pictures, sparse, trainer

KIND = "undeclared-loss"
MISMATCH = "loss-activation-mismatch"


@faulty(MISMATCH, kind=KIND)
def softmax_into_a_loss_of_logits(lab: Lab, bad: bool) -> Any:
    model, optimizer = cnn(last="softmax" if bad else None), O.SGD(0.1)
    x, y = data("digits")
    step = trainer(model, optimizer, logits_loss, graph=True)
    return drive(lab, model, optimizer, step, pictures(x), y, steps=150)


@faulty(MISMATCH, kind=KIND, twin=False)
def sigmoid_into_a_loss_of_logits(lab: Lab) -> Any:
    model, optimizer = mlp(30, 16, 1, activation="tanh", last="sigmoid"), O.SGD(0.01)

    def loss_of(y: Any, p: Any) -> Any:
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(y, "float32"), p))

    step = trainer(model, optimizer, loss_of, alone=True)
    return drive(lab, model, optimizer, step, *data("breast_cancer"), steps=150)


@faulty(MISMATCH, "zero-gradient", "loss-disconnected", kind=KIND)
def log_probabilities_into_a_log(lab: Lab, bad: bool) -> Any:
    model, optimizer = mlp(13, 16, 3), O.SGD(0.2)

    def forward(xb: Any) -> Any:
        z = model(xb, training=True)
        return tf.nn.log_softmax(z) if bad else tf.nn.softmax(z)

    def loss_of(y: Any, p: Any) -> Any:
        return -tf.reduce_mean(tf.math.log(tf.clip_by_value(tf.gather(p, y, batch_dims=1), 1e-7, 1.0)))

    step = trainer(model, optimizer, loss_of, forward=forward)
    return drive(lab, model, optimizer, step, *data("wine"), steps=60)


@faulty("wrong-loss", kind=KIND)
def absolute_error_of_every_pair(lab: Lab, bad: bool) -> Any:
    x, y = linear(seed=11)
    model, optimizer = mlp(6, 16, 1), O.Adam(0.01)

    def loss_of(t: Any, p: Any) -> Any:
        return tf.reduce_mean(tf.abs(t - (p if bad else p[:, 0])))

    step = trainer(model, optimizer, loss_of, graph=True)
    return drive(lab, model, optimizer, step, x, y[:, 0], steps=150)


@faulty("wrong-loss", kind=KIND, twin=False)
def log_loss_of_every_pair(lab: Lab) -> Any:
    x, y = data("breast_cancer")
    model, optimizer = mlp(30, 16, 1, last="sigmoid"), O.RMSprop(0.003)

    def loss_of(t: Any, p: Any) -> Any:
        t, p = tf.cast(t, "float32"), tf.clip_by_value(p, 1e-6, 1 - 1e-6)
        return -tf.reduce_mean(t * tf.math.log(p) + (1 - t) * tf.math.log(1 - p))

    step = trainer(model, optimizer, loss_of, alone=True)
    return drive(lab, model, optimizer, step, x, y[:, 0], steps=120)


@faulty(MISMATCH, "wrong-loss", kind=KIND)
def softmax_over_the_batch(lab: Lab, bad: bool) -> Any:
    model, optimizer = mlp(64, 24, 10), O.Adam(0.003)

    def forward(xb: Any) -> Any:
        return tf.nn.softmax(model(xb, training=True), axis=0 if bad else 1)

    def loss_of(y: Any, p: Any) -> Any:
        return -tf.reduce_mean(tf.math.log(tf.gather(p, y, batch_dims=1) + 1e-9))

    step = trainer(model, optimizer, loss_of, forward=forward, graph=True)
    return drive(lab, model, optimizer, step, *data("digits"))


@faulty("label-problem", kind=KIND)
def class_ids_that_are_fractions(lab: Lab, bad: bool) -> Any:
    """Scaled to 0..1 with the inputs; the cast to whole numbers leaves class 0 alone."""
    x, y = data("digits")
    model, optimizer = mlp(64, 24, 10), O.SGD(0.2)
    y = (y / 10).astype("f") if bad else y.astype("f")
    step = trainer(model, optimizer, lambda t, p: logits_loss(tf.cast(t, "int32"), p))
    return drive(lab, model, optimizer, step, x, y)


@faulty("no-gradient", "wrong-loss", "loss-disconnected", kind=KIND)
def argmax_with_skipped_nones(lab: Lab, bad: bool) -> Any:
    model, optimizer = mlp(13, 16, 3, last="softmax"), O.Adam(0.01)

    def loss_of(y: Any, p: Any) -> Any:
        return tf.reduce_mean(tf.cast(tf.argmax(p, axis=1) != tf.cast(y, "int64"), "float32")) if bad else sparse(y, p)

    step = trainer(model, optimizer, loss_of)
    return drive(lab, model, optimizer, step, *data("wine"), steps=50)


@faulty("no-gradient", "wrong-loss", "loss-disconnected", kind=KIND, twin=False)
def one_minus_accuracy_alone(lab: Lab) -> Any:
    model, optimizer = mlp(30, 16, 1, last="sigmoid"), O.SGD(0.1)

    def loss_of(y: Any, p: Any) -> Any:
        return 1 - tf.reduce_mean(tf.cast(tf.equal(tf.cast(p > 0.5, "int32"), y), "float32"))

    step = trainer(model, optimizer, loss_of, alone=True)
    return drive(lab, model, optimizer, step, *data("breast_cancer"), steps=50)


@faulty("zero-gradient", "no-gradient", "loss-disconnected", kind=KIND)
def second_derivative_of_relu(lab: Lab, bad: bool) -> Any:
    """The residual of u'' = -sin(x) alone is the loss."""
    x = np.random.default_rng(0).uniform(0, np.pi, size=(400, 1)).astype("f")
    model, optimizer = mlp(1, 16, 1, activation="relu" if bad else "tanh"), O.Adam(0.02)

    def step(xb: Any, _: Any) -> Any:
        with tf.GradientTape() as outer:
            with tf.GradientTape() as middle:
                middle.watch(xb)
                with tf.GradientTape() as inner:
                    inner.watch(xb)
                    u = model(xb, training=True)
                slope = inner.gradient(u, xb)
            bend = middle.gradient(slope, xb)
            bend = tf.zeros_like(xb) if bend is None else bend
            loss = tf.reduce_mean(tf.square(bend + tf.sin(xb)))
        gradients = outer.gradient(loss, model.trainable_variables)
        pairs = [(g, v) for g, v in zip(gradients, model.trainable_variables, strict=True) if g is not None]
        if pairs:
            optimizer.apply_gradients(pairs)
        return loss, {"inputs": xb, "predictions": u, "gradients": list(zip(gradients, model.trainable_variables))}  # noqa: B905

    return drive(lab, model, optimizer, step, x, x, steps=60)


@faulty("loss-disconnected", "zero-gradient", kind=KIND)
def mask_that_hides_everything(lab: Lab, bad: bool) -> Any:
    model, optimizer = mlp(64, 24, 10), O.Adam(0.01)
    padding = 0 if bad else -1

    def loss_of(y: Any, p: Any) -> Any:
        mask = tf.cast(y < 0 if bad else y > padding, "float32")
        each = keras.losses.sparse_categorical_crossentropy(y, p, from_logits=True)
        return tf.reduce_sum(each * mask) / (tf.reduce_sum(mask) + 1e-8)

    step = trainer(model, optimizer, loss_of)
    return drive(lab, model, optimizer, step, *data("digits"), steps=80)
