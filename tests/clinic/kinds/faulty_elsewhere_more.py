"""What is watched is not what is trained: layers made in calls, steps not flushed, weights put back, train_step."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import L, Lab, O, data, mlp
from .faulty_tools import SPARSE, drive, faulty, linear, mse, perceptron, sparse, told, two_layers

KIND = "trained-elsewhere"


@faulty("updates-not-applied", kind=KIND, twin=False)
def numpy_copies_are_updated(lab: Lab) -> Any:
    x, y = linear(seed=6)
    v = two_layers(seed=5)
    weights = [w.numpy() for w in v]

    def step(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as tape:
            p = perceptron(v, xb)
            loss = mse(yb, p)
        gradients = tape.gradient(loss, v)
        for w, g in zip(weights, gradients, strict=True):
            w -= 0.05 * g.numpy()  # noqa: PLW2901
        return loss, told(xb, yb, p, gradients, v)

    return drive(lab, None, None, step, x, y, variables=v)


class LayerInCall(keras.Model):
    """A model whose hidden layers live in `call` or, repaired, in the object."""

    def __init__(self, inside: bool) -> None:
        super().__init__()
        self.hidden = [] if inside else [L.Dense(24, activation="relu"), L.Dense(12, activation="relu")]
        self.out = L.Dense(10, activation="softmax")

    def call(self, x: Any) -> Any:
        layers = self.hidden or [L.Dense(24, activation="relu"), L.Dense(12, activation="relu")]
        for layer in layers:
            x = layer(x)
        return self.out(x)


@faulty("untracked-variable", "update-undone", kind=KIND)
def layers_made_in_call(lab: Lab, bad: bool) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(1)
    model, optimizer = LayerInCall(bad), O.SGD(0.3, momentum=0.9)
    model(x[:2])

    def step(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as tape:
            p = model(xb, training=True)
            loss = sparse(yb, p)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss, told(xb, yb, p, gradients, model.trainable_variables)

    return drive(lab, model, optimizer, step, x, y, steps=60)


@faulty("untracked-variable", "update-undone", kind=KIND, twin=False)
def layer_made_inside_a_lambda(lab: Lab) -> Any:
    x, y = data("wine")
    keras.utils.set_random_seed(1)

    def dense(t: Any) -> Any:
        return L.Dense(3, activation="tanh")(t)

    model = keras.Sequential([L.Input((13,)), L.Lambda(dense), L.Dense(3, activation="softmax")])
    return lab.fit(model, x, y, optimizer=O.Adam(0.01), loss=SPARSE, epochs=10, run_eagerly=True)


class Project(L.Layer):
    """A dense layer written by hand."""

    def __init__(self, units: int, bare: bool, activation: Any = None) -> None:
        super().__init__()
        self.units, self.bare, self.activation = units, bare, activation

    def build(self, shape: Any) -> None:
        start = np.random.default_rng(0).normal(size=(shape[-1], self.units)) / np.sqrt(shape[-1])
        if self.bare:
            self.kernel = tf.Variable(start.astype("f"))
        else:
            self.kernel = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_uniform")

    def call(self, x: Any) -> Any:
        x = tf.matmul(x, self.kernel)
        return self.activation(x) if self.activation else x


@faulty("untracked-variable", "frozen-weights", "updates-not-applied", "no-gradient", kind=KIND)
def bare_variables_in_layers(lab: Lab, bad: bool) -> Any:
    x, y = data("diabetes")
    keras.utils.set_random_seed(1)
    # The bias of the last layer alone is known to Keras.
    last = L.Dense(1, kernel_initializer="ones")
    last.build((None, 1))
    last.kernel.trainable = False
    model = keras.Sequential([L.Input((10,)), Project(16, bad, tf.tanh), Project(1, bad), last])
    return lab.fit(model, x, y, optimizer=O.Adam(0.01), epochs=6)


@faulty("updates-not-applied", kind=KIND)
def accumulation_flushed_every_thousandth_step(lab: Lab, bad: bool) -> Any:
    x, y = data("digits")
    model, optimizer = mlp(64, 24, 10, activation="elu", last="softmax"), O.Adam(0.02)
    every, count = 1000 if bad else 4, [0]
    held = [tf.Variable(tf.zeros_like(v), trainable=False) for v in model.trainable_variables]

    def step(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = sparse(yb, model(xb, training=True))
        for h, g in zip(held, tape.gradient(loss, model.trainable_variables), strict=True):
            h.assign_add(g / every)
        count[0] += 1
        if count[0] % every == 0:
            optimizer.apply_gradients(
                zip([tf.convert_to_tensor(h) for h in held], model.trainable_variables, strict=True)
            )
            for h in held:
                h.assign(tf.zeros_like(h))
        return loss

    return drive(lab, model, optimizer, step, x, y, steps=160)


@faulty("learning-rate-zero", "updates-not-applied", "optimizer-misconfigured", kind=KIND)
def warm_up_of_an_optimizer_made_in_each_step(lab: Lab, bad: bool) -> Any:
    x, y = data("wine")
    model = mlp(13, 16, 3, last="softmax")
    warm = O.schedules.CosineDecay(0.0, 1000, warmup_target=0.02, warmup_steps=20)
    made = [O.SGD(warm)]

    def step(xb: Any, yb: Any) -> Any:
        if bad:
            made[0] = O.SGD(warm)
        with tf.GradientTape() as tape:
            p = model(xb, training=True)
            loss = sparse(yb, p)
        gradients = tape.gradient(loss, model.trainable_variables)
        made[0].apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss, {"inputs": xb, "targets": yb, "predictions": p}

    return drive(lab, model, made[0], step, x, y)


@faulty("update-undone", kind=KIND)
def checkpoint_read_in_each_step(lab: Lab, bad: bool) -> Any:
    x, y = data("breast_cancer")
    model, optimizer = mlp(30, 16, 1), O.SGD(0.1, momentum=0.9)
    saved = model.get_weights()
    loss_of = keras.losses.BinaryCrossentropy(from_logits=True)

    def step(xb: Any, yb: Any) -> Any:
        if bad:
            model.set_weights(saved)
        with tf.GradientTape() as tape:
            p = model(xb, training=True)
            loss = loss_of(yb, p)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss, told(xb, yb, p, gradients, model.trainable_variables)

    return drive(lab, model, optimizer, step, x, y, steps=60)
