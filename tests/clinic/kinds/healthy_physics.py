"""Healthy programs: physics-informed losses, quantiles and ranks, output distributions, odd losses of regression."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import L, Lab, O, data, mlp
from .proof import assert_explained, assert_fell, batches, healthy, pairs, told


@healthy("physics-informed")
def decay_from_its_equation(lab: Lab, seed: int) -> None:
    """The equation u' = -2 u with u(0) = 1: no target at all, the gradient of a gradient."""
    model, optimizer = mlp(1, 24, 24, 1, activation="tanh", seed=seed), O.Adam(5e-3)
    t = tf.constant(np.linspace(0, 1, 40)[:, None].astype("f"))
    losses = []
    with lab.watch(model, optimizer) as watch:
        for _ in range(120):
            with tf.GradientTape() as tape:
                with tf.GradientTape() as inner:
                    inner.watch(t)
                    u = model(t)
                slope = inner.gradient(u, t)
                loss = tf.reduce_mean((slope + 2 * u) ** 2) + tf.reduce_mean((model(t[:1]) - 1) ** 2)
            gradients = pairs(tape, loss, model.trainable_variables)
            optimizer.apply_gradients(gradients)
            losses.append(loss)
            watch.step(loss, **told(lab, inputs=t, gradients=gradients))
    assert_fell(losses, 0.2)
    assert_explained(model(t), np.exp(-2 * np.asarray(t)), 0.8)


@healthy("physics-informed")
def poisson_equation_in_one_dimension(lab: Lab, seed: int) -> None:
    """The equation u'' = -pi^2 sin(pi x), zero at both ends; residuals in the tens at first."""
    model, optimizer = mlp(1, 24, 24, 1, activation="tanh", seed=seed), O.Adam(5e-3)
    optimizer.build(model.trainable_variables)
    ends = tf.constant([[0.0], [1.0]])

    @tf.function
    def train(x: Any) -> Any:
        with tf.GradientTape() as tape:
            with tf.GradientTape() as second:
                second.watch(x)
                with tf.GradientTape() as first:
                    first.watch(x)
                    u = model(x)
                slope = first.gradient(u, x)
            residual = second.gradient(slope, x) + np.pi**2 * tf.sin(np.pi * x)
            loss = tf.reduce_mean(residual**2) + 10 * tf.reduce_mean(model(ends) ** 2)
        optimizer.apply_gradients(pairs(tape, loss, model.trainable_variables))
        return loss

    losses = []
    with lab.watch(model, optimizer) as watch:
        for _ in range(400):
            losses.append(train(tf.random.uniform((32, 1))))
            watch.step(losses[-1])
    assert_fell(losses, 0.1)


@healthy("physics-informed")
def spring_constant_from_data(lab: Lab, seed: int) -> None:
    """The inverse problem: a lone variable, the stiffness, is trained beside the network."""
    model, optimizer = mlp(1, 32, 32, 1, activation="tanh", seed=seed), O.Adam(0.01)
    stiffness = tf.Variable(1.0, name="stiffness")
    variables = [*model.trainable_variables, stiffness]
    optimizer.build(variables)
    t = tf.constant(np.linspace(-1, 1, 50)[:, None].astype("f"))
    seen = tf.cos(2 * t)  # a stiffness of 4

    @tf.function
    def train() -> Any:
        with tf.GradientTape() as tape:
            with tf.GradientTape() as second:
                second.watch(t)
                with tf.GradientTape() as first:
                    first.watch(t)
                    u = model(t)
                slope = first.gradient(u, t)
            residual = second.gradient(slope, t) + stiffness * u
            loss = 20 * tf.reduce_mean((u - seen) ** 2) + tf.reduce_mean(residual**2)
        optimizer.apply_gradients(pairs(tape, loss, variables))
        return loss

    with lab.watch(model, optimizer, variables=[stiffness]) as watch:
        for _ in range(500):
            watch.step(train())
    assert 3 < float(stiffness) < 5, float(stiffness)


@healthy("quantile-ordinal")
def three_quantiles_at_once(lab: Lab, seed: int) -> None:
    x, y = data("diabetes")
    levels = tf.constant([[0.1, 0.5, 0.9]])

    def pinball(t: Any, p: Any) -> Any:
        return tf.reduce_mean(tf.maximum(levels * (t - p), (levels - 1) * (t - p)))

    model = mlp(10, 32, 3, seed=seed)
    lab.fit(model, x, y, optimizer=O.Adam(0.01), loss=pinball, epochs=12)
    below = np.mean(y < np.asarray(model(x)), axis=0)
    assert below[0] < 0.25 and below[2] > 0.75, below


