"""A layer or a pipeline upstream whose output is the same for every sample."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import L, Lab, O, data, mlp
from .faulty_tools import SPARSE, bce, drive, faulty, linear, logits_loss, mse, pictures, sparse, trainer

KIND = "constant-layer"
CONSTANT = ("constant-output", "constant-data")


@faulty(*CONSTANT, "zero-gradient", kind=KIND)
def integer_division_inside_the_model(lab: Lab, bad: bool) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(1)
    scale = L.Lambda((lambda t: tf.cast(tf.cast(t, "int32") // 255, "float32")) if bad else (lambda t: t / 255.0))
    model = keras.Sequential(
        [
            L.Input((8, 8, 1)),
            scale,
            L.Conv2D(8, 3, activation="relu"),
            L.Flatten(),
            L.Dense(10, activation="softmax"),
        ]
    )
    return lab.fit(model, pictures(x * 240), y, optimizer=O.Adam(0.01), loss=SPARSE, epochs=2)


@faulty("constant-data", "constant-output", kind=KIND, twin=False)
def integer_division_before_the_loop(lab: Lab) -> Any:
    x, y = data("digits")
    model, optimizer = mlp(64, 24, 10), O.SGD(0.1)
    x = ((x * 200).astype("uint8") // 255).astype("f")
    return drive(lab, model, optimizer, trainer(model, optimizer, logits_loss, alone=True), x, y)


@faulty("single-sample-batch-norm", "constant-output", kind=KIND)
def batches_of_one_through_batch_normalization(lab: Lab, bad: bool) -> Any:
    keras.utils.set_random_seed(1)
    layers = [L.Input((30,)), L.Dense(16), L.BatchNormalization(), L.Activation("relu"), L.Dense(1)]
    model, optimizer = keras.Sequential(layers), O.SGD(0.02)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    step = trainer(model, optimizer, loss)
    return drive(lab, model, optimizer, step, *data("breast_cancer"), size=1 if bad else 16, steps=80)


@faulty("constant-output", "zero-gradient", kind=KIND)
def layer_normalization_of_one_feature(lab: Lab, bad: bool) -> Any:
    keras.utils.set_random_seed(1)
    width = 1 if bad else 8
    layers = [L.Input((10,)), L.Dense(16, activation="tanh"), L.Dense(width), L.LayerNormalization(), L.Dense(1)]
    model, optimizer = keras.Sequential(layers), O.Adam(0.01)
    step = trainer(model, optimizer, mse, graph=True)
    return drive(lab, model, optimizer, step, *data("diabetes"), steps=150)


@faulty("constant-output", kind=KIND)
def mean_over_the_batch_axis(lab: Lab, bad: bool) -> Any:
    """Features averaged over the samples instead of over time."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 12, 3)).astype("f")
    y = (x.mean(axis=1)[:, 0] > 0).astype("f").reshape(-1, 1)
    keras.utils.set_random_seed(2)
    body = keras.Sequential([L.Input((12, 3)), L.Dense(16, activation="relu")])
    head = mlp(16, 1, last="sigmoid")
    optimizer = O.Adam(0.01)

    def forward(xb: Any) -> Any:
        h = body(xb, training=True)
        h = tf.repeat(tf.reduce_mean(h, axis=(0, 1), keepdims=True)[0], len(xb), 0) if bad else tf.reduce_mean(h, 1)
        return head(h, training=True)

    variables = body.trainable_variables + head.trainable_variables
    step = trainer(None, optimizer, bce, forward=forward, variables=variables)
    return drive(lab, [body, head], optimizer, step, x, y, steps=80)


