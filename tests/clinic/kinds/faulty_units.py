"""Activations and initial weights: dead, saturated, symmetric, far too deep, far too large."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import L, Lab, O, data, mlp
from .faulty_tools import (
    SPARSE,
    bce,
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

KIND = "activation-init"
INIT = "poor-initialization"


@faulty("dead-relu", "learning-rate-too-large", kind=KIND)
def relus_killed_by_the_first_steps(lab: Lab, bad: bool) -> Any:
    model = mlp(64, 24, 24, 10)
    optimizer = O.SGD(30.0 if bad else 0.2)
    step = trainer(model, optimizer, logits_loss, graph=True, alone=True)
    return drive(lab, model, optimizer, step, *data("digits"))


@faulty("dead-relu", INIT, kind=KIND)
def second_convolution_dead_by_its_bias(lab: Lab, bad: bool) -> Any:
    keras.utils.set_random_seed(3)
    bias = keras.initializers.Constant(-8.0 if bad else 0.1)
    layers = [L.Conv2D(6, 3, activation="relu"), L.Conv2D(8, 3, activation="relu", bias_initializer=bias)]
    model = keras.Sequential([L.Input((8, 8, 1)), *layers, L.Flatten(), L.Dense(10, activation="softmax")])
    x, y = data("digits")
    return lab.fit(model, pictures(x), y, optimizer=O.Adam(0.003), loss=SPARSE, epochs=2)


@faulty("dead-relu", INIT, "zero-gradient", kind=KIND)
def relus_dead_in_raw_variables(lab: Lab, bad: bool) -> Any:
    v = two_layers(10, 16, 1, seed=4)
    if bad:
        v[1].assign(-30.0 * tf.ones(16))

    def forward(xb: Any) -> Any:
        return tf.nn.relu(xb @ v[0] + v[1]) @ v[2] + v[3]

    optimizer = O.SGD(0.05)
    step = trainer(None, optimizer, mse, forward=forward, variables=v)
    return drive(lab, None, optimizer, step, *data("diabetes"), variables=v)


@faulty("saturated-activation", INIT, kind=KIND)
def sigmoids_saturated_by_huge_kernels(lab: Lab, bad: bool) -> Any:
    spread = keras.initializers.RandomNormal(0, 60.0 if bad else 0.3, seed=1)
    model = mlp(30, 16, 2, 1, activation="sigmoid", last="sigmoid", kernel_initializer=spread)
    optimizer = O.SGD(1.0)
    step = trainer(model, optimizer, bce)
    return drive(lab, model, optimizer, step, *data("breast_cancer"), steps=120)


@faulty("saturated-activation", INIT, kind=KIND)
def tanh_output_saturated_by_its_bias(lab: Lab, bad: bool) -> Any:
    x, y = data("diabetes")
    model = mlp(10, 16, 1, last="tanh")
    if bad:
        model.layers[-1].bias.assign([25.0])
    return lab.fit(model, x, np.tanh(y), optimizer=O.Adam(0.005), epochs=6)


@faulty(INIT, "zero-gradient", kind=KIND)
def raw_variables_all_zero(lab: Lab, bad: bool) -> Any:
    x, y = linear(seed=14)
    v = two_layers(seed=6)
    for w in v if bad else ():
        w.assign(tf.zeros_like(w))
    optimizer = O.SGD(0.1)
    step = trainer(None, optimizer, mse, forward=lambda xb: perceptron(v, xb), variables=v)
    return drive(lab, None, optimizer, step, x, y, variables=v, steps=120)


@faulty(INIT, kind=KIND)
def every_kernel_all_ones(lab: Lab, bad: bool) -> Any:
    kernel = "ones" if bad else "glorot_uniform"
    model = mlp(64, 24, 24, 10, activation="tanh", kernel_initializer=kernel)
    if bad:
        model.layers[-1].kernel.assign(np.ones((24, 10), "f"))
    optimizer = O.SGD(0.05)
    step = trainer(model, optimizer, logits_loss, graph=True)
    return drive(lab, model, optimizer, step, *data("digits"), steps=200)


@faulty("vanishing-gradient", kind=KIND)
def twenty_sigmoid_layers(lab: Lab, bad: bool) -> Any:
    model = mlp(13, *[12] * (20 if bad else 1), 3, activation="sigmoid", last="softmax")
    return lab.fit(model, *data("wine"), optimizer=O.SGD(0.2), loss=SPARSE, epochs=20)


@faulty("vanishing-gradient", INIT, kind=KIND)
def eight_tanh_layers_that_shrink(lab: Lab, bad: bool) -> Any:
    spread = keras.initializers.RandomNormal(0, 0.01 if bad else 0.25, seed=2)
    model = mlp(64, *[24] * 8, 10, activation="tanh", last="softmax", kernel_initializer=spread)
    optimizer = O.SGD(0.1)
    step = trainer(model, optimizer, sparse, graph=True)
    return drive(lab, model, optimizer, step, *data("digits"), steps=300)


@faulty(INIT, "exploding-gradient", "learning-rate-too-large", "nonfinite-loss", kind=KIND)
def kernels_a_hundred_times_too_large(lab: Lab, bad: bool) -> Any:
    init = keras.initializers.RandomNormal(0, 18.0 if bad else 0.18, seed=1)
    model = mlp(64, 32, 32, 10, kernel_initializer=init)
    optimizer = O.SGD(0.05)
    step = trainer(model, optimizer, logits_loss)
    return drive(lab, model, optimizer, step, *data("digits"), steps=80)


@faulty("learning-rate-too-large", kind=KIND)
def rate_of_fifty_laid_to_the_start(lab: Lab, bad: bool) -> Any:
    """Whoever wrote it tried other initial weights; the rate is the fault."""
    x, y = data("digits")
    model = mlp(64, 24, 10, activation="tanh", last="softmax", kernel_initializer="orthogonal")
    return lab.fit(model, x, y, optimizer=O.SGD(50.0 if bad else 0.5), loss=SPARSE, epochs=4)


@faulty("label-problem", "loss-activation-mismatch", "dead-relu", "constant-output", kind=KIND)
def relu_output_for_negative_targets(lab: Lab, bad: bool) -> Any:
    x, y = linear(seed=15)
    model, optimizer = mlp(6, 16, 1, activation="tanh", last="relu" if bad else None), O.Adam(0.01)
    step = trainer(model, optimizer, mse, graph=True)
    return drive(lab, model, optimizer, step, x, -np.abs(y), steps=150)


@faulty("exploding-gradient", INIT, "nonfinite-loss", "learning-rate-too-large", kind=KIND)
def recurrence_that_explodes(lab: Lab, bad: bool) -> Any:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 30, 2)).astype("f")
    y = x.mean(axis=1)[:, :1].astype("f") * 3
    keras.utils.set_random_seed(1)
    gain = keras.initializers.Orthogonal(1.7 if bad else 0.9)
    cell = L.SimpleRNN(12, activation="relu", recurrent_initializer=gain)
    model = keras.Sequential([L.Input((30, 2)), cell, L.Dense(1)])
    return lab.fit(model, x, y, optimizer=O.SGD(0.02), epochs=10)


@faulty(INIT, "zero-gradient", kind=KIND)
def adapters_with_both_halves_zero(lab: Lab, bad: bool) -> Any:
    x, y = data("wine")
    base = mlp(13, 16, 3, activation="tanh", seed=5)
    base.trainable = False
    rng = np.random.default_rng(0)
    down = tf.Variable((0.3 * rng.normal(size=(13, 4)) * (not bad)).astype("f"), name="down")
    up = tf.Variable(tf.zeros((4, 3)), name="up")
    optimizer = O.Adam(0.02)

    def forward(xb: Any) -> Any:
        return base(xb) + xb @ down @ up

    step = trainer(None, optimizer, logits_loss, forward=forward, variables=[down, up])
    return drive(lab, None, optimizer, step, x, y, variables=[down, up])