@healthy("quantile-ordinal")
def expectile_by_hand(lab: Lab, seed: int) -> None:
    """Errors above weigh nine times those below."""
    x, y = data("diabetes")

    def loss(t: Any, p: Any) -> Any:
        return tf.reduce_mean(tf.where(t > p, 0.9, 0.1) * (t - p) ** 2)

    model = mlp(10, 16, 1, activation="tanh", seed=seed)
    lab.loop(model, x, y, optimizer=O.Adam(0.01), loss=loss, steps=100)
    above = float(np.mean(np.asarray(model(x)) > y))
    assert above > 0.65 and float(loss(y, model(x))) < 0.8 * float(loss(y, np.full_like(y, 0.8)))


@healthy("quantile-ordinal")
def ordered_classes_by_cumulative_logits(lab: Lab, seed: int) -> None:
    """One slope and four ordered cuts: five grades of disease; targets are steps of ones."""
    x, y = data("diabetes")
    grade = np.digitize(y[:, 0], np.quantile(y, [0.2, 0.4, 0.6, 0.8]))
    steps = (grade[:, None] > np.arange(4)).astype("f")
    start = L.Input((10,))
    score = L.Dense(1, use_bias=False)(L.Dense(16, activation="relu")(start))
    model = keras.Model(start, L.Dense(4, kernel_initializer="ones")(score))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    optimizer = O.Adam(0.01)
    with lab.watch(model, optimizer) as watch:
        for xb, yb in batches(seed, 100, x, steps):
            with tf.GradientTape() as tape:
                p = model(xb)
                value = loss(yb, p)
            optimizer.apply_gradients(pairs(tape, value, model.trainable_variables))
            watch.step(value)
    off = np.abs((np.asarray(model(x)) > 0).sum(axis=1) - grade).mean()
    assert off < 1.2, off  # a constant grade is off by 1.2 at best


@healthy("output-distribution")
def counts_with_an_exponential_output(lab: Lab, seed: int) -> None:
    """Poisson's loss of large counts is far below zero."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(600, 4)).astype("f")
    rate = np.exp(1.5 + x @ [[0.6], [-0.4], [0.3], [0.0]])
    model = mlp(4, 16, 1, last="exponential", seed=seed)
    lab.fit(model, x, rng.poisson(rate).astype("f"), optimizer=O.Adam(5e-3), loss="poisson", epochs=15)
    assert_explained(np.log(model(x)), np.log(rate), 0.7)


@healthy("output-distribution")
def gamma_likelihood_by_hand(lab: Lab, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(600, 3)).astype("f")
    mean = np.exp(0.5 * x[:, :1] - 0.8 * x[:, 1:2])
    y = (mean * rng.gamma(4, 0.25, mean.shape)).astype("f")
    model = mlp(3, 16, 1, last="softplus", seed=seed)
    lab.loop(model, x, y, optimizer=O.Adam(0.02), steps=90,
             loss=lambda t, p: tf.reduce_mean(t / (p + 1e-3) + tf.math.log(p + 1e-3)))  # fmt: skip
    assert_explained(np.log(model(x)), np.log(mean), 0.5)


@healthy("output-distribution")
def mean_and_variance_with_keras_layers(lab: Lab, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (800, 1)).astype("f")
    y = (np.sin(3 * x) + 0.02 * np.exp(2 * x) * rng.normal(size=x.shape)).astype("f")
    start = L.Input((1,))
    hidden = L.Dense(32, activation="tanh")(L.Dense(32, activation="tanh")(start))
    outputs = L.Concatenate()([L.Dense(1)(hidden), L.Dense(1, activation="softplus", bias_initializer="ones")(hidden)])

    def likelihood(t: Any, p: Any) -> Any:
        return 0.5 * ((t - p[:, :1]) / (p[:, 1:] + 1e-2)) ** 2 + tf.math.log(p[:, 1:] + 1e-2)

    model = keras.Model(start, outputs)
    lab.fit(model, x, y, optimizer=O.Adam(5e-3), loss=likelihood, epochs=20)
    assert_explained(model(x)[:, 0], y, 0.9)


@healthy("robust-loss")
def huber_with_outliers(lab: Lab, seed: int) -> None:
    """Every twentieth target is wrong by fifty deviations: the loss stays high, the fit is good."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(500, 5)).astype("f")
    true = np.tanh(x @ rng.normal(size=(5, 1)))
    y = (true + 50 * (np.arange(500) % 20 == 0)[:, None] * rng.choice([-1, 1], (500, 1))).astype("f")
    model = mlp(5, 24, 1, seed=seed)
    lab.fit(model, x, y, optimizer=O.Adam(0.01), loss=keras.losses.Huber(1.0), epochs=15)
    assert_explained(model(x), true, 0.6)