@faulty(*CONSTANT[::-1], kind=KIND)
def word_ids_divided_by_the_vocabulary(lab: Lab, bad: bool) -> Any:
    """As if they were pixels; the embedding then sees id 0 everywhere."""
    rng = np.random.default_rng(0)
    ids = rng.integers(1, 50, size=(800, 6))
    y = ((ids < 12).sum(axis=1) > 1).astype("f").reshape(-1, 1)
    keras.utils.set_random_seed(2)
    layers = [L.Input((6,)), L.Embedding(50, 8), L.GlobalAveragePooling1D(), L.Dense(1, activation="sigmoid")]
    x = (ids / 50 if bad else ids).astype("f")
    return lab.fit(keras.Sequential(layers), x, y, optimizer=O.Adam(0.03), loss="binary_crossentropy", epochs=6)


@faulty("constant-output", "zero-gradient", "poor-initialization", kind=KIND)
def gate_that_multiplies_by_zero(lab: Lab, bad: bool) -> Any:
    keras.utils.set_random_seed(2)
    inputs = L.Input((13,))
    hidden = L.Dense(16, activation="relu")(inputs)
    kinds: Any = {"kernel_initializer": "zeros"} if bad else {"bias_initializer": "ones"}
    gate = L.Dense(16, activation="relu", name="gate", **kinds)(inputs)
    model = keras.Model(inputs, L.Dense(3, activation="softmax")(L.Multiply()([hidden, gate])))
    return lab.fit(model, *data("wine"), optimizer=O.Adam(0.01), loss=SPARSE, epochs=10)


@faulty("constant-output", "zero-gradient", kind=KIND)
def dropout_keeps_nothing(lab: Lab, bad: bool) -> Any:
    keras.utils.set_random_seed(2)
    rate = 0.99999 if bad else 0.1
    layers = [L.Input((64,)), L.Dense(32, activation="relu"), L.Dropout(rate), L.Dense(10, activation="softmax")]
    model, optimizer = keras.Sequential(layers), O.RMSprop(0.005)
    return drive(lab, model, optimizer, trainer(model, optimizer, sparse), *data("digits"), steps=80)


@faulty("constant-output", kind=KIND)
def attention_over_positions_instead_of_tokens(lab: Lab, bad: bool) -> Any:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 20, size=(800, 5))
    y = (x == 3).any(axis=1).astype("f").reshape(-1, 1)
    keras.utils.set_random_seed(2)
    inputs = L.Input((5,), dtype="int32")
    tokens = L.Embedding(20, 8)(inputs)
    positions = L.Embedding(5, 8)(L.Lambda(lambda t: tf.range(5) + 0 * t, output_shape=(5,))(inputs))
    values = positions if bad else L.Add()([tokens, positions])
    hidden = L.MultiHeadAttention(1, 8)(values, values)
    model = keras.Model(inputs, L.Dense(1)(L.GlobalAveragePooling1D()(hidden)))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    return lab.fit(model, x, y, optimizer=O.Adam(0.03), loss=loss, epochs=6)


@faulty(*CONSTANT[::-1], kind=KIND)
def one_hot_of_ids_out_of_range(lab: Lab, bad: bool) -> Any:
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 12, size=600)
    y = rng.normal(size=12)[ids].astype("f").reshape(-1, 1)
    model, optimizer = mlp(12, 16, 1), O.SGD(0.1)
    shift = 1000 if bad else 0  # the ids of the raw table

    def forward(xb: Any) -> Any:
        return model(tf.one_hot(xb + shift, 12), training=True)

    step = trainer(model, optimizer, mse, forward=forward, alone=True)
    return drive(lab, model, optimizer, step, ids, y, steps=150)


@faulty("constant-data", "constant-output", kind=KIND)
def standardised_along_the_only_feature(lab: Lab, bad: bool) -> Any:
    x, _ = linear(800, 1)
    y = np.sin(2 * x).astype("f")
    axis = 1 if bad else 0
    x = (x - x.mean(axis=axis, keepdims=True)) / (x.std(axis=axis, keepdims=True) + 1e-6)
    return lab.fit(mlp(1, 32, 1, activation="tanh"), x, y, optimizer=O.Adam(0.03), epochs=5)
