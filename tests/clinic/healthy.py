"""Healthy programs: the twins of the sick ones, and programs that only look broken."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .lab import L, Lab, O, data, mlp, program
from .sick import SPARSE, _bce, _log_loss, _mse, _sparse

BCE = "binary_crossentropy"


@program(None)
def digits_mlp_adam(lab: Lab) -> Any:
    return lab.fit(mlp(64, 32, 10, last="softmax"), *data("digits"), loss=SPARSE, epochs=3)


@program(None)
def digits_mlp_sgd_logits(lab: Lab) -> Any:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return lab.fit(mlp(64, 32, 10), *data("digits"), optimizer=O.SGD(0.1), loss=loss, epochs=3)


@program(None)
def digits_cnn_adam(lab: Lab) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            L.Input((8, 8, 1)),
            L.Conv2D(8, 3, activation="relu"),
            L.BatchNormalization(),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dropout(0.3),
            L.Dense(10, activation="softmax"),
        ]
    )
    return lab.fit(model, x.reshape(-1, 8, 8, 1), y, loss=SPARSE, epochs=2)


@program(None)
def breast_cancer_sgd_momentum(lab: Lab) -> Any:
    return lab.fit(
        mlp(30, 16, 1, last="sigmoid"), *data("breast_cancer"), optimizer=O.SGD(0.01, momentum=0.9), loss=BCE, epochs=4
    )


@program(None)
def breast_cancer_converged(lab: Lab) -> Any:
    return lab.fit(mlp(30, 32, 1, last="sigmoid"), *data("breast_cancer"), optimizer=O.Adam(0.02), loss=BCE, epochs=25)


@program(None)
def iris_overfitted_by_hand(lab: Lab) -> Any:
    x, y = data("iris")
    y = (y == 0).astype("float32").reshape(-1, 1)
    return lab.loop(mlp(4, 16, 1, last="sigmoid"), x, y, optimizer=O.Adam(0.05), loss=_log_loss, steps=300, batch=None)


@program(None)
def diabetes_regression_rmsprop(lab: Lab) -> Any:
    return lab.fit(mlp(10, 16, 1), *data("diabetes"), optimizer=O.RMSprop(1e-3), epochs=6)


@program(None)
def diabetes_adamw_loop(lab: Lab) -> Any:
    return lab.loop(mlp(10, 16, 1), *data("diabetes"), optimizer=O.AdamW(3e-3), loss=_mse, steps=120)


@program(None)
def linear_regression_one_variable(lab: Lab) -> Any:
    x = np.random.default_rng(0).normal(size=(200, 1)).astype("f")
    model = keras.Sequential([L.Input((1,)), L.Dense(1, use_bias=False)])
    return lab.loop(model, x, 3 * x, optimizer=O.SGD(0.05), loss=_mse, steps=60)


@program(None)
def ten_steps_only(lab: Lab) -> Any:
    rng = np.random.default_rng(0)
    x, y = rng.random((100, 10)).astype("f"), (rng.random((100, 1)) > 0.5).astype("f")
    return lab.loop(mlp(10, 10, 1, last="sigmoid"), x, y, optimizer=O.Adam(0.01), loss=_bce, steps=10, batch=None)


@program(None)
def seed_3_normalised(lab: Lab) -> Any:
    rng = np.random.default_rng(0)
    x, y = rng.random((100, 10)) * 100, rng.random((100, 1)) * 10
    x, y = (((a - a.mean(axis=0)) / a.std(axis=0)).astype("f") for a in (x, y))
    return lab.loop(mlp(10, 10, 1), x, y, optimizer=O.Adam(0.01), loss=_mse, steps=10, batch=None)


@program(None)
def accumulation_by_hand(lab: Lab) -> Any:
    return lab.loop(
        mlp(64, 32, 10, last="softmax"), *data("digits"), optimizer=O.Adam(5e-3), loss=_sparse, steps=96, every=8
    )


@program(None)
def accumulation_in_the_optimizer(lab: Lab) -> Any:
    optimizer = O.Adam(5e-3, gradient_accumulation_steps=8)
    return lab.fit(mlp(64, 32, 10, last="softmax"), *data("digits"), optimizer=optimizer, loss=SPARSE, epochs=2)


@program(None)
def frozen_base_trainable_head(lab: Lab) -> Any:
    model = mlp(64, 64, 32, 10, last="softmax")
    for layer in model.layers[:-1]:
        layer.trainable = False
    return lab.fit(model, *data("digits"), optimizer=O.Adam(0.01), loss=SPARSE, epochs=2)


@program(None)
def embedding_lstm(lab: Lab) -> Any:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 500, (256, 8))
    y = (x[:, :1] > 250).astype("float32")
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [L.Input((8,), dtype="int32"), L.Embedding(500, 8), L.LSTM(8), L.Dense(1, activation="sigmoid")]
    )
    return lab.fit(model, x, y, optimizer=O.Adam(0.02), loss=BCE, epochs=5)


@program(None)
def embedding_average_sgd(lab: Lab) -> Any:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 50, (256, 6))
    y = (x[:, :1] > 25).astype("float32")
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [L.Input((6,), dtype="int32"), L.Embedding(50, 8), L.Flatten(), L.Dense(1, activation="sigmoid")]
    )
    return lab.fit(model, x, y, optimizer=O.SGD(1.0), loss=BCE, epochs=10)


@program(None)
def warm_up_from_zero(lab: Lab) -> Any:
    schedule = O.schedules.CosineDecay(0.0, 50, warmup_target=0.01, warmup_steps=60)
    return lab.fit(mlp(64, 32, 10, last="softmax"), *data("digits"), optimizer=O.Adam(schedule), loss=SPARSE, epochs=2)


@program(None)
def long_warm_up_cut_short(lab: Lab) -> Any:
    schedule = O.schedules.CosineDecay(0.0, 50_000, warmup_target=1e-3, warmup_steps=20_000)
    return lab.fit(mlp(64, 32, 10, last="softmax"), *data("digits"), optimizer=O.Adam(schedule), loss=SPARSE, epochs=1)


@program(None)
def cosine_to_zero(lab: Lab) -> Any:
    schedule = O.schedules.CosineDecay(0.01, 150)
    return lab.fit(mlp(64, 32, 10, last="softmax"), *data("digits"), optimizer=O.Adam(schedule), loss=SPARSE, epochs=3)


@program(None)
def fine_tuning_with_small_rate(lab: Lab) -> Any:
    x, y = data("digits")
    model = mlp(64, 64, 10, last="softmax")
    model.compile(optimizer=O.Adam(0.01), loss=SPARSE)
    model.fit(x, y, epochs=6, verbose=0)
    return lab.fit(model, x, y, optimizer=O.Adam(1e-5), loss=SPARSE, epochs=3)


@program(None)
def converged_and_going_on(lab: Lab) -> Any:
    x = np.random.default_rng(0).normal(size=(200, 3)).astype("f")
    y = x @ np.array([[1.0], [2.0], [-1.0]], "f")
    return lab.loop(mlp(3, 1), x, y, optimizer=O.SGD(0.1), loss=_mse, steps=400, batch=None)


@program(None)
def gan(lab: Lab) -> Any:
    keras.utils.set_random_seed(0)
    generator = keras.Sequential([L.Input((4,)), L.Dense(16, activation="relu"), L.Dense(2)])
    judge = keras.Sequential([L.Input((2,)), L.Dense(16, activation="leaky_relu"), L.Dense(1)])
    og, oj = O.Adam(1e-3), O.Adam(1e-3)
    watch = lab.watch([generator, judge], [og, oj])
    rng = np.random.default_rng(0)
    cross = keras.losses.BinaryCrossentropy(from_logits=True)
    for step in range(150):
        real = tf.constant(rng.normal(2, 0.5, (32, 2)).astype("f"))
        noise = tf.constant(rng.normal(size=(32, 4)).astype("f"))
        side = judge if step % 2 else generator
        with tf.GradientTape() as tape:
            fake = judge(generator(noise))
            if side is judge:
                loss = cross(tf.ones((32, 1)), judge(real)) + cross(tf.zeros((32, 1)), fake)
            else:
                loss = cross(tf.ones((32, 1)), fake)
        pairs = list(zip(tape.gradient(loss, side.trainable_variables), side.trainable_variables, strict=True))
        (oj if side is judge else og).apply_gradients(pairs)
        watch.step(loss, gradients=pairs)
    watch.close()
    return watch


@program(None)
def zero_initialised_gate(lab: Lab) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(0)
    inputs = L.Input((64,))
    trunk = L.Dense(32, activation="relu")(inputs)
    branch = L.Dense(32, activation="relu")(trunk)
    branch = L.Dense(32, kernel_initializer="zeros")(branch)
    output = L.Dense(10, activation="softmax")(L.Add()([trunk, branch]))
    return lab.fit(keras.Model(inputs, output), x, y, loss=SPARSE, epochs=2)


@program(None)
def zero_initialised_output_layer(lab: Lab) -> Any:
    model = mlp(64, 32, 10, last="softmax")
    model.layers[-1].kernel.assign(np.zeros((32, 10), "f"))
    return lab.fit(model, *data("digits"), loss=SPARSE, epochs=2)


@program(None)
def few_steps_steady_progress(lab: Lab) -> Any:
    return lab.fit(mlp(64, 32, 10, last="softmax"), *data("digits"), optimizer=O.SGD(0.02), loss=SPARSE, epochs=1)


@program(None)
def slow_but_falling_adam_1e_4(lab: Lab) -> Any:
    return lab.fit(mlp(64, 32, 10, last="softmax"), *data("digits"), optimizer=O.Adam(1e-4), loss=SPARSE, epochs=4)


@program(None)
def noisy_batch_of_one(lab: Lab) -> Any:
    x, y = data("iris")
    return lab.fit(mlp(4, 16, 3, last="softmax"), x, y, optimizer=O.SGD(0.02), loss=SPARSE, epochs=2, batch=1)


@program(None)
def label_smoothing(lab: Lab) -> Any:
    x, y = data("digits")
    y = keras.utils.to_categorical(y, 10).astype("f") * 0.9 + 0.01
    return lab.fit(mlp(64, 32, 10, last="softmax"), x, y, loss="categorical_crossentropy", epochs=2)


@program(None)
def soft_labels_sigmoid(lab: Lab) -> Any:
    x, y = data("breast_cancer")
    return lab.fit(mlp(30, 16, 1, last="sigmoid"), x, (0.05 + 0.9 * y).astype("f"), loss=BCE, epochs=3)


@program(None)
def negative_log_likelihood(lab: Lab) -> Any:
    x, y = data("diabetes")
    y = (0.01 * y).astype("f")

    def likelihood(t: Any, p: Any) -> Any:
        return tf.reduce_mean(0.5 * ((t - p[:, :1]) / tf.exp(p[:, 1:])) ** 2 + p[:, 1:])

    return lab.loop(mlp(10, 16, 2), x, y, optimizer=O.Adam(0.01), loss=likelihood, steps=150)


@program(None)
def regression_of_sums(lab: Lab) -> Any:
    x, y = data("diabetes")
    return lab.loop(
        mlp(10, 16, 1), x, y, optimizer=O.Adam(0.01), loss=lambda y, p: tf.reduce_sum((p - y) ** 2), steps=100
    )


@program(None)
def raw_inputs_behind_normalization(lab: Lab) -> Any:
    x, y = data("wine", scaled=False)
    keras.utils.set_random_seed(0)
    normalise = L.Normalization()
    normalise.adapt(x)
    model = keras.Sequential(
        [L.Input((13,)), normalise, L.Dense(16, activation="relu"), L.Dense(3, activation="softmax")]
    )
    return lab.fit(model, x, y, optimizer=O.Adam(0.01), loss=SPARSE, epochs=8)


@program(None)
def raw_inputs_behind_batch_normalization(lab: Lab) -> Any:
    x, y = data("wine", scaled=False)
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [L.Input((13,)), L.BatchNormalization(), L.Dense(16, activation="relu"), L.Dense(3, activation="softmax")]
    )
    return lab.fit(model, x, y, optimizer=O.Adam(0.01), loss=SPARSE, epochs=8)


@program(None)
def raw_digits_that_train(lab: Lab) -> Any:
    x, y = data("digits", scaled=False)
    return lab.fit(mlp(64, 32, 10, last="softmax"), x, y, optimizer=O.Adam(1e-3), loss=SPARSE, epochs=4)


@program(None)
def raw_iris_that_trains(lab: Lab) -> Any:
    x, y = data("iris", scaled=False)
    return lab.fit(mlp(4, 16, 3, last="softmax"), x, y, optimizer=O.Adam(0.02), loss=SPARSE, epochs=20)


@program(None)
def nan_masked_targets(lab: Lab) -> Any:
    x, y = (a.copy() for a in data("diabetes"))
    y[::7] = np.nan

    def masked(t: Any, p: Any) -> Any:
        known = ~tf.math.is_nan(t)
        return tf.reduce_mean(tf.where(known, (p - tf.where(known, t, 0.0)) ** 2, 0.0))

    return lab.loop(mlp(10, 16, 1), x, y, optimizer=O.Adam(0.01), loss=masked, steps=80)


@program(None)
def sparse_relu_that_trains(lab: Lab) -> Any:
    model = mlp(64, 128, 10, last="softmax")
    bias = np.zeros(128, "f")
    bias[:60] = -5
    model.layers[0].bias.assign(bias)
    return lab.fit(model, *data("digits"), optimizer=O.Adam(3e-3), loss=SPARSE, epochs=3)


@program(None)
def unused_branch_without_gradient(lab: Lab) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(0)
    inputs = L.Input((64,))
    hidden = L.Dense(32, activation="relu")(inputs)
    model = keras.Model(inputs, [L.Dense(10, activation="softmax")(hidden), L.Dense(4, name="pooler")(hidden)])
    return lab.loop(model, x, y, optimizer=O.Adam(5e-3), loss=_sparse, forward=lambda xb: model(xb)[0], steps=80)


@program(None)
def head_only_by_hand(lab: Lab) -> Any:
    model = mlp(64, 64, 10, last="softmax")
    head = model.layers[-1].trainable_variables
    return lab.loop(model, *data("digits"), optimizer=O.Adam(0.01), loss=_sparse, steps=80, variables=head)


@program(None)
def large_rate_that_works(lab: Lab) -> Any:
    return lab.fit(mlp(64, 32, 10, last="softmax"), *data("digits"), optimizer=O.Adam(0.03), loss=SPARSE, epochs=3)


@program(None)
def large_sgd_rate_that_works(lab: Lab) -> Any:
    x, y = data("wine")
    return lab.fit(mlp(13, 16, 3, last="softmax"), x, y, optimizer=O.SGD(0.5), loss=SPARSE, epochs=12)


@program(None)
def clipped_by_norm(lab: Lab) -> Any:
    return lab.fit(mlp(10, 16, 1), *data("diabetes"), optimizer=O.Adam(0.005, clipnorm=1.0), epochs=5)


@program(None)
def autoencoder_tanh(lab: Lab) -> Any:
    x, _ = data("digits")
    return lab.fit(
        mlp(64, 16, 64, activation="tanh", last="sigmoid"), x, x, optimizer=O.Adam(5e-3), loss="mse", epochs=4
    )


@program(None)
def deep_and_narrow(lab: Lab) -> Any:
    return lab.fit(mlp(13, 8, 8, 8, 3, last="softmax"), *data("wine"), optimizer=O.Nadam(5e-3), loss=SPARSE, epochs=15)


@program(None)
def float64_model(lab: Lab) -> Any:
    x, y = data("diabetes")
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [L.Input((10,)), L.Dense(16, activation="relu", dtype="float64"), L.Dense(1, dtype="float64")]
    )
    return lab.loop(model, x.astype("float64"), y.astype("float64"), optimizer=O.Adam(5e-3), loss=_mse, steps=100)


@program(None)
def bfloat16_that_trains(lab: Lab) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            L.Input((64,)),
            L.Dense(32, activation="relu", dtype="bfloat16"),
            L.Dense(10, activation="softmax", dtype="bfloat16"),
        ]
    )
    return lab.fit(model, x, y, optimizer=O.SGD(0.2), loss=SPARSE, epochs=3)


@program(None)
def momentum_and_alternating_tasks(lab: Lab) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(0)
    inputs = L.Input((64,))
    hidden = L.Dense(32, activation="relu")(inputs)
    model = keras.Model(inputs, [L.Dense(10)(hidden), L.Dense(2)(hidden)])
    optimizer = O.SGD(0.05, momentum=0.9)
    watch = lab.watch(model, optimizer)
    rng = np.random.default_rng(0)
    cross = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for step in range(120):
        i = rng.integers(0, len(x), 32)
        with tf.GradientTape() as tape:
            a, b = model(x[i])
            turn = (step // 10) % 2
            loss = (1 - turn) * cross(y[i], a) + turn * cross(y[i] % 2, b)
        pairs = list(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True))
        optimizer.apply_gradients(pairs)
        watch.step(loss, inputs=x[i], targets=y[i], gradients=pairs)
    watch.close()
    return watch


@program(None)
def hinge_loss_at_zero(lab: Lab) -> Any:
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(3, 0.3, (50, 2)), rng.normal(-3, 0.3, (50, 2))]).astype("f")
    y = np.repeat([[1.0], [-1.0]], 50, axis=0).astype("f")
    return lab.loop(
        mlp(2, 8, 1), x, y, optimizer=O.Adam(0.02), loss=lambda y, p: tf.reduce_mean(tf.nn.relu(1 - y * p)), steps=150
    )
