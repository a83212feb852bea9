"""Optimizers and weights in a state: piled up gradients, weights put back, clipped, decayed, schedules, loss scale."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ..lab import L, Lab, O, data, mlp
from .faulty_tools import SPARSE, bce, drive, faulty, linear, logits_loss, mse, sparse, trainer

KIND = "optimizer-state"
LARGE = "learning-rate-too-large"
ODD = "optimizer-misconfigured"


@faulty("exploding-gradient", LARGE, kind=KIND)
def accumulators_never_cleared(lab: Lab, bad: bool) -> Any:
    model, optimizer = mlp(10, 16, 1), O.SGD(0.05)
    held = [tf.Variable(tf.zeros_like(v), trainable=False) for v in model.trainable_variables]
    count = [0]

    def step(xb: Any, yb: Any) -> Any:
        count[0] += 1
        with tf.GradientTape() as tape:
            p = model(xb, training=True)
            loss = mse(yb, p)
        for h, g in zip(held, tape.gradient(loss, model.trainable_variables), strict=True):
            h.assign_add(g)
        if count[0] % 2 == 0:
            gradients = [tf.identity(h) for h in held]
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            if not bad:
                for h in held:
                    h.assign(tf.zeros_like(h))
        return loss, {"inputs": xb, "targets": yb, "predictions": p}

    return drive(lab, model, optimizer, step, *data("diabetes"), steps=150)


@faulty("update-undone", kind=KIND)
def meta_weights_put_back_after_the_outer_step(lab: Lab, bad: bool) -> Any:
    """Reptile: the start is restored last, so that the outer step is lost."""
    model, optimizer = mlp(6, 16, 1, activation="tanh"), O.SGD(0.1)
    inner = trainer(model, optimizer, mse)

    def step(xb: Any, yb: Any) -> Any:
        start = model.get_weights()
        for _ in range(3):
            out = inner(xb, yb)
        end = model.get_weights()
        model.set_weights([s + 0.5 * (e - s) for s, e in zip(start, end, strict=True)])
        if bad:
            model.set_weights(start)
        return out

    return drive(lab, model, optimizer, step, *linear(seed=3), steps=60)


@faulty(LARGE, "exploding-gradient", "dead-relu", kind=KIND)
def gradients_summed_over_the_batch(lab: Lab, bad: bool) -> Any:
    model, optimizer = mlp(64, 24, 10), O.SGD(0.1)

    def loss_of(y: Any, p: Any) -> Any:
        each = tf.nn.sparse_softmax_cross_entropy_with_logits(y, p)
        return tf.reduce_sum(each) if bad else tf.reduce_mean(each)

    step = trainer(model, optimizer, loss_of, graph=True, alone=True)
    return drive(lab, model, optimizer, step, *data("digits"), size=256, steps=80)


@faulty("update-undone", kind=KIND)
def weights_clipped_instead_of_gradients(lab: Lab, bad: bool) -> Any:
    model, optimizer = mlp(64, 24, 10, last="softmax"), O.Adam(0.01)
    inner = trainer(model, optimizer, sparse)

    def step(xb: Any, yb: Any) -> Any:
        out = inner(xb, yb)
        for v in model.trainable_variables if bad else ():
            v.assign(tf.clip_by_value(v, -0.001, 0.001))
        return out

    return drive(lab, model, optimizer, step, *data("digits"), steps=80)


@faulty(ODD, LARGE, kind=KIND)
def momentum_of_four_nines(lab: Lab, bad: bool) -> Any:
    optimizer = O.SGD(0.1, momentum=0.9999 if bad else 0.9)
    x, y = data("digits")
    return lab.fit(mlp(64, 24, 10, last="softmax"), x, y, optimizer=optimizer, loss=SPARSE, epochs=3)


@faulty(ODD, "nonfinite-weight", "nonfinite-loss", kind=KIND)
def first_beta_of_one(lab: Lab, bad: bool) -> Any:
    optimizer = O.Adam(0.005, beta_1=1.0 if bad else 0.9)
    x, y = data("wine")
    return lab.fit(mlp(13, 16, 3, last="softmax"), x, y, optimizer=optimizer, loss=SPARSE, epochs=10)


@faulty(ODD, "learning-rate-too-small", kind=KIND)
def epsilon_of_ten_thousand(lab: Lab, bad: bool) -> Any:
    model, optimizer = mlp(30, 16, 1, last="sigmoid"), O.RMSprop(0.005, epsilon=1e4 if bad else 1e-7)
    step = trainer(model, optimizer, bce)
    return drive(lab, model, optimizer, step, *data("breast_cancer"), steps=80)


@faulty(ODD, "poor-initialization", "update-undone", kind=KIND)
def decay_by_hand_of_nine_tenths(lab: Lab, bad: bool) -> Any:
    model, optimizer = mlp(64, 24, 10), O.SGD(0.1)
    decay = 0.9 if bad else 1e-4
    inner = trainer(model, optimizer, logits_loss, alone=True)

    def step(xb: Any, yb: Any) -> Any:
        out = inner(xb, yb)
        for v in model.trainable_variables:
            v.assign_sub(decay * v)
        return out

    return drive(lab, model, optimizer, step, *data("digits"), steps=150)


@faulty(ODD, "wrong-loss", kind=KIND)
def penalty_of_a_hundred_on_every_kernel(lab: Lab, bad: bool) -> Any:
    weight = 100.0 if bad else 1e-4
    model = mlp(64, 24, 10, last="softmax", kernel_regularizer=keras.regularizers.L2(weight))
    model.layers[-1].kernel_regularizer = keras.regularizers.L2(weight)
    x, y = data("digits")
    return lab.fit(model, x, y, optimizer=O.Adam(0.005), loss=SPARSE, epochs=4)


@faulty("learning-rate-zero", "learning-rate-too-small", kind=KIND)
def decay_steps_counted_in_epochs(lab: Lab, bad: bool) -> Any:
    """Three epochs to each tenth, but the schedule counts steps."""
    schedule = O.schedules.ExponentialDecay(0.003, 3 if bad else 3 * 57, 0.1)
    x, y = data("digits")
    return lab.fit(mlp(64, 24, 10, last="softmax"), x, y, optimizer=O.Adam(schedule), loss=SPARSE, epochs=4)


@faulty("learning-rate-zero", "learning-rate-too-small", kind=KIND, twin=False)
def rate_assigned_from_the_step_number(lab: Lab) -> Any:
    model, optimizer = mlp(13, 16, 3, activation="tanh"), O.SGD(0.05)
    inner, count = trainer(model, optimizer, logits_loss, alone=True), [0]

    def step(xb: Any, yb: Any) -> Any:
        optimizer.learning_rate = 0.05 * 0.5 ** count[0]
        count[0] += 1
        return inner(xb, yb)

    return drive(lab, model, optimizer, step, *data("wine"))


@faulty("loss-scale-skipping", "nonfinite-gradient", kind=KIND)
def loss_scale_that_begins_far_too_high(lab: Lab, bad: bool) -> Any:
    keras.utils.set_random_seed(1)
    optimizer = O.LossScaleOptimizer(O.SGD(0.05), initial_scale=1e30 if bad else 1024.0)
    policy = keras.mixed_precision.DTypePolicy("mixed_float16")
    layers = [L.Dense(16, activation="tanh", dtype=policy), L.Dense(1, dtype=policy)]
    model = keras.Sequential([L.Input((10,)), *layers])

    def loss_of(y: Any, p: Any) -> Any:
        return mse(y, tf.cast(p, "float32"))

    step = trainer(model, optimizer, loss_of, scaled=optimizer.scale_loss)
    return drive(lab, model, optimizer, step, *data("diabetes"), steps=60)


@faulty("learning-rate-zero", "learning-rate-too-small", kind=KIND)
def plateau_watched_the_wrong_way_round(lab: Lab, bad: bool) -> Any:
    plateau = keras.callbacks.ReduceLROnPlateau(
        monitor="loss", mode="max" if bad else "min", factor=0.01, patience=1, min_lr=0.0
    )
    x, y = data("wine")
    model = mlp(13, 16, 3, activation="tanh", last="softmax")
    return lab.fit(model, x, y, optimizer=O.SGD(0.01), loss=SPARSE, epochs=14, callbacks=[plateau])
