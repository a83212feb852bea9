"""What is watched is not what is trained: things made anew in each step, and copies."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import Lab, O, data, mlp
from .faulty_tools import (
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
    told,
    two_layers,
)

KIND = "trained-elsewhere"


@faulty("update-undone", "updates-not-applied", kind=KIND)
def model_built_in_each_step(lab: Lab, bad: bool) -> Any:
    x, y = data("digits")
    made = [mlp(64, 24, 10, last="softmax"), O.Adam(0.005)]

    def step(xb: Any, yb: Any) -> Any:
        if bad:
            made[:] = [mlp(64, 24, 10, last="softmax"), O.Adam(0.005)]
        model, optimizer = made
        with tf.GradientTape() as tape:
            loss = sparse(yb, model(xb, training=True))
        optimizer.apply_gradients(
            zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
        )
        return loss

    return drive(lab, made[0], made[1], step, x, y, steps=25 if bad else 50)


@faulty("update-undone", "updates-not-applied", kind=KIND)
def variables_from_numpy_in_each_step(lab: Lab, bad: bool) -> Any:
    x, y = linear()
    start = [v.numpy() for v in two_layers()]
    kept = [tf.Variable(w) for w in start]
    optimizer = O.SGD(0.1)

    def step(xb: Any, yb: Any) -> Any:
        v = [tf.Variable(w) for w in start] if bad else kept
        with tf.GradientTape() as tape:
            p = perceptron(v, xb)
            loss = mse(yb, p)
        gradients = tape.gradient(loss, v)
        (O.SGD(0.1) if bad else optimizer).apply_gradients(zip(gradients, v, strict=True))
        return loss, {"inputs": xb, "targets": yb, "predictions": p}

    return drive(lab, None, optimizer, step, x, y, variables=kept)


class Descent:
    """An optimizer written by hand: it computes new values, but does it store them?"""

    def __init__(self, rate: float, stores: bool) -> None:
        self.rate, self.stores = rate, stores
        self.moments: dict[int, Any] = {}

    def step(self, gradients: Any, variables: Any) -> None:
        for i, (g, v) in enumerate(zip(gradients, variables, strict=True)):
            self.moments[i] = 0.9 * self.moments.get(i, 0.0) + g
            new = v - self.rate * self.moments[i]
            if self.stores:
                v.assign(new)


@faulty("updates-not-applied", kind=KIND)
def own_optimizer_never_assigns(lab: Lab, bad: bool) -> Any:
    x, y = data("wine")
    model, optimizer = mlp(13, 16, 3), Descent(0.05, stores=not bad)

    def step(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as tape:
            p = model(xb, training=True)
            loss = logits_loss(yb, p)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.step(gradients, model.trainable_variables)
        return loss, told(xb, yb, p, gradients, model.trainable_variables)

    return drive(lab, model, None, step, x, y, steps=80)


@faulty("updates-not-applied", kind=KIND)
def rebinds_names_inside_a_function(lab: Lab, bad: bool) -> Any:
    x, y = linear(seed=4)
    v = two_layers(seed=2)

    @tf.function
    def train(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = mse(yb, perceptron(v, xb))
        for w, g in zip(v, tape.gradient(loss, v), strict=True):
            if bad:
                w = w - 0.1 * g  # noqa: PLW2901
            else:
                w.assign_sub(0.1 * g)
        return loss

    return drive(lab, None, None, train, x, y, variables=v, steps=120)


@faulty("updates-not-applied", kind=KIND)
def gradients_applied_to_a_clone(lab: Lab, bad: bool) -> Any:
    x, y = data("breast_cancer")
    model = mlp(30, 16, 8, 1, last="sigmoid")
    best = keras.models.clone_model(model)
    best.set_weights(model.get_weights())
    optimizer = O.RMSprop(0.003)
    goal = best if bad else model

    def step(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as tape:
            p = model(xb, training=True)
            loss = bce(yb, p)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, goal.trainable_variables, strict=True))
        return loss, told(xb, yb, p, gradients, model.trainable_variables)

    return drive(lab, model, optimizer, step, x, y)


@faulty("updates-not-applied", kind=KIND)
def gradients_applied_to_the_target_network(lab: Lab, bad: bool) -> Any:
    rng = np.random.default_rng(0)
    states = rng.normal(size=(600, 5)).astype("f")
    rewards = np.stack([states[:, 0], -states[:, 1], states[:, 2] * 0.5], 1).astype("f")
    online, target = mlp(5, 24, 3, activation="tanh"), mlp(5, 24, 3, activation="tanh")
    optimizer = O.SGD(0.2)

    def step(xb: Any, rb: Any) -> Any:
        following = tf.reduce_max(target(tf.roll(xb, 1, axis=0)), axis=1, keepdims=True)
        aim = rb + 0.1 * following
        with tf.GradientTape() as tape:
            loss = mse(aim, online(xb, training=True))
        gradients = tape.gradient(loss, online.trainable_variables)
        optimizer.apply_gradients(zip(gradients, (target if bad else online).trainable_variables, strict=True))
        return loss

    return drive(lab, online, optimizer, step, states, rewards, steps=120)


@faulty("updates-not-applied", kind=KIND)
def gradients_applied_to_identities(lab: Lab, bad: bool) -> Any:
    x, y = data("digits")
    model, optimizer = cnn(), O.Adam(0.005)
    weights = [tf.Variable(tf.identity(v)) for v in model.trainable_variables] if bad else model.trainable_variables

    def step(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as tape:
            p = model(xb, training=True)
            loss = sparse(yb, p)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return loss, {"inputs": xb, "targets": yb, "predictions": p}

    return drive(lab, model, optimizer, step, pictures(x), y, steps=60)
