"""Healthy programs: distillation, self-training, averaged teachers."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import Lab, O, data, mlp
from .proof import assert_accurate, assert_fell, batches, callback, healthy, pairs, told

SPARSE = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def _taught(seed: int) -> tuple[Any, Any, Any]:
    x, y = data("digits")
    teacher = mlp(64, 96, 10, seed=seed + 20)
    teacher.compile(O.Adam(5e-3), SPARSE)
    teacher.fit(x, y, epochs=5, verbose=0)
    return teacher, x, y


class Distiller(keras.Model):
    def __init__(self, teacher: Any, student: Any) -> None:
        super().__init__()
        self.teacher, self.student = teacher, student
        self.teacher.trainable = False

    def call(self, x: Any) -> Any:
        return self.student(x)

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, *_: Any, **__: Any) -> Any:
        soft = tf.nn.softmax(self.teacher(x, training=False) / 3)
        return 0.1 * SPARSE(y, y_pred) + 0.9 * 9 * keras.losses.KLDivergence()(soft, tf.nn.softmax(y_pred / 3))


@healthy("distillation")
def distiller_with_a_frozen_teacher(lab: Lab, seed: int) -> None:
    teacher, x, y = _taught(seed)
    model = Distiller(teacher, mlp(64, 16, 10, seed=seed))
    model(x[:2])
    lab.fit(model, x, y, optimizer=O.Adam(3e-3), loss=None, epochs=4)
    assert_accurate(model.student(x), y, 0.85)


@healthy("distillation")
def teacher_watched_but_not_trained(lab: Lab, seed: int) -> None:
    """Both models are handed to the Watch, both are trainable, and the optimizer only ever gets the student."""
    teacher, x, _ = _taught(seed)
    student, optimizer = mlp(64, 24, 10, seed=seed), O.Adam(5e-3)
    optimizer.build(student.trainable_variables)

    @tf.function
    def train(xb: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((student(xb) - teacher(xb)) ** 2)
        optimizer.apply_gradients(pairs(tape, loss, student.trainable_variables))
        return loss

    losses = []
    with lab.watch([student, teacher], optimizer) as watch:
        for (xb,) in batches(seed, 150, x):
            losses.append(train(xb))
            watch.step(losses[-1])
    assert_fell(losses, 0.4)


@healthy("self-training")
def pseudo_labels_in_rounds_of_fit(lab: Lab, seed: int) -> None:
    """Three rounds: fit what is labelled, label what is certain, fit again with the same callback."""
    x, y = data("digits")
    known, unknown = x[:150], x[150:]
    labels, model, watch = y[:150], mlp(64, 48, 10, seed=seed), callback(lab)
    model.compile(O.Adam(3e-3), SPARSE)
    inputs, targets = known, labels
    for _ in range(3):
        model.fit(inputs, targets, epochs=5, verbose=0, callbacks=[watch])
        p = tf.nn.softmax(model(unknown)).numpy()
        sure = p.max(axis=1) > 0.9
        inputs, targets = np.concatenate([known, unknown[sure]]), np.concatenate([labels, p[sure].argmax(axis=1)])
    assert_accurate(model(unknown), y[150:], 0.8)


@healthy("averaged-weights")
def mean_teacher(lab: Lab, seed: int) -> None:
    """The teacher, watched too, follows the student by a moving average; a consistency cost grows in."""
    x, y = data("digits")
    student, teacher, optimizer = mlp(64, 48, 10, seed=seed), mlp(64, 48, 10, seed=seed), O.Adam(3e-3)
    teacher.set_weights(student.get_weights())
    with lab.watch([student, teacher], optimizer) as watch:
        for number, (xb, yb, other) in enumerate(batches(seed, 100, x[:300], y[:300], x[300:600])):
            aim = tf.nn.softmax(teacher(other))
            with tf.GradientTape() as tape:
                p = student(xb)
                noisy = tf.nn.softmax(student(other + tf.random.normal(tf.shape(other), stddev=0.1)))
                loss = SPARSE(yb, p) + min(1.0, number / 50) * tf.reduce_mean((noisy - aim) ** 2)
            gradients = pairs(tape, loss, student.trainable_variables)
            optimizer.apply_gradients(gradients)
            for slow, fast in zip(teacher.variables, student.variables, strict=True):
                slow.assign(0.95 * slow + 0.05 * fast)
            watch.step(loss, **told(lab, inputs=xb, targets=yb, predictions=p, gradients=gradients))
    assert_accurate(teacher(x), y, 0.8)


@healthy("averaged-weights")
def bootstrap_your_own_latent(lab: Lab, seed: int) -> None:
    """A predictor chases the averaged copy of its own encoder; the loss is a negative cosine."""
    x, _ = data("digits")
    online, target, predictor = (mlp(n, 48, 16, seed=seed + i) for i, n in enumerate((64, 64, 16)))
    target.set_weights(online.get_weights())
    optimizer = O.Adam(2e-3)
    variables = online.trainable_variables + predictor.trainable_variables
    optimizer.build(variables)

    @tf.function
    def train(xb: Any) -> Any:
        one, two = (xb + tf.random.normal(tf.shape(xb), stddev=0.2) for _ in range(2))
        aim = tf.stop_gradient(tf.math.l2_normalize(target(two), axis=1))
        with tf.GradientTape() as tape:
            p = tf.math.l2_normalize(predictor(online(one)), axis=1)
            loss = -tf.reduce_mean(tf.reduce_sum(p * aim, axis=1))
        optimizer.apply_gradients(pairs(tape, loss, variables))
        for slow, fast in zip(target.variables, online.variables, strict=True):
            slow.assign(0.98 * slow + 0.02 * fast)
        return loss

    losses = []
    with lab.watch([online, predictor], optimizer) as watch:
        for (xb,) in batches(seed, 150, x):
            losses.append(train(xb))
            watch.step(losses[-1])
    assert float(losses[-1]) < -0.8 < float(losses[0])
