"""Healthy programs: kernels, gates, binary weights, pruning, adversarial inputs."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import L, Lab, O, data, mlp
from .proof import assert_accurate, assert_explained, assert_fell, batches, callback, healthy, pairs, told

SPARSE = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


class Radial(L.Layer):
    def build(self, shape: Any) -> None:
        self.centres = self.add_weight(shape=(24, shape[-1]), initializer="random_normal", name="centres")
        self.log_width = self.add_weight(shape=(24,), initializer="zeros", name="log_width")

    def call(self, x: Any) -> Any:
        apart = keras.ops.sum((x[:, None] - self.centres[None]) ** 2, axis=2)
        return keras.ops.exp(-apart * keras.ops.exp(self.log_width))


@healthy("kernel")
def radial_basis_functions(lab: Lab, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.5, 1.5, (600, 2)).astype("f")
    y = (np.sum(x**2, axis=1, keepdims=True) < 1).astype("f")
    model = keras.Sequential([L.Input((2,)), Radial(), L.Dense(1)])
    lab.fit(model, x, y, optimizer=O.Adam(0.02), loss=keras.losses.BinaryCrossentropy(from_logits=True), epochs=10)
    assert_accurate(model(x), y, 0.85)


@healthy("kernel")
def random_features_in_a_lambda(lab: Lab, seed: int) -> None:
    """The kernel is a constant within a Lambda layer; only what follows is trained."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (600, 2)).astype("f")
    y = np.sin(3 * x[:, :1]) * np.cos(2 * x[:, 1:])
    w, b = rng.normal(0, 2, (2, 128)).astype("f"), rng.uniform(0, 6.28, 128).astype("f")
    start = L.Input((2,))
    features = L.Lambda(lambda z: keras.ops.cos(keras.ops.matmul(z, w) + b))(start)
    model = keras.Model(start, L.Dense(1)(features))
    lab.loop(model, x, y, optimizer=O.Adam(0.02), loss=lambda t, p: tf.reduce_mean((t - p) ** 2), steps=120, batch=64)
    assert_explained(model(x), y, 0.7)


@tf.custom_gradient
def _sign(w: Any) -> Any:
    return tf.sign(w) + tf.cast(w == 0, w.dtype), lambda upstream: upstream * tf.cast(tf.abs(w) <= 1, w.dtype)


class Binary(L.Layer):
    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = units

    def build(self, shape: Any) -> None:
        clipped = lambda w: keras.ops.clip(w, -1, 1)  # noqa: E731
        self.kernel = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_uniform", name="kernel",
                                      constraint=clipped)  # fmt: skip

    def call(self, x: Any) -> Any:
        return tf.matmul(x, _sign(tf.convert_to_tensor(self.kernel)))


@healthy("discrete")
def binary_kernels_straight_through(lab: Lab, seed: int) -> None:
    """What the forward pass uses is the sign of the weights; they are clipped to one."""
    x, y = data("digits")
    model = keras.Sequential([L.Input((64,)), Binary(64), L.BatchNormalization(), L.ReLU(), Binary(10),
                              L.BatchNormalization()])  # fmt: skip
    lab.fit(model, x, y, optimizer=O.Adam(0.01), loss=SPARSE, epochs=4)
    assert_accurate(model(x, training=True), y, 0.75)


