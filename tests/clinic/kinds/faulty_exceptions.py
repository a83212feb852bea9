"""Runs that end in an exception."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import L, Lab, O, data, mlp
from .faulty_tools import SPARSE, batches, bce, cnn, drive, faulty, linear, logits_loss, mse, pictures, sparse, trainer

KIND = "exception"


@faulty("no-gradient", kind=KIND)
def no_gradients_provided_in_a_loop(lab: Lab, bad: bool) -> Any:
    model, optimizer = mlp(64, 24, 10, last="softmax"), O.Adam(0.01)

    def step(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as tape:
            p = model(xb, training=True)
            loss = sparse(yb, tf.convert_to_tensor(p.numpy()) if bad else p)
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    return drive(lab, model, optimizer, step, *data("digits"), steps=40)


class Rounded(keras.Model):
    """Rounds its outputs before the loss, or not."""

    def __init__(self, rounds: bool) -> None:
        super().__init__()
        self.net, self.rounds = mlp(10, 16, 1), rounds

    def call(self, x: Any) -> Any:
        p = self.net(x)
        return tf.cast(tf.cast(p, "int32"), "float32") if self.rounds else p


@faulty("no-gradient", kind=KIND)
def whole_numbers_under_fit(lab: Lab, bad: bool) -> Any:
    return lab.fit(Rounded(bad), *data("diabetes"), optimizer=O.Adam(0.01), epochs=4)


class Stopped(keras.Model):
    """Stops the gradient of its own loss, or not."""

    def __init__(self, stops: bool) -> None:
        super().__init__()
        self.net, self.stops = mlp(13, 16, 3, last="softmax"), stops

    def call(self, x: Any) -> Any:
        return self.net(x)

    def train_step(self, batch: Any) -> Any:
        x, y = batch
        with tf.GradientTape() as tape:
            p = self.net(x, training=True)
            loss = sparse(y, tf.stop_gradient(p) if self.stops else p)
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return {"own": loss}


@faulty("no-gradient", kind=KIND)
def gradient_stopped_in_train_step(lab: Lab, bad: bool) -> Any:
    return lab.fit(Stopped(bad), *data("wine"), optimizer=O.Adam(0.02), loss=None, epochs=6)


@faulty("label-problem", kind=KIND)
def labels_from_one_to_ten_under_fit(lab: Lab, bad: bool) -> Any:
    x, y = data("digits")
    return lab.fit(cnn(), pictures(x), y + 1 if bad else y, optimizer=O.Adam(0.005), loss=SPARSE, epochs=2)


@faulty("label-problem", kind=KIND)
def padding_label_of_minus_one(lab: Lab, bad: bool) -> Any:
    x, y = (a.copy() for a in data("wine"))
    if bad:
        y[100:110] = -1
    model, optimizer = mlp(13, 16, 3), O.SGD(0.2)
    return drive(lab, model, optimizer, trainer(model, optimizer, logits_loss), x, y, steps=60)


@faulty("label-problem", "wrong-loss", kind=KIND)
def one_hot_targets_for_a_sparse_loss(lab: Lab, bad: bool) -> Any:
    x, y = data("wine")
    targets = np.eye(3, dtype="f")[y] if bad else y
    model = mlp(13, 16, 3, activation="tanh", last="softmax")
    return lab.fit(model, x, targets, optimizer=O.Adam(0.02), loss=SPARSE, epochs=6)


@faulty("label-problem", "wrong-loss", kind=KIND)
def class_ids_for_a_categorical_loss(lab: Lab, bad: bool) -> Any:
    x, y = data("digits")
    targets = y if bad else np.eye(10, dtype="f")[y]
    model = mlp(64, 24, 10, last="softmax")
    return lab.fit(model, x, targets, optimizer=O.RMSprop(0.005), loss="categorical_crossentropy", epochs=2)


@faulty("label-problem", "wrong-loss", kind=KIND, twin=False)
def outputs_wider_than_targets(lab: Lab) -> Any:
    x, y = data("wine")
    model, optimizer = mlp(13, 16, 4), O.Adam(0.01)

    def loss_of(t: Any, p: Any) -> Any:
        return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(t, p))

    step = trainer(model, optimizer, loss_of)
    return drive(lab, model, optimizer, step, x, np.eye(3, dtype="f")[y], steps=20)


@faulty("label-problem", "wrong-loss", kind=KIND)
def targets_in_double_precision(lab: Lab, bad: bool) -> Any:
    x, y = linear(seed=21)
    model, optimizer = mlp(6, 16, 1), O.SGD(0.05)

    def loss_of(t: Any, p: Any) -> Any:
        return tf.reduce_mean(tf.square(p - t))

    step = trainer(model, optimizer, loss_of, alone=True)
    return drive(lab, model, optimizer, step, x, y.astype("f8") if bad else y)


@faulty("nonfinite-input", "nonfinite-loss", kind=KIND)
def check_numerics_finds_a_hole_in_the_data(lab: Lab, bad: bool) -> Any:
    x, y = (a.copy() for a in data("breast_cancer"))
    if bad:
        x[300:305, 2] = np.nan
    model, optimizer = mlp(30, 16, 1, last="sigmoid"), O.SGD(0.2)

    def loss_of(t: Any, p: Any) -> Any:
        return tf.debugging.check_numerics(bce(t, p), "the loss")

    return drive(lab, model, optimizer, trainer(model, optimizer, loss_of), x, y, steps=80)


@faulty("learning-rate-too-large", "exploding-gradient", "nonfinite-loss", kind=KIND)
def loop_gives_up_at_a_loss_of_nan(lab: Lab, bad: bool) -> Any:
    x, y = data("diabetes")
    model, optimizer = mlp(10, 16, 16, 1), O.SGD(4.0 if bad else 0.02)
    inner = trainer(model, optimizer, mse, alone=True)
    with lab.watch(model, optimizer) as watch:
        for xb, yb in batches(x, y, 80):
            loss = inner(xb, yb)
            watch.step(loss)
            if not np.isfinite(loss):
                raise FloatingPointError("the loss is not finite")
    return watch


@faulty("no-gradient", kind=KIND, twin=False)
def loss_computed_outside_the_tape(lab: Lab) -> Any:
    keras.utils.set_random_seed(1)
    model = keras.Sequential([L.Input((30,)), L.Dense(8, activation="gelu"), L.Dense(1, activation="sigmoid")])
    optimizer = O.RMSprop(0.01)

    def step(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as tape:
            p = model(xb, training=True)
        loss = bce(yb, p)
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    return drive(lab, model, optimizer, step, *data("breast_cancer"), steps=20)
