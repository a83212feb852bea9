"""Programs on real data, each broken and repaired: plain TensorFlow with one line of tb_weightwatch.

Every program takes the folder for its logs and whether it is broken, trains, and returns the closed watch. The line
that breaks it stands beside the line that repairs it, so that the difference can be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.preprocessing import StandardScaler

import tb_weightwatch as ww

BATCH = 32


def batches(x: np.ndarray, y: np.ndarray, epochs: int) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
    data = tf.data.Dataset.from_tensor_slices((x.astype("float32"), y.astype("float32").reshape(len(y), -1)))
    yield from data.shuffle(len(x), seed=1).batch(BATCH, drop_remainder=True).repeat(epochs)


def learning_rate(logs: str, broken: bool) -> ww.Watch:
    """(1) Adam with a learning rate of 1e-10: not one element of a kernel moves."""
    x, y = load_diabetes(return_X_y=True)
    x, y = StandardScaler().fit_transform(x), (y - y.mean()) / y.std()
    model = keras.Sequential([keras.layers.Dense(10, activation="relu"), keras.layers.Dense(1)])
    optimizer = keras.optimizers.Adam(learning_rate=1e-10 if broken else 1e-2)

    with ww.Watch(logs, model=model, optimizer=optimizer, verbose=False) as watch:
        for inputs, targets in batches(x, y, epochs=20):
            with tf.GradientTape() as tape:
                predictions = model(inputs)
                loss = tf.reduce_mean(tf.square(predictions - targets))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            watch.step(loss, inputs=inputs, targets=targets)
    return watch


def learning_rate_fit(logs: str, broken: bool) -> ww.WeightWatch:
    """(1) once more, through model.fit."""
    x, y = load_diabetes(return_X_y=True)
    x, y = StandardScaler().fit_transform(x), (y - y.mean()) / y.std()
    model = keras.Sequential([keras.layers.Dense(10, activation="relu"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(learning_rate=1e-10 if broken else 1e-2), loss="mse")
    watch = ww.WeightWatch(logs, verbose=False)
    model.fit(x, y, batch_size=BATCH, epochs=20, verbose=0, callbacks=[watch])
    return watch


def targets_outside(logs: str, broken: bool) -> ww.Watch:
    """(2a) Sigmoid output, binary cross-entropy, and classes called 1 and 2: the loss runs below zero."""
    x, y = load_breast_cancer(return_X_y=True)
    x, y = StandardScaler().fit_transform(x), y + 1 if broken else y
    model = keras.Sequential([keras.layers.Dense(10, activation="relu"), keras.layers.Dense(1, activation="sigmoid")])
    return _binary(logs, model, x, y)


def saturated_output(logs: str, broken: bool) -> ww.Watch:
    """(2b) The same with an output so saturated from the start that every gradient is exactly zero."""
    x, y = load_breast_cancer(return_X_y=True)
    x = StandardScaler().fit_transform(x)
    bias = keras.initializers.Constant(200.0 if broken else 0.0)
    model = keras.Sequential(
        [
            keras.layers.Dense(10, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid", bias_initializer=bias),
        ]
    )
    return _binary(logs, model, x, y)


def _binary(logs: str, model: keras.Model, x: np.ndarray, y: np.ndarray) -> ww.Watch:
    optimizer = keras.optimizers.Adam(learning_rate=0.01)
    with ww.Watch(logs, model=model, optimizer=optimizer, verbose=False) as watch:
        for inputs, targets in batches(x, y, epochs=15):
            with tf.GradientTape() as tape:
                # A new tensor: the loss sees probabilities, not the logits that Keras keeps beside them.
                predictions = tf.reshape(model(inputs), [-1, 1])
                loss = tf.reduce_mean(keras.losses.binary_crossentropy(targets, predictions))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            watch.step(loss, inputs=inputs, targets=targets, predictions=predictions)
    return watch


def input_scale(logs: str, broken: bool) -> ww.Watch:
    """(3) Thirteen measurements of wine, from 0.1 to 1,700 in their own units, against standardised ones."""
    x, y = load_wine(return_X_y=True)
    x = x if broken else StandardScaler().fit_transform(x)
    y = np.eye(3)[y]
    model = keras.Sequential([keras.layers.Dense(10, activation="relu"), keras.layers.Dense(3, activation="softmax")])
    optimizer = keras.optimizers.SGD(learning_rate=0.1)
    with ww.Watch(logs, model=model, optimizer=optimizer, verbose=False) as watch:
        for inputs, targets in batches(x, y, epochs=60):
            with tf.GradientTape() as tape:
                predictions = model(inputs)
                loss = tf.reduce_mean(keras.losses.categorical_crossentropy(targets, predictions))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            watch.step(loss, inputs=inputs, targets=targets, predictions=predictions)
    return watch


def suspected_rate(logs: str, broken: bool) -> ww.WeightWatch:
    """(4) SGD with a learning rate of 1e-4: weights move a little, so that a recording gives suspects but no proof."""
    x, y = load_diabetes(return_X_y=True)
    x, y = StandardScaler().fit_transform(x), (y - y.mean()) / y.std()
    model = keras.Sequential([keras.layers.Dense(10, activation="relu"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(learning_rate=1e-4 if broken else 0.1), loss="mse")
    watch = ww.WeightWatch(logs, verbose=False)
    model.fit(x, y, batch_size=BATCH, epochs=20, verbose=0, callbacks=[watch])
    return watch


def settle_rate(watch: ww.WeightWatch) -> ww.ProbeReport:
    """Runs experiments from the weights that (4) ended with; `WeightWatch(logs, probe="on-verdict")` would in fit."""
    x, y = load_diabetes(return_X_y=True)
    return watch.probe(StandardScaler().fit_transform(x), (y - y.mean()) / y.std())


class Program(NamedTuple):
    """A program of the demo.

    Attributes:
        title: what is wrong with it.
        train: trains it.
        cause: what must be named first when it is broken.
        settle: runs the experiments that settle what is only suspected; None if the cause is certain.
    """

    title: str
    train: Callable[[str, bool], ww.Watch | ww.WeightWatch]
    cause: str
    settle: Callable[[ww.WeightWatch], ww.ProbeReport] | None = None


PROGRAMS = {
    "1-learning-rate": Program("Adam with learning rate 1e-10", learning_rate, "learning-rate-too-small"),
    "1-learning-rate-fit": Program("the same with model.fit", learning_rate_fit, "learning-rate-too-small"),
    "2a-targets": Program("sigmoid and targets outside [0, 1]", targets_outside, "label-problem"),
    "2b-saturation": Program("sigmoid, saturated from the start", saturated_output, "saturated-activation"),
    "3-input-scale": Program("inputs of very different scale", input_scale, "unscaled-input"),
    "4-experiment": Program("SGD with learning rate 1e-4", suspected_rate, "learning-rate-too-small", settle_rate),
}
