"""Steps too small: scaled losses and gradients, tiny rates, averages written back."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ..lab import L, Lab, O, data, mlp
from .faulty_tools import (
    SPARSE,
    bce,
    cnn,
    drive,
    faulty,
    linear,
    logits_loss,
    mse,
    perceptron,
    pictures,
    sparse,
    trainer,
    two_layers,
)

KIND = "steps-too-small"
SMALL = "learning-rate-too-small"


@faulty(SMALL, kind=KIND)
def loss_times_a_millionth(lab: Lab, bad: bool) -> Any:
    model, optimizer = mlp(64, 24, 10, last="softmax"), O.SGD(0.3)
    weight = 1e-6 if bad else 1.0
    step = trainer(model, optimizer, lambda y, p: weight * sparse(y, p))
    return drive(lab, model, optimizer, step, *data("digits"), steps=150)


@faulty(SMALL, "optimizer-misconfigured", "update-below-precision", kind=KIND)
def loss_scale_without_a_scaled_loss(lab: Lab, bad: bool) -> Any:
    model, optimizer = mlp(30, 16, 1, last="sigmoid"), O.LossScaleOptimizer(O.SGD(0.2))
    scaled = (lambda loss: loss) if bad else optimizer.scale_loss
    step = trainer(model, optimizer, bce, scaled=scaled)
    return drive(lab, model, optimizer, step, *data("breast_cancer"))


@faulty(SMALL, kind=KIND)
def step_by_hand_of_a_millionth(lab: Lab, bad: bool) -> Any:
    v = two_layers(seed=3)
    rate = 1e-6 if bad else 0.1

    @tf.function
    def step(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = mse(yb, perceptron(v, xb))
        for w, g in zip(v, tape.gradient(loss, v), strict=True):
            w.assign_sub(rate * g)
        return loss

    return drive(lab, None, None, step, *linear(seed=7), variables=v, steps=200)


@faulty("update-undone", SMALL, kind=KIND)
def moving_average_written_back(lab: Lab, bad: bool) -> Any:
    model, optimizer = mlp(64, 24, 10), O.Adam(0.005)
    averages = [tf.Variable(v, trainable=False) for v in model.trainable_variables]
    inner = trainer(model, optimizer, logits_loss)

    def step(xb: Any, yb: Any) -> Any:
        out = inner(xb, yb)
        for a, v in zip(averages, model.trainable_variables, strict=True):
            a.assign(0.9995 * a + 0.0005 * v)
            if bad:
                v.assign(a)
        return out

    return drive(lab, model, optimizer, step, *data("digits"), steps=80)


@faulty("update-undone", SMALL, kind=KIND, twin=False)
def slow_weights_hardly_follow(lab: Lab) -> Any:
    model, optimizer = mlp(13, 16, 3, last="softmax"), O.SGD(0.1)
    slow = model.get_weights()
    inner = trainer(model, optimizer, sparse, alone=True)

    def step(xb: Any, yb: Any) -> Any:
        out = inner(xb, yb)
        slow[:] = [s + 1e-4 * (f - s) for s, f in zip(slow, model.get_weights(), strict=True)]
        model.set_weights(slow)
        return out

    return drive(lab, model, optimizer, step, *data("wine"))


@faulty(SMALL, "vanishing-gradient", kind=KIND)
def sigmoid_units_and_plain_descent(lab: Lab, bad: bool) -> Any:
    x, y = data("digits")
    model = mlp(64, 32, 32, 10, activation="sigmoid" if bad else "relu", last="softmax")
    return lab.fit(model, x, y, optimizer=O.SGD(1e-3 if bad else 0.1), loss=SPARSE, epochs=4)


@faulty(SMALL, kind=KIND)
def mean_over_too_many_axes(lab: Lab, bad: bool) -> Any:
    x, _ = data("digits")
    model, optimizer = mlp(64, 16, 64, activation="tanh", last="sigmoid"), O.SGD(0.5)

    def loss_of(y: Any, p: Any) -> Any:
        total = tf.reduce_sum(tf.square(y - p), axis=1)
        # A mean over the pixels and the batch, divided by pixels and batch once more.
        return tf.reduce_mean(total) / (64.0 * 32.0 * 64.0) if bad else tf.reduce_mean(total) / 8

    step = trainer(model, optimizer, loss_of, graph=True)
    return drive(lab, model, optimizer, step, x, x, steps=200)


@faulty(SMALL, kind=KIND)
def gradients_divided_by_the_batch_twice(lab: Lab, bad: bool) -> Any:
    model, optimizer = cnn(last=None), O.SGD(0.1, momentum=0.9 if not bad else 0.0)
    by = 128.0 * 128.0 if bad else 1.0
    step = trainer(model, optimizer, logits_loss, change=lambda gs: [g / by for g in gs])
    x, y = data("digits")
    return drive(lab, model, optimizer, step, pictures(x), y, size=128, steps=60)


@faulty(SMALL, "learning-rate-zero", "optimizer-misconfigured", kind=KIND)
def warm_up_of_a_million_steps(lab: Lab, bad: bool) -> Any:
    warm = O.schedules.CosineDecay(0.0, 10_000_000, warmup_target=0.01, warmup_steps=1_000_000 if bad else 30)
    x, y = data("digits")
    return lab.fit(mlp(64, 24, 10, last="softmax"), x, y, optimizer=O.Adam(warm), loss=SPARSE, epochs=3)


@faulty(SMALL, kind=KIND)
def adadelta_as_it_comes(lab: Lab, bad: bool) -> Any:
    optimizer = O.Adadelta() if bad else O.Adadelta(1.0)
    x, y = data("digits")
    return lab.fit(mlp(64, 32, 10, last="softmax"), x, y, optimizer=optimizer, loss=SPARSE, epochs=4)


@faulty("optimizer-misconfigured", SMALL, kind=KIND)
def adagrad_begins_with_a_full_accumulator(lab: Lab, bad: bool) -> Any:
    optimizer = O.Adagrad(0.1, initial_accumulator_value=1e8 if bad else 0.1)
    model = mlp(30, 16, 1, last="sigmoid")
    step = trainer(model, optimizer, bce, alone=True)
    return drive(lab, model, optimizer, step, *data("breast_cancer"))


class PerElement(keras.Model):
    """Divides each gradient by the number of elements of the inputs, or not."""

    def __init__(self, divides: bool) -> None:
        super().__init__()
        keras.utils.set_random_seed(5)
        self.hidden, self.out = L.Dense(16, activation="gelu"), L.Dense(1)
        self.divides = divides

    def call(self, x: Any) -> Any:
        return self.out(self.hidden(x))

    def train_step(self, batch: Any) -> Any:
        x, y = batch
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x=x, y=y, y_pred=self(x, training=True))
        by = tf.cast(tf.size(x) * tf.size(y), tf.float32) if self.divides else 1.0
        gradients = [g / by for g in tape.gradient(loss, self.trainable_variables)]
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


@faulty(SMALL, kind=KIND)
def train_step_divides_by_all_elements(lab: Lab, bad: bool) -> Any:
    return lab.fit(PerElement(bad), *data("diabetes"), optimizer=O.SGD(0.03), loss="mse", epochs=8)


@faulty(SMALL, kind=KIND, twin=False)
def loss_weight_of_a_millionth(lab: Lab) -> Any:
    x, y = data("wine")
    model = mlp(13, 16, 3, activation="tanh", last="softmax")
    return lab.fit(model, x, y, optimizer=O.SGD(0.05), loss=SPARSE, epochs=12, loss_weights=[1e-6])