@healthy("discrete")
def choices_relaxed_by_noise(lab: Lab, seed: int) -> None:
    """Gumbel-softmax: categories drawn at a temperature that falls as training goes on."""
    x, _ = data("digits")
    encoder, decoder, optimizer = mlp(64, 48, 40, seed=seed), mlp(40, 48, 64, seed=seed + 1), O.Adam(3e-3)
    variables = encoder.trainable_variables + decoder.trainable_variables
    optimizer.build(variables)

    @tf.function
    def train(xb: Any, temperature: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = tf.reshape(encoder(xb), (-1, 8, 5))
            noise = -tf.math.log(-tf.math.log(tf.random.uniform(tf.shape(logits), 1e-6, 1 - 1e-6)))
            code = tf.reshape(tf.nn.softmax((logits + noise) / temperature), (-1, 40))
            loss = tf.reduce_mean(tf.reduce_sum((decoder(code) - xb) ** 2, axis=1))
        optimizer.apply_gradients(pairs(tape, loss, variables))
        return loss

    losses = []
    with lab.watch([encoder, decoder], optimizer) as watch:
        for number, (xb,) in enumerate(batches(seed, 250, x)):
            losses.append(train(xb, tf.constant(max(0.5, 1 - number / 300), "float32")))
            watch.step(losses[-1])
    assert_fell(losses, 0.6)


@healthy("gated")
def experts_behind_a_gate(lab: Lab, seed: int) -> None:
    """Each row goes to one of four experts: some get no row of a batch, and then no gradient."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (800, 2)).astype("f")
    y = np.where(x[:, :1] > 0, 2 * x[:, 1:], np.sin(2 * x[:, 1:])).astype("f")
    start = L.Input((2,))
    scores = keras.ops.softmax(L.Dense(4)(start))
    top = keras.ops.max(scores, axis=1, keepdims=True)
    gate = scores * keras.ops.cast(scores >= top, "float32")
    outputs = L.Concatenate()([L.Dense(1)(L.Dense(12, activation="relu")(start)) for _ in range(4)])
    model = keras.Model(start, keras.ops.sum(gate * outputs, axis=1, keepdims=True))
    lab.fit(model, x, y, optimizer=O.Adam(0.01), epochs=10)
    assert_explained(model(x), y, 0.7)


@healthy("gated")
def one_layer_unrolled_as_an_equation(lab: Lab, seed: int) -> None:
    """A residual flow of twelve small steps that share their weights."""
    x, y = data("wine")
    start = L.Input((13,))
    slope, state = L.Dense(16, activation="tanh"), L.Dense(16)(start)
    for _ in range(12):
        state = state + slope(state) / 12
    model, optimizer = keras.Model(start, L.Dense(3)(state)), O.Adam(0.01)
    with lab.watch(model, optimizer) as watch:
        for xb, yb in batches(seed, 70, x, y):
            with tf.GradientTape() as tape:
                loss = SPARSE(yb, model(xb))
            optimizer.apply_gradients(pairs(tape, loss, model.trainable_variables))
            watch.step(loss)
    assert_accurate(model(x), y, 0.9)


@healthy("adversarial-inputs")
def trained_on_perturbed_inputs(lab: Lab, seed: int) -> None:
    """Each batch is moved against the model first: a tape that is asked for the gradient of the inputs alone."""
    x, y = data("digits")
    model, optimizer = mlp(64, 48, 10, seed=seed), O.Adam(5e-3)
    with lab.watch(model, optimizer) as watch:
        for xb, yb in batches(seed, 90, x, y):
            with tf.GradientTape() as tape:
                tape.watch(xb)
                attack = SPARSE(yb, model(xb))
            moved = xb + 0.1 * tf.sign(tape.gradient(attack, xb))
            with tf.GradientTape() as tape:
                p = model(moved)
                loss = SPARSE(yb, p)
            gradients = pairs(tape, loss, model.trainable_variables)
            optimizer.apply_gradients(gradients)
            watch.step(loss, **told(lab, inputs=moved, targets=yb, predictions=p, gradients=gradients))
    assert_accurate(model(x), y, 0.7)


@healthy("pruned")
def pruned_weights_stay_at_zero(lab: Lab, seed: int) -> None:
    """Seven of ten weights are set to zero, and again after each batch: they are moved, and put back."""
    x, y = data("digits")
    model, watch = mlp(64, 64, 10, seed=seed), callback(lab)
    model.compile(O.Adam(5e-3), SPARSE)
    model.fit(x, y, epochs=2, verbose=0)
    kernels = [layer.kernel for layer in model.layers]
    masks = [np.abs(k.numpy()) >= np.quantile(np.abs(k.numpy()), 0.7) for k in kernels]

    class Prune(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            for kernel, mask in zip(kernels, masks, strict=True):
                kernel.assign(kernel * mask)

    model.fit(x, y, epochs=2, verbose=0, callbacks=[Prune(), watch])
    assert_accurate(model(x), y, 0.85)
