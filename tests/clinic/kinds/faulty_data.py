"""Data: pairs that do not match, labels in the wrong shape or range, inputs and targets out of scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ..lab import Lab, O, data, mlp
from .faulty_tools import SPARSE, bce, cnn, drive, faulty, linear, logits_loss, mse, pictures, sparse, trainer

KIND = "data"


@faulty("no-learning-signal", kind=KIND)
def inputs_permuted_without_targets(lab: Lab, bad: bool) -> Any:
    x, y = data("digits")
    x = x[np.random.default_rng(5).permutation(len(x))] if bad else x
    return lab.fit(cnn(), pictures(x), y, optimizer=O.Adam(0.005), loss=SPARSE, epochs=2)


@faulty("no-learning-signal", kind=KIND)
def two_datasets_shuffled_apart(lab: Lab, bad: bool) -> Any:
    x, y = linear(4000, 8, seed=2)
    model, optimizer = mlp(8, 16, 1), O.SGD(0.05)
    xs, ys = (tf.data.Dataset.from_tensor_slices(a) for a in (x, y))
    if bad:
        pairs = tf.data.Dataset.zip((xs.shuffle(4000, seed=1), ys.shuffle(4000, seed=2)))
    else:
        pairs = tf.data.Dataset.zip((xs, ys)).shuffle(4000, seed=1)
    step = trainer(model, optimizer, mse)
    return drive(lab, model, optimizer, step, x, y, feed=pairs.batch(32))


@faulty("no-learning-signal", kind=KIND)
def targets_shifted_by_one_row(lab: Lab, bad: bool) -> Any:
    x, y = linear(3000, 8, seed=4)
    y = np.roll(y, 1, axis=0) if bad else y
    return lab.fit(mlp(8, 24, 1, activation="tanh"), x, y, optimizer=O.Adam(0.005), epochs=2)


@faulty("no-learning-signal", kind=KIND)
def labels_shuffled_in_each_epoch(lab: Lab, bad: bool) -> Any:
    x, y = data("digits")
    model, optimizer = mlp(64, 24, 10), O.Adam(0.005)
    rng = np.random.default_rng(1)
    inner = trainer(model, optimizer, logits_loss, alone=True, graph=True)

    def step(xb: Any, yb: Any) -> Any:
        return inner(xb, tf.gather(yb, rng.permutation(len(yb))) if bad else yb)

    return drive(lab, model, optimizer, step, x, y, steps=150)


@faulty("constant-data", kind=KIND, twin=False)
def every_label_is_the_same(lab: Lab) -> Any:
    """The column of labels was read from a row."""
    x, y = data("digits")
    model, optimizer = mlp(64, 24, 10, last="softmax"), O.Adam(0.005)
    return drive(lab, model, optimizer, trainer(model, optimizer, sparse), x, np.full_like(y, y[0]), steps=80)


@faulty("unscaled-input", "saturated-activation", kind=KIND)
def pixels_up_to_255_into_tanh(lab: Lab, bad: bool) -> Any:
    x, y = data("digits")
    x = x * 255 if bad else x
    return lab.fit(mlp(64, 6, 10, activation="tanh", last="softmax"), x, y, optimizer=O.SGD(0.1), loss=SPARSE,
                   epochs=8)  # fmt: skip


@faulty("unscaled-input", "dead-relu", "learning-rate-too-large", kind=KIND)
def raw_pixels_in_a_loop(lab: Lab, bad: bool) -> Any:
    x, y = data("digits")
    model, optimizer = cnn(last=None), O.SGD(0.1, momentum=0.9)
    step = trainer(model, optimizer, logits_loss, graph=True)
    return drive(lab, model, optimizer, step, pictures(x * 255 if bad else x), y, steps=100)


@faulty("unscaled-input", kind=KIND)
def one_column_is_a_timestamp(lab: Lab, bad: bool) -> Any:
    x, y = linear(600, 4, seed=3)
    moment = np.random.default_rng(1).normal(1.7e9, 1e7, size=(600, 1))
    moment = moment if bad else (moment - 1.7e9) / 1e7
    x = np.concatenate([x, moment], axis=1).astype("f")
    return lab.fit(mlp(5, 16, 1), x, y, optimizer=O.Adam(0.005), epochs=8)


@faulty("unscaled-target", kind=KIND)
def targets_of_a_million(lab: Lab, bad: bool) -> Any:
    x, y = linear(600, 6, seed=5)
    y = 1e6 + 2e5 * y if bad else y
    model, optimizer = mlp(6, 16, 1), O.Adam(0.01)
    return drive(lab, model, optimizer, trainer(model, optimizer, mse, graph=True), x, y.astype("f"), steps=120)


@faulty("nonfinite-input", kind=KIND)
def missing_values_in_some_rows(lab: Lab, bad: bool) -> Any:
    x, y = (a.copy() for a in data("breast_cancer"))
    if bad:
        x[::40, 7] = np.nan
    model, optimizer = mlp(30, 16, 1, last="sigmoid"), O.SGD(0.1)
    return drive(lab, model, optimizer, trainer(model, optimizer, bce, alone=True), x, y, steps=60)


@faulty("nonfinite-input", kind=KIND)
def logarithm_of_zero_counts(lab: Lab, bad: bool) -> Any:
    x, y = linear(600, 6, seed=6)
    counts = np.floor(np.exp(1 + y))
    with np.errstate(divide="ignore"):
        y = np.log(counts) if bad else np.log1p(counts)
    return lab.fit(mlp(6, 16, 1), x, y.astype("f"), optimizer=O.Adam(0.005), epochs=4)


@faulty("label-problem", "wrong-loss", kind=KIND)
def ids_where_one_hot_is_wanted(lab: Lab, bad: bool) -> Any:
    x, y = data("digits")
    targets = y.astype("f").reshape(-1, 1) if bad else np.eye(10, dtype="f")[y]
    model, optimizer = mlp(64, 24, 10, last="softmax"), O.Adam(0.005)

    def loss_of(t: Any, p: Any) -> Any:
        return -tf.reduce_mean(tf.reduce_sum(t * tf.math.log(p + 1e-9), axis=1))

    step = trainer(model, optimizer, loss_of)
    return drive(lab, model, optimizer, step, x, targets, steps=80)


@faulty("label-problem", kind=KIND)
def labels_one_and_two_by_hand(lab: Lab, bad: bool) -> Any:
    x, y = data("breast_cancer")
    model, optimizer = mlp(30, 16, 1), O.SGD(0.1)

    def loss_of(t: Any, p: Any) -> Any:
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(t, "float32"), p))

    step = trainer(model, optimizer, loss_of, graph=True)
    return drive(lab, model, optimizer, step, x, y + 1 if bad else y)


@faulty("label-problem", kind=KIND)
def one_hot_labels_divided_by_255(lab: Lab, bad: bool) -> Any:
    x, y = data("digits")
    targets = np.eye(10, dtype="f")[y] / (255 if bad else 1)
    model, loss = mlp(64, 24, 10, last="softmax"), "categorical_crossentropy"
    return lab.fit(model, x, targets, optimizer=O.SGD(0.05), loss=loss, epochs=4)


@faulty("constant-data", kind=KIND, twin=False)
def the_wrong_columns_were_read(lab: Lab) -> Any:
    """The first column of the pictures is empty nearly everywhere."""
    x, y = data("digits")
    model = mlp(8, 16, 10, last="softmax")
    return lab.fit(model, np.repeat(x[:, :1], 8, axis=1), y, optimizer=O.RMSprop(0.005), loss=SPARSE, epochs=2)


@faulty("no-learning-signal", kind=KIND)
def batches_of_one_class_after_another(lab: Lab, bad: bool) -> Any:
    x, y = data("digits")
    order = np.argsort(y, kind="stable") if bad else np.arange(len(y))
    model, optimizer = mlp(64, 24, 10), O.SGD(0.3)
    parts = [order[i : i + 24] for _ in range(2) for i in range(0, len(x) - 24, 24)]
    feed = [(tf.constant(x[p]), tf.constant(y[p])) for p in parts]
    return drive(lab, model, optimizer, trainer(model, optimizer, logits_loss, alone=True), x, y, feed=feed)
