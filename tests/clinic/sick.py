"""Sick programs, by the verdict they must get. Each is tiny; they differ in data, architecture, optimizer and loop."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .lab import L, Lab, O, data, mlp, program

SPARSE = "sparse_categorical_crossentropy"
sparse = keras.losses.sparse_categorical_crossentropy


def _mse(y: Any, p: Any) -> Any:
    return tf.reduce_mean(tf.square(p - tf.cast(y, p.dtype)))


def _sparse(y: Any, p: Any) -> Any:
    return tf.reduce_mean(sparse(y, p))


def _bce(y: Any, p: Any) -> Any:
    return tf.reduce_mean(keras.losses.binary_crossentropy(y, p))


def _log_loss(y: Any, p: Any) -> Any:
    """Binary cross-entropy by hand, clipped as people do."""
    y, p = tf.cast(y, tf.float32), tf.clip_by_value(p, 1e-7, 1 - 1e-7)
    return -tf.reduce_mean(y * tf.math.log(p) + (1 - y) * tf.math.log(1 - p))


# -- 101


@program("nonfinite-input")
def nan_in_inputs_fit(lab: Lab) -> Any:
    x, y = (a.copy() for a in data("breast_cancer"))
    x[40:60, 3] = np.nan
    return lab.fit(mlp(30, 16, 1, last="sigmoid"), x, y, loss="binary_crossentropy", epochs=2)


@program("nonfinite-input")
def inf_in_targets_loop(lab: Lab) -> Any:
    x, y = (a.copy() for a in data("diabetes"))
    y[::20] = np.inf
    return lab.loop(mlp(10, 16, 1), x, y, optimizer=O.SGD(0.01), loss=_mse, steps=40)


@program("nonfinite-input")
def nan_from_standardising_a_constant_feature(lab: Lab) -> Any:
    x, y = (a.copy() for a in data("digits", scaled=False))
    with np.errstate(all="ignore"):
        x = (x - x.mean(axis=0)) / x.std(axis=0)
    return lab.fit(mlp(64, 32, 10, last="softmax"), x, y, loss=SPARSE, epochs=1)


# -- 102


@program("unscaled-input")
def raw_regression_sgd(lab: Lab) -> Any:
    x, y = data("breast_cancer", scaled=False)
    return lab.fit(mlp(30, 16, 1), x, y, optimizer=O.SGD(1e-3), epochs=4)


@program("unscaled-input", "dead-relu")
def raw_breast_cancer_sgd(lab: Lab) -> Any:
    x, y = data("breast_cancer", scaled=False)
    return lab.fit(mlp(30, 16, 1, last="sigmoid"), x, y, optimizer=O.SGD(0.01), loss="binary_crossentropy", epochs=4)


@program("unscaled-input")
def raw_wine_adam(lab: Lab) -> Any:
    x, y = data("wine", scaled=False)
    return lab.fit(mlp(13, 16, 3, last="softmax"), x, y, loss=SPARSE, epochs=12)


@program("unscaled-input")
def seed_3_without_normalising_long(lab: Lab) -> Any:
    rng = np.random.default_rng(0)
    x, y = (rng.random((100, 10)) * 100).astype("f"), (rng.random((100, 1)) * 10).astype("f")
    return lab.loop(mlp(10, 10, 1), x, y, optimizer=O.SGD(1e-4), loss=_mse, steps=200, batch=None)


@program("unscaled-input", "saturated-activation")
def raw_wine_tanh(lab: Lab) -> Any:
    x, y = data("wine", scaled=False)
    model = mlp(13, 16, 16, 3, activation="tanh", last="softmax")
    return lab.fit(model, x, y, optimizer=O.SGD(0.01), loss=SPARSE, epochs=15)


@program("unscaled-input")
def years_and_salaries_loop(lab: Lab) -> Any:
    rng = np.random.default_rng(1)
    x = np.stack([rng.normal(40, 10, 400), rng.normal(50_000, 15_000, 400), rng.normal(2000, 8, 400)], 1).astype("f")
    y = ((x[:, :1] - 40) / 10 + (x[:, 1:2] - 50_000) / 15_000).astype("f")
    return lab.loop(mlp(3, 16, 1), x, y, optimizer=O.Adam(1e-3), loss=_mse, steps=150)


# -- 105


@program("label-problem")
def labels_one_and_two_fit(lab: Lab) -> Any:
    x, y = data("breast_cancer")
    return lab.fit(mlp(30, 16, 1, last="sigmoid"), x, y + 1, loss="binary_crossentropy", epochs=3)


@program("label-problem")
def labels_minus_one_and_one_loop(lab: Lab) -> Any:
    x, y = data("breast_cancer")
    y = (2 * y - 1).astype("float32")
    return lab.loop(mlp(30, 16, 1, last="sigmoid"), x, y, optimizer=O.Adam(0.01), loss=_bce, steps=60)


@program("wrong-loss", "label-problem")
def regression_with_a_sigmoid_and_cross_entropy(lab: Lab) -> Any:
    x, y = data("diabetes")
    return lab.fit(
        mlp(10, 16, 1, last="sigmoid"), x, y, optimizer=O.RMSprop(1e-3), loss="binary_crossentropy", epochs=4
    )


@program("label-problem")
def digits_ids_into_one_sigmoid(lab: Lab) -> Any:
    x, y = data("digits")
    y = y.astype("float32").reshape(-1, 1)
    return lab.fit(mlp(64, 16, 1, last="sigmoid"), x, y, loss="binary_crossentropy", epochs=1)


@program("label-problem")
def multi_label_into_softmax(lab: Lab) -> Any:
    x, _ = data("digits")
    y = (np.random.default_rng(0).random((len(x), 10)) < 0.3).astype("float32")
    return lab.fit(mlp(64, 16, 10, last="softmax"), x, y, loss="categorical_crossentropy", epochs=2)


@program("label-problem")
def negative_targets_relu_output(lab: Lab) -> Any:
    x, y = data("diabetes")
    return lab.fit(mlp(10, 16, 1, last="relu"), x, y, loss="mse", epochs=4)


# -- 201


@program("dead-relu")
def dead_by_a_negative_bias(lab: Lab) -> Any:
    x, y = data("digits")
    model = mlp(64, 32, 16, 10, last="softmax")
    model.layers[0].bias.assign(-20 * np.ones(32, "f"))
    return lab.fit(model, x, y, loss=SPARSE, epochs=2)


@program("dead-relu")
def dead_second_layer_loop(lab: Lab) -> Any:
    x, y = data("breast_cancer")
    model = mlp(30, 16, 8, 1, last="sigmoid")
    model.layers[1].bias.assign(-50 * np.ones(8, "f"))
    return lab.loop(model, x, y, optimizer=O.SGD(0.05), loss=_bce, steps=60)


@program("dead-relu")
def dead_convolution(lab: Lab) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            L.Input((8, 8, 1)),
            L.Conv2D(8, 3, activation="relu", bias_initializer=keras.initializers.Constant(-10)),
            L.Flatten(),
            L.Dense(10, activation="softmax"),
        ]
    )
    return lab.fit(model, x.reshape(-1, 8, 8, 1), y, optimizer=O.RMSprop(1e-3), loss=SPARSE, epochs=1)


@program("dead-relu", "learning-rate-too-large")
def dead_after_one_large_step(lab: Lab) -> Any:
    x, y = data("diabetes")
    return lab.fit(mlp(10, 16, 16, 1), x, y + 3, optimizer=O.SGD(1.0), epochs=4)


@program("dead-relu")
def dead_relu_output(lab: Lab) -> Any:
    x, y = data("iris")
    model = mlp(4, 16, 1, last="relu")
    model.layers[-1].bias.assign([-30.0])
    return lab.fit(model, x, y.astype("float32").reshape(-1, 1), loss="mse", epochs=6)


# -- 202


@program("saturated-activation")
def huge_initial_weights_tanh(lab: Lab) -> Any:
    x, y = data("digits")
    model = mlp(
        64, 32, 32, 10, activation="tanh", last="softmax", kernel_initializer=keras.initializers.RandomNormal(0, 30)
    )
    return lab.fit(model, x, y, optimizer=O.SGD(0.01), loss=SPARSE, epochs=2)


@program("saturated-activation")
def saturated_sigmoid_output_mse(lab: Lab) -> Any:
    x, y = data("breast_cancer")
    model = mlp(30, 16, 1, last="sigmoid")
    model.layers[-1].bias.assign([60.0])
    return lab.loop(model, x, y.astype("float32"), optimizer=O.Adam(0.001), loss=_mse, steps=50)


@program("saturated-activation")
def saturated_output_log_loss_by_hand(lab: Lab) -> Any:
    x, y = data("breast_cancer")
    model = mlp(30, 16, 1, last="sigmoid")
    model.layers[-1].bias.assign([-60.0])
    return lab.loop(model, x, y, optimizer=O.Adam(0.01), loss=_log_loss, steps=10)


@program("saturated-activation")
def saturated_hidden_sigmoid_bias(lab: Lab) -> Any:
    x, y = data("iris")
    model = mlp(4, 16, 3, activation="sigmoid", last="softmax")
    model.layers[0].bias.assign(40 * np.ones(16, "f"))
    return lab.fit(model, x, y, optimizer=O.SGD(0.05), loss=SPARSE, epochs=20)


# -- 401


@program("no-gradient")
def loss_through_numpy(lab: Lab) -> Any:
    x, y = data("iris")
    model = mlp(4, 16, 3, last="softmax")
    return lab.loop(
        model, x, y, optimizer=O.Adam(), loss=_sparse, forward=lambda xb: tf.constant(model(xb).numpy()), steps=20
    )


@program("no-gradient")
def argmax_on_the_way(lab: Lab) -> Any:
    x, y = data("iris")
    return lab.loop(
        mlp(4, 16, 3, last="softmax"),
        x,
        y,
        optimizer=O.Adam(),
        steps=20,
        loss=lambda y, p: tf.reduce_mean(tf.cast(tf.argmax(p, axis=1) - tf.cast(y, tf.int64), tf.float32) ** 2),
    )


@program("no-gradient")
def stop_gradient_after_the_encoder(lab: Lab) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(0)
    inputs = L.Input((64,))
    hidden = L.Dense(16, activation="relu", name="encoder")(inputs)
    output = L.Dense(10, activation="softmax", name="head")(hidden)
    model = keras.Model(inputs, output)

    def forward(xb: Any) -> Any:
        return model.get_layer("head")(tf.stop_gradient(model.get_layer("encoder")(xb)))

    return lab.loop(model, x, y, optimizer=O.Adam(0.01), loss=_sparse, forward=forward, steps=40)


# -- 402, 304, 301, 702


@program("loss-disconnected")
def loss_times_zero_mask(lab: Lab) -> Any:
    x, y = data("diabetes")
    return lab.loop(
        mlp(10, 16, 1), x, y, optimizer=O.Adam(), loss=lambda y, p: tf.reduce_mean((p - y) ** 2 * 0.0 + y**2), steps=30
    )


@program("poor-initialization")
def all_kernels_zero(lab: Lab) -> Any:
    x, y = data("digits")
    model = mlp(64, 32, 10, last="softmax", kernel_initializer="zeros", activation="linear")
    model.layers[-1].kernel.assign(np.zeros((32, 10), "f"))
    return lab.fit(model, x, y, optimizer=O.SGD(0.1), loss=SPARSE, epochs=1)


@program("loss-activation-mismatch")
def softmax_on_one_unit(lab: Lab) -> Any:
    x, y = data("breast_cancer")
    return lab.loop(mlp(30, 16, 1, last="softmax"), x, y, optimizer=O.Adam(), loss=_mse, steps=30)


@program("loss-disconnected", "zero-gradient")
def predictions_clipped(lab: Lab) -> Any:
    x, y = data("diabetes")
    return lab.loop(
        mlp(10, 16, 1),
        x,
        y + 20,
        optimizer=O.Adam(),
        steps=30,
        loss=lambda y, p: tf.reduce_mean((tf.clip_by_value(p, 15.0, 25.0) - y) ** 2),
    )


# -- 405


@program("nonfinite-gradient")
def square_root_at_zero(lab: Lab) -> Any:
    x, y = data("diabetes")
    return lab.loop(
        mlp(10, 16, 1),
        x,
        y,
        optimizer=O.Adam(),
        steps=20,
        loss=lambda y, p: tf.reduce_mean((p - y) ** 2) + tf.reduce_mean(tf.sqrt(tf.nn.relu(p - 100.0))),
    )


@program("nonfinite-gradient")
def norm_of_a_difference_of_zero(lab: Lab) -> Any:
    x, y = data("diabetes")
    return lab.loop(
        mlp(10, 16, 1),
        x,
        y,
        optimizer=O.SGD(0.01),
        steps=20,
        loss=lambda y, p: tf.reduce_mean((p - y) ** 2) + 0.1 * tf.norm(p[:1] - p[:1]),
    )


@program("nonfinite-loss")
def log_of_zero_softmax(lab: Lab) -> Any:
    x, y = data("iris")
    model = mlp(4, 16, 3, last="softmax")
    model.layers[-1].bias.assign([200.0, 0.0, 0.0])
    return lab.loop(
        model,
        x,
        y,
        optimizer=O.Adam(),
        steps=20,
        loss=lambda y, p: -tf.reduce_mean(tf.reduce_sum(tf.one_hot(y, 3) * tf.math.log(p), axis=1)),
    )


# -- 501


@program("learning-rate-zero")
def rate_zero_fit(lab: Lab) -> Any:
    x, y = data("iris")
    return lab.fit(mlp(4, 16, 3, last="softmax"), x, y, optimizer=O.Adam(0.0), loss=SPARSE, epochs=6)


@program("learning-rate-zero")
def rate_zero_loop(lab: Lab) -> Any:
    x, y = data("diabetes")
    return lab.loop(mlp(10, 16, 1), x, y, optimizer=O.SGD(0.0, momentum=0.9), loss=_mse, steps=12)


@program("learning-rate-zero")
def schedule_ends_after_ten_batches(lab: Lab) -> Any:
    x, y = data("digits")
    schedule = O.schedules.PolynomialDecay(1e-3, 10, 0.0)
    return lab.fit(mlp(64, 32, 10, last="softmax"), x, y, optimizer=O.Adam(schedule), loss=SPARSE, epochs=2)


@program("learning-rate-zero")
def decay_far_too_fast(lab: Lab) -> Any:
    x, y = data("digits")
    schedule = O.schedules.ExponentialDecay(0.01, 5, 0.1)
    return lab.fit(mlp(64, 32, 10, last="softmax"), x, y, optimizer=O.SGD(schedule), loss=SPARSE, epochs=2)


# -- 502


@program("learning-rate-too-small")
def seed_1(lab: Lab) -> Any:
    rng = np.random.default_rng(0)
    x, y = rng.random((100, 10)).astype("f"), rng.random((100, 1)).astype("f")
    return lab.loop(mlp(10, 10, 1), x, y, optimizer=O.Adam(1e-10), loss=_mse, steps=100, batch=None)


@program("learning-rate-too-small")
def adam_1e_8_fit(lab: Lab) -> Any:
    x, y = data("digits")
    return lab.fit(mlp(64, 32, 10, last="softmax"), x, y, optimizer=O.Adam(1e-8), loss=SPARSE, epochs=1)


@program("learning-rate-too-small")
def sgd_1e_7_fit(lab: Lab) -> Any:
    x, y = data("breast_cancer")
    return lab.fit(mlp(30, 16, 1, last="sigmoid"), x, y, optimizer=O.SGD(1e-7), loss="binary_crossentropy", epochs=3)


@program("learning-rate-too-small")
def sgd_1e_5_loop(lab: Lab) -> Any:
    x, y = data("diabetes")
    return lab.loop(mlp(10, 16, 1), x, y, optimizer=O.SGD(1e-5), loss=_mse, steps=200)


@program("learning-rate-too-small")
def adamw_1e_6_cnn(lab: Lab) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [L.Input((8, 8, 1)), L.Conv2D(8, 3, activation="relu"), L.Flatten(), L.Dense(10, activation="softmax")]
    )
    return lab.fit(model, x.reshape(-1, 8, 8, 1), y, optimizer=O.AdamW(1e-6), loss=SPARSE, epochs=2)


@program("learning-rate-too-small")
def rmsprop_1e_9(lab: Lab) -> Any:
    x, y = data("wine")
    return lab.fit(mlp(13, 16, 3, last="softmax"), x, y, optimizer=O.RMSprop(1e-9), loss=SPARSE, epochs=3)


@program("learning-rate-too-small")
def sgd_momentum_1e_6(lab: Lab) -> Any:
    x, y = data("wine")
    return lab.fit(mlp(13, 16, 3, last="softmax"), x, y, optimizer=O.SGD(1e-6, momentum=0.9), loss=SPARSE, epochs=15)


# -- 503


@program("learning-rate-too-large")
def adam_of_ten(lab: Lab) -> Any:
    x, y = data("digits")
    return lab.fit(mlp(64, 32, 32, 10, last="softmax"), x, y, optimizer=O.Adam(10.0), loss=SPARSE, epochs=2)


@program("learning-rate-too-large")
def adam_of_one_tanh(lab: Lab) -> Any:
    x, y = data("digits")
    return lab.fit(
        mlp(64, 32, 32, 10, activation="tanh", last="softmax"), x, y, optimizer=O.Adam(1.0), loss=SPARSE, epochs=2
    )


@program("learning-rate-too-large")
def sgd_explodes_to_nan(lab: Lab) -> Any:
    x, y = data("diabetes")
    return lab.loop(mlp(10, 16, 16, 1), x, y, optimizer=O.SGD(3.0), loss=_mse, steps=60)


@program("learning-rate-too-large")
def linear_regression_diverges(lab: Lab) -> Any:
    x, y = data("diabetes")
    return lab.fit(mlp(10, 1), x, y, optimizer=O.SGD(1.0), epochs=4)


@program("learning-rate-too-large")
def sgd_of_hundred_classifier(lab: Lab) -> Any:
    x, y = data("wine")
    return lab.fit(mlp(13, 16, 3, last="softmax"), x, y, optimizer=O.SGD(100.0), loss=SPARSE, epochs=12)


@program("learning-rate-too-large")
def rmsprop_of_one_cnn(lab: Lab) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [L.Input((8, 8, 1)), L.Conv2D(8, 3, activation="relu"), L.Flatten(), L.Dense(10, activation="softmax")]
    )
    return lab.fit(model, x.reshape(-1, 8, 8, 1), y, optimizer=O.RMSprop(1.0), loss=SPARSE, epochs=2)


# -- 507


@program("updates-not-applied")
def apply_never_called(lab: Lab) -> Any:
    x, y = data("iris")
    return lab.loop(mlp(4, 16, 3, last="softmax"), x, y, optimizer=O.Adam(), loss=_sparse, steps=40, apply=False)


@program("updates-not-applied")
def apply_never_called_long(lab: Lab) -> Any:
    x, y = data("diabetes")
    return lab.loop(mlp(10, 16, 1), x, y, optimizer=O.SGD(0.01), loss=_mse, steps=90, apply=False)


@program("updates-not-applied")
def optimizer_built_for_the_head_only(lab: Lab) -> Any:
    x, y = data("digits")
    model, optimizer = mlp(64, 16, 10, last="softmax"), O.Adam(0.01)
    optimizer.build(model.layers[-1].trainable_variables)
    watch = lab.watch(model, optimizer)
    rng = np.random.default_rng(0)
    for _ in range(40):
        i = rng.integers(0, len(x), 32)
        xb, yb = tf.constant(x[i]), tf.constant(y[i])
        with tf.GradientTape() as tape:
            p = model(xb, training=True)
            loss = _sparse(yb, p)
        pairs = list(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True))
        optimizer.apply_gradients(pairs[-2:])
        watch.step(loss, inputs=xb, targets=yb, predictions=p, gradients=pairs)
    watch.close()
    return watch


# -- 601


@program("update-below-precision")
def bfloat16_weights(lab: Lab) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(0)
    one = keras.initializers.RandomUniform(0.9, 1.1)
    model = keras.Sequential(
        [
            L.Input((64,)),
            L.Dense(8, kernel_initializer=one, bias_initializer="ones", dtype="bfloat16"),
            L.Dense(10, activation="softmax", kernel_initializer=one, bias_initializer="ones", dtype="bfloat16"),
        ]
    )
    return lab.fit(model, x, y, optimizer=O.Adam(1e-4), loss=SPARSE, epochs=1)


@program("update-below-precision")
def huge_float32_weights(lab: Lab) -> Any:
    x, y = data("diabetes")
    model = mlp(10, 1, last=None)
    model.layers[-1].kernel.assign(1000 + 100 * np.random.default_rng(0).random((10, 1)))
    model.layers[-1].bias.assign([1000.0])
    return lab.loop(model, x, y, optimizer=O.Adam(1e-5), loss=_mse, steps=40)


@program("update-below-precision")
def float16_weights_sgd(lab: Lab) -> Any:
    x, y = data("diabetes")
    keras.utils.set_random_seed(0)
    one = keras.initializers.RandomUniform(0.5, 1.0)
    model = keras.Sequential(
        [
            L.Input((10,)),
            L.Dense(8, kernel_initializer=one, bias_initializer="ones", activation="relu", dtype="float16"),
            L.Dense(1, kernel_initializer=one, bias_initializer="ones", dtype="float16"),
        ]
    )
    return lab.loop(model, x.astype("float16"), y.astype("float16"), optimizer=O.SGD(1e-6), loss=_mse, steps=40)


# -- 701


@program("frozen-weights")
def everything_frozen_loop(lab: Lab) -> Any:
    x, y = data("iris")
    model = mlp(4, 16, 3, last="softmax")
    model.trainable = False
    return lab.loop(model, x, y, optimizer=O.Adam(), loss=_sparse, steps=20, apply=False)


@program("frozen-weights")
def everything_frozen_fit(lab: Lab) -> Any:
    x, y = data("iris")
    model = mlp(4, 16, 3, last="softmax")
    model.trainable = False
    return lab.fit(model, x, y, loss=SPARSE, epochs=4)


@program("frozen-weights")
def head_frozen(lab: Lab) -> Any:
    x, y = data("digits")
    model = mlp(64, 32, 10, last="softmax")
    model.layers[-1].trainable = False
    return lab.fit(model, x, y, loss=SPARSE, epochs=2)
