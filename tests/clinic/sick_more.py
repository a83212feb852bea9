"""Sick programs for the rest of the catalogue, by the verdict they must get."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .lab import L, Lab, O, data, mlp, program
from .sick import SPARSE, _bce, _mse, _sparse

BCE = "binary_crossentropy"


def _raw_diabetes() -> tuple[np.ndarray, np.ndarray]:
    x, _ = data("diabetes")
    return x, data("diabetes", scaled=False)[1]


# -- 103


@program("unscaled-target")
def raw_diabetes_targets_adam(lab: Lab) -> Any:
    return lab.fit(mlp(10, 16, 1), *_raw_diabetes(), optimizer=O.Adam(1e-3), epochs=8)


@program("unscaled-target")
def raw_diabetes_targets_sgd_loop(lab: Lab) -> Any:
    return lab.loop(mlp(10, 16, 16, 1), *_raw_diabetes(), optimizer=O.SGD(0.01), loss=_mse, steps=80)


@program("unscaled-target")
def house_prices_mae_loop(lab: Lab) -> Any:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 8)).astype("f")
    y = (300_000 + 80_000 * x[:, :1] + 20_000 * rng.normal(size=(400, 1))).astype("f")
    keras.utils.set_random_seed(2)
    model = keras.Sequential([L.Input((8,)), L.Reshape((8, 1)), L.Conv1D(8, 3, activation="relu"), L.Flatten(),
                              L.Dense(1)])  # fmt: skip
    return lab.loop(model, x, y, optimizer=O.RMSprop(1e-3), loss=_mse, steps=120)


# -- 104


@program("constant-data")
def inputs_all_ones_fit(lab: Lab) -> Any:
    x, y = data("digits")
    return lab.fit(mlp(64, 32, 10, last="softmax"), np.ones_like(x), y, loss=SPARSE, epochs=2)


@program("constant-data")
def one_sample_repeated_loop(lab: Lab) -> Any:
    x, y = data("diabetes")
    return lab.loop(mlp(10, 16, 1), np.repeat(x[:1], len(x), axis=0), y, optimizer=O.Adam(0.01), loss=_mse, steps=80)


@program("constant-data")
def targets_all_one_fit(lab: Lab) -> Any:
    x, y = data("breast_cancer")
    return lab.fit(mlp(30, 16, 1, last="sigmoid"), x, np.ones_like(y), loss=BCE, epochs=3)


@program("constant-data")
def pictures_scaled_to_nothing_cnn(lab: Lab) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(2)
    model = keras.Sequential([L.Input((8, 8, 1)), L.Conv2D(8, 3, activation="relu"), L.Flatten(),
                              L.Dense(10, activation="softmax")])  # fmt: skip
    x = (x.astype("uint8") // 255).astype("f").reshape(-1, 8, 8, 1)
    return lab.loop(model, x, y, optimizer=O.SGD(0.1), loss=_sparse, steps=60)


# -- 106


@program("no-learning-signal")
def shuffled_labels_loop(lab: Lab) -> Any:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4000, 20)).astype("f"), rng.integers(0, 5, 4000)
    return lab.loop(mlp(20, 32, 5, last="softmax"), x, y, optimizer=O.Adam(3e-3), loss=_sparse, steps=160)


@program("no-learning-signal")
def mispaired_regression_fit(lab: Lab) -> Any:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 10)).astype("f")
    y = rng.permutation((x[:, :1] + 0.5 * x[:, 1:2]) / 1.1).astype("f")
    return lab.fit(mlp(10, 32, 1), x, y, optimizer=O.Adam(3e-3), epochs=2)


@program("no-learning-signal")
def sorted_classes_loop(lab: Lab) -> Any:
    x, y = data("digits")
    order = np.argsort(y, kind="stable")
    x, y = x[order], y[order]
    model, optimizer = mlp(64, 32, 10, last="softmax"), O.SGD(0.5)
    watch = lab.watch(model, optimizer)
    for step in range(110):
        part = slice(16 * step, 16 * step + 16)
        xb, yb = tf.constant(x[part]), tf.constant(y[part])
        with tf.GradientTape() as tape:
            p = model(xb, training=True)
            loss = _sparse(yb, p)
        pairs = list(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True))
        optimizer.apply_gradients(pairs)
        watch.step(loss, inputs=xb, targets=yb, predictions=p, gradients=pairs)
    watch.close()
    return watch


# -- 203


@program("constant-output", "zero-gradient", "poor-initialization")
def last_kernel_zero_and_frozen(lab: Lab) -> Any:
    x, y = data("diabetes")
    model = mlp(10, 16, 1)
    model.layers[-1].kernel.assign(np.zeros((16, 1), "f"))
    model.layers[-1].kernel.trainable = False
    return lab.loop(model, x, y, optimizer=O.Adam(0.01), loss=_mse, steps=60)


@program("constant-output")
def mean_over_the_batch_loop(lab: Lab) -> Any:
    x, y = data("diabetes")
    model = mlp(10, 16, 1)

    def forward(xb: Any) -> Any:
        return tf.zeros_like(xb[:, :1]) + tf.reduce_mean(model(xb, training=True))

    return lab.loop(model, x, y, optimizer=O.Adam(0.01), loss=_mse, forward=forward, steps=80)


# -- 301


@program("loss-activation-mismatch")
def one_unit_softmax_fit(lab: Lab) -> Any:
    return lab.fit(mlp(30, 16, 1, last="softmax"), *data("breast_cancer"), loss=BCE, epochs=3)


@program("loss-activation-mismatch")
def one_unit_softmax_loop(lab: Lab) -> Any:
    x, y = data("breast_cancer")
    return lab.loop(mlp(30, 16, 1, last="softmax"), x, y, optimizer=O.Adam(), loss=_bce, steps=40)


@program("loss-activation-mismatch")
def softmax_twice_fit(lab: Lab) -> Any:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return lab.fit(mlp(64, 32, 10, last="softmax"), *data("digits"), loss=loss, epochs=2)


@program("loss-activation-mismatch")
def softmax_twice_loop(lab: Lab) -> Any:
    def loss(y: Any, p: Any) -> Any:
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, p))

    return lab.loop(mlp(64, 32, 10, last="softmax"), *data("digits"), optimizer=O.Adam(0.01), loss=loss, steps=200)


@program("loss-activation-mismatch")
def logits_without_from_logits_fit(lab: Lab) -> Any:
    return lab.fit(mlp(64, 32, 10), *data("digits"), loss=SPARSE, epochs=2)


@program("loss-activation-mismatch")
def binary_logits_without_from_logits_cnn(lab: Lab) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(3)
    model = keras.Sequential([L.Input((8, 8, 1)), L.Conv2D(4, 3, activation="relu"), L.Flatten(), L.Dense(1)])
    y = (y > 4).astype("f").reshape(-1, 1)
    return lab.fit(model, x.reshape(-1, 8, 8, 1), y, optimizer=O.SGD(0.05), loss=BCE, epochs=2)


@program("loss-activation-mismatch")
def softmax_with_binary_cross_entropy(lab: Lab) -> Any:
    x, y = data("iris")
    return lab.fit(mlp(4, 16, 3, last="softmax"), x, keras.utils.to_categorical(y), loss=BCE, epochs=10)


# -- 302


@program("wrong-loss")
def class_ids_with_squared_error(lab: Lab) -> Any:
    x, y = data("digits")
    return lab.fit(mlp(64, 32, 10, last="softmax"), x, y.reshape(-1, 1), loss="mse", epochs=2)


@program("wrong-loss")
def regression_with_cross_entropy(lab: Lab) -> Any:
    x, y = data("diabetes")
    return lab.fit(mlp(10, 16, 1, last="sigmoid"), x, y, optimizer=O.Adam(3e-3), loss=BCE, epochs=4)


@program("wrong-loss")
def broadcast_squared_error_loop(lab: Lab) -> Any:
    x, y = data("diabetes")
    return lab.loop(mlp(10, 16, 1), x, y[:, 0], optimizer=O.Adam(0.01), loss=_mse, steps=120)


# -- 303


@program("nonfinite-loss")
def log_of_zero_loop(lab: Lab) -> Any:
    x, y = data("iris")
    model = mlp(4, 16, 3, last="softmax")
    model.layers[-1].bias.assign([200.0, 0.0, 0.0])

    def loss(y: Any, p: Any) -> Any:
        return -tf.reduce_mean(tf.reduce_sum(tf.one_hot(y, 3) * tf.math.log(p), axis=1))

    return lab.loop(model, x, y, optimizer=O.Adam(), loss=loss, steps=20)


@program("nonfinite-loss")
def division_by_zero_spread_fit(lab: Lab) -> Any:
    x, y = data("diabetes")

    def loss(t: Any, p: Any) -> Any:
        return tf.reduce_mean(tf.square(t - p)) / tf.math.reduce_std(t - t)

    return lab.fit(mlp(10, 16, 1), x, y, loss=loss, epochs=1)


@program("nonfinite-loss")
def exponential_overflow_loop(lab: Lab) -> Any:
    x, y = data("diabetes")

    def loss(t: Any, p: Any) -> Any:
        return tf.reduce_mean(tf.exp(100.0 * (1 + tf.abs(p))) - t)

    return lab.loop(mlp(10, 16, 1), x, y, optimizer=O.SGD(1e-3), loss=loss, steps=20)


# -- 304


@program("loss-disconnected")
def masked_to_nothing_loop(lab: Lab) -> Any:
    x, y = data("diabetes")
    return lab.loop(
        mlp(10, 16, 1), x, y, optimizer=O.Adam(), loss=lambda t, p: tf.reduce_mean((p - t) ** 2 * 0.0 + t**2), steps=30
    )


@program("loss-disconnected")
def sample_weights_all_zero_fit(lab: Lab) -> Any:
    import tb_weightwatch as ww

    x, y = data("digits")
    model = mlp(64, 32, 10, last="softmax")
    model.compile(optimizer="adam", loss=SPARSE)
    lab.watches.append(ww.WeightWatch(str(lab.folder), verbose=False))
    weights = dict.fromkeys(range(10), 0.0)
    return model.fit(x, y, epochs=1, verbose=0, class_weight=weights, callbacks=lab.watches)


# -- 403


@program("vanishing-gradient")
def twelve_sigmoids_sgd(lab: Lab) -> Any:
    x, y = data("digits")
    model = mlp(64, *[24] * 10, 10, activation="sigmoid", last="softmax")
    return lab.loop(model, x, y, optimizer=O.SGD(0.05), loss=_sparse, steps=80)


@program("vanishing-gradient")
def eight_sigmoids_adam_fit(lab: Lab) -> Any:
    x, y = data("wine")
    model = mlp(13, *[16] * 9, 3, activation="sigmoid", last="softmax")
    return lab.fit(model, x, y, optimizer=O.SGD(0.01, momentum=0.9), loss=SPARSE, epochs=12)


# -- 404


@program("exploding-gradient", "nonfinite-loss")
def recurrent_explosion_loop(lab: Lab) -> Any:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(256, 40, 4)).astype("f")
    y = x.sum(axis=(1, 2), keepdims=False)[:, None] / 12
    keras.utils.set_random_seed(1)
    model = keras.Sequential([L.Input((40, 4)), L.SimpleRNN(16, activation="linear", recurrent_initializer=
                              keras.initializers.Orthogonal(1.6)), L.Dense(1)])  # fmt: skip
    return lab.loop(model, x, y.astype("f"), optimizer=O.SGD(0.01), loss=_mse, steps=60)


@program("exploding-gradient")
def loss_times_a_million_loop(lab: Lab) -> Any:
    x, y = data("diabetes")
    return lab.loop(
        mlp(10, 16, 1), x, y, optimizer=O.SGD(0.01), loss=lambda t, p: 1e6 * tf.reduce_mean((p - t) ** 2), steps=40
    )


# -- 402


@program("zero-gradient")
def signs_between_the_layers_cnn_fit(lab: Lab) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(2)
    inputs = L.Input((8, 8, 1))
    hidden = L.Conv2D(8, 3, activation="tanh")(inputs)
    signs = L.Lambda(tf.sign, output_shape=(6, 6, 8))(hidden)
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(L.Flatten()(signs)))
    return lab.fit(model, x.reshape(-1, 8, 8, 1), y, optimizer=O.Adam(3e-3), loss=SPARSE, epochs=1)


@program("zero-gradient")
def hidden_values_clipped_loop(lab: Lab) -> Any:
    x, y = data("diabetes")
    keras.utils.set_random_seed(1)
    first, last = L.Dense(16), L.Dense(1)
    model = keras.Sequential([L.Input((10,)), first, last])

    def forward(xb: Any) -> Any:
        return last(tf.clip_by_value(1e4 * first(xb), 0.0, 1.0))

    return lab.loop(model, x, y, optimizer=O.SGD(0.02), loss=_mse, forward=forward, steps=50)


# -- 504


@program("optimizer-misconfigured")
def adam_epsilon_of_a_thousand(lab: Lab) -> Any:
    x, y = data("digits")
    return lab.loop(mlp(64, 32, 10, last="softmax"), x, y, optimizer=O.Adam(1e-3, epsilon=1e3), loss=_sparse, steps=60)


@program("optimizer-misconfigured")
def adam_beta_2_of_one_fit(lab: Lab) -> Any:
    x, y = data("wine")
    return lab.fit(mlp(13, 16, 3, last="softmax"), x, y, optimizer=O.Adam(1e-3, beta_2=1.0), loss=SPARSE, epochs=6)


@program("optimizer-misconfigured")
def adamw_decay_of_a_hundred(lab: Lab) -> Any:
    x, y = data("digits")
    optimizer = O.AdamW(1e-2, weight_decay=50.0)
    return lab.loop(mlp(64, 32, 10, last="softmax"), x, y, optimizer=optimizer, loss=_sparse, steps=60)


@program("optimizer-misconfigured")
def sgd_momentum_of_one(lab: Lab) -> Any:
    x, y = data("diabetes")
    return lab.loop(mlp(10, 16, 1), x, y, optimizer=O.SGD(0.05, momentum=1.0), loss=_mse, steps=60)


@program("optimizer-misconfigured")
def negative_rate_fit(lab: Lab) -> Any:
    return lab.fit(mlp(10, 16, 1), *data("diabetes"), optimizer=O.SGD(-0.01), epochs=2)


# -- 505


@program("clipping-too-tight")
def clipnorm_of_a_millionth_fit(lab: Lab) -> Any:
    x, y = data("digits")
    return lab.fit(mlp(64, 32, 10, last="softmax"), x, y, optimizer=O.SGD(0.1, clipnorm=1e-6), loss=SPARSE, epochs=1)


@program("clipping-too-tight")
def clipped_by_hand_to_nothing(lab: Lab) -> Any:
    def clip(gradients: list[Any]) -> list[Any]:
        return tf.clip_by_global_norm(gradients, 1e-5)[0]

    return lab.loop(mlp(10, 16, 1), *data("diabetes"), optimizer=O.SGD(0.05), loss=_mse, steps=80, change=clip)


@program("clipping-too-tight")
def clipvalue_loop(lab: Lab) -> Any:
    x, y = data("wine")
    model = mlp(13, 16, 3, last="softmax")
    return lab.loop(model, x, y, optimizer=O.SGD(0.1, clipvalue=1e-7), loss=_sparse, steps=60)


# -- 506


@program("loss-scale-skipping")
def float16_overflows_every_step(lab: Lab) -> Any:
    x, y = data("diabetes")
    keras.utils.set_random_seed(0)
    policy = keras.mixed_precision.DTypePolicy("mixed_float16")
    model = keras.Sequential(
        [L.Input((10,)), L.Dense(16, activation="relu", dtype=policy), L.Dense(1, dtype=policy), L.Rescaling(3e4)]
    )
    optimizer = O.LossScaleOptimizer(O.SGD(1e-3))
    model.compile(optimizer=optimizer, loss=lambda t, p: tf.reduce_mean(tf.cast(p, "float32") ** 2))
    return lab.fit(model, x, y, epochs=3, compiled=False)


@program("loss-scale-skipping")
def huge_loss_in_half_precision_loop(lab: Lab) -> Any:
    """The loss is finite in float32; its gradient, in float16, is not, at any scale for the next fifty steps."""
    x, y = data("digits")
    keras.utils.set_random_seed(0)
    policy = keras.mixed_precision.DTypePolicy("mixed_float16")
    model = keras.Sequential([L.Input((64,)), L.Dense(32, dtype=policy), L.Dense(10, dtype=policy)])
    optimizer = O.LossScaleOptimizer(O.Adam(1e-3))
    watch = lab.watch(model, optimizer)
    for step in range(40):
        part = slice(32 * step, 32 * step + 32)
        with tf.GradientTape() as tape:
            p = model(x[part], training=True)
            loss = 1e14 * _mse(tf.one_hot(y[part], 10), tf.cast(p, tf.float32))
            scaled = optimizer.scale_loss(loss)
        pairs = list(zip(tape.gradient(scaled, model.trainable_variables), model.trainable_variables, strict=True))
        optimizer.apply_gradients(pairs)
        watch.step(loss, inputs=x[part], targets=y[part], predictions=p)
    watch.close()
    return watch


# -- 508


class Scale(L.Layer):
    """A layer that makes its weight as a bare tf.Variable."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.kernel = tf.Variable(np.random.default_rng(0).normal(0, 0.1, (64, units)).astype("f"), name="kernel")

    def call(self, x: Any) -> Any:
        return tf.nn.relu(tf.matmul(x, self.kernel))


@program("untracked-variable")
def bare_variable_in_a_layer_fit(lab: Lab) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(0)
    model = keras.Sequential([L.Input((64,)), Scale(32), L.Dense(10, activation="softmax")])
    return lab.fit(model, x, y, loss=SPARSE, epochs=2)


@program("untracked-variable")
def bare_variable_in_a_model_loop(lab: Lab) -> Any:
    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.w = tf.Variable(np.random.default_rng(0).normal(0, 0.1, (10, 16)).astype("f"))
            self.last = L.Dense(1)

        def call(self, x: Any) -> Any:
            return self.last(tf.nn.relu(tf.matmul(x, self.w)))

    x, y = data("diabetes")
    keras.utils.set_random_seed(0)
    net = Net()
    net(x[:2])
    return lab.loop(net, x, y, optimizer=O.Adam(0.01), loss=_mse, steps=60)


# -- 602


class PutBack(keras.callbacks.Callback):
    """Puts the weights back after each batch."""

    def on_train_begin(self, logs: Any = None) -> None:
        self.kept = self.model.get_weights()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.model.set_weights(self.kept)


@program("update-undone")
def weights_put_back_each_batch_fit(lab: Lab) -> Any:
    x, y = data("digits")
    return lab.fit(mlp(64, 32, 10, last="softmax"), x, y, loss=SPARSE, epochs=2, callbacks=[PutBack()])


@program("update-undone")
def weights_restored_inside_the_step(lab: Lab) -> Any:
    x, y = data("diabetes")
    model, optimizer = mlp(10, 16, 1), O.Adam(0.01)
    kept = model.get_weights()
    watch = lab.watch(model, optimizer)
    for step in range(60):
        part = slice(32 * (step % 13), 32 * (step % 13) + 32)
        with tf.GradientTape() as tape:
            p = model(x[part], training=True)
            loss = _mse(y[part], p)
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables,
                                      strict=True))  # fmt: skip
        model.set_weights(kept)
        watch.step(loss)
    watch.close()
    return watch


@program("update-undone")
def weights_set_again_every_epoch(lab: Lab) -> Any:
    x, y = data("diabetes")
    model, optimizer = mlp(10, 16, 1), O.SGD(0.05)
    kept = model.get_weights()
    watch = lab.watch(model, optimizer)
    for step in range(70):
        if step % 5 == 0:
            model.set_weights(kept)
        part = slice(32 * (step % 13), 32 * (step % 13) + 32)
        with tf.GradientTape() as tape:
            p = model(x[part], training=True)
            loss = _mse(y[part], p)
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables,
                                      strict=True))  # fmt: skip
        watch.step(loss)
    watch.close()
    return watch


# -- 702


@program("poor-initialization")
def all_kernels_zero_tanh_loop(lab: Lab) -> Any:
    x, y = data("digits")
    model = mlp(64, 32, 10, last="softmax", activation="tanh", kernel_initializer="zeros")
    model.layers[-1].kernel.assign(np.zeros((32, 10), "f"))
    return lab.loop(model, x, y, optimizer=O.SGD(0.1), loss=_sparse, steps=60)


@program("poor-initialization")
def all_constant_fit(lab: Lab) -> Any:
    x, y = data("digits")
    model = mlp(64, 32, 10, last="softmax", kernel_initializer=keras.initializers.Constant(0.05))
    model.layers[-1].kernel.assign(0.05 * np.ones((32, 10), "f"))
    return lab.fit(model, x, y, optimizer=O.Adam(1e-3), loss=SPARSE, epochs=2)


@program("poor-initialization")
def tiny_initial_weights_deep(lab: Lab) -> Any:
    x, y = data("digits")
    small = keras.initializers.RandomNormal(0, 1e-3)
    model = mlp(64, 32, 32, 32, 10, last="softmax", kernel_initializer=small)
    return lab.loop(model, x, y, optimizer=O.SGD(0.05), loss=_sparse, steps=80)


@program("poor-initialization")
def huge_initial_weights_relu(lab: Lab) -> Any:
    x, y = data("digits")
    model = mlp(64, 32, 32, 10, last="softmax", kernel_initializer=keras.initializers.RandomNormal(0, 5))
    return lab.loop(model, x, y, optimizer=O.Adam(1e-3), loss=_sparse, steps=60)


# -- 703


@program("nonfinite-weight")
def nan_assigned_to_a_kernel(lab: Lab) -> Any:
    x, y = data("diabetes")
    model, optimizer = mlp(10, 16, 1), O.Adam(0.01)
    watch = lab.watch(model, optimizer)
    for step in range(40):
        part = slice(32 * (step % 13), 32 * (step % 13) + 32)
        with tf.GradientTape() as tape:
            p = model(x[part], training=True)
            loss = _mse(y[part], p)
        pairs = list(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True))
        optimizer.apply_gradients(pairs)
        if step == 20:
            model.layers[0].kernel.assign(model.layers[0].kernel * np.nan)
        watch.step(loss, inputs=x[part], targets=y[part], predictions=p, gradients=pairs)
    watch.close()
    return watch


@program("nonfinite-weight")
def root_of_the_weights_as_a_constraint_fit(lab: Lab) -> Any:
    """Meant to keep kernels positive: the root of a negative weight is NaN."""
    x, y = data("digits")
    model = mlp(64, 32, 10, last="softmax", kernel_constraint=tf.sqrt)
    return lab.fit(model, x, y, optimizer=O.SGD(0.05), loss=SPARSE, epochs=1)


# -- under fit, what the others have only by hand


@program("no-gradient")
def stopped_between_encoder_and_head_fit(lab: Lab) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(0)
    inputs = L.Input((8, 8, 1))
    hidden = L.Flatten()(L.Conv2D(8, 3, activation="relu")(inputs))
    stopped = L.Lambda(tf.stop_gradient, output_shape=(288,))(hidden)
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(stopped))
    return lab.fit(model, x.reshape(-1, 8, 8, 1), y, optimizer=O.Adam(3e-3), loss=SPARSE, epochs=1)


@program("nonfinite-gradient")
def root_of_nothing_in_the_loss_fit(lab: Lab) -> Any:
    x, y = data("wine")

    def loss(t: Any, p: Any) -> Any:
        return tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(t, p)) + 0.1 * tf.sqrt(tf.reduce_sum(p - p))

    return lab.fit(mlp(13, 16, 3, last="softmax"), x, y, optimizer=O.RMSprop(1e-3), loss=loss, epochs=3)


@program("updates-not-applied")
def train_step_that_forgets_to_apply_fit(lab: Lab) -> Any:
    class Forgetful(keras.Sequential):
        def train_step(self, batch: Any) -> Any:
            x, y = batch
            with tf.GradientTape() as tape:
                loss = self.compute_loss(x, y, self(x, training=True))
            tape.gradient(loss, self.trainable_variables)
            return {"loss": loss}

    keras.utils.set_random_seed(0)
    model = Forgetful([L.Input((64,)), L.Dense(32, activation="relu"), L.Dense(10, activation="softmax")])
    return lab.fit(model, *data("digits"), optimizer=O.Adam(1e-3), loss=SPARSE, epochs=1)


@program("updates-not-applied")
def thawed_without_compiling_again_fit(lab: Lab) -> Any:
    x, y = data("digits")
    model = mlp(64, 32, 32, 10, last="softmax")
    model.layers[0].trainable = model.layers[1].trainable = False
    model.compile(optimizer=O.Adam(1e-3), loss=SPARSE)
    model.fit(x[:320], y[:320], epochs=1, verbose=0)
    model.layers[0].trainable = model.layers[1].trainable = True
    return lab.fit(model, x, y, epochs=1, compiled=False)


@program("constant-output")
def averaged_over_the_batch_fit(lab: Lab) -> Any:
    x, y = data("breast_cancer")
    keras.utils.set_random_seed(0)
    inputs = L.Input((30,))
    hidden = L.Dense(16, activation="relu")(inputs)
    mean = L.Lambda(lambda h: tf.zeros_like(h) + tf.reduce_mean(h, axis=0, keepdims=True), output_shape=(16,))(hidden)
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(mean))
    return lab.fit(model, x, y, optimizer=O.Adam(3e-3), loss=BCE, epochs=3)


@program("exploding-gradient", "nonfinite-loss")
def recurrent_explosion_fit(lab: Lab) -> Any:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(256, 30, 4)).astype("f")
    y = (x.sum(axis=(1, 2))[:, None] / 11).astype("f")
    keras.utils.set_random_seed(2)
    grows = keras.initializers.Orthogonal(1.7)
    model = keras.Sequential(
        [L.Input((30, 4)), L.SimpleRNN(12, activation="linear", recurrent_initializer=grows), L.Dense(1)]
    )
    return lab.fit(model, x, y, optimizer=O.SGD(0.01), epochs=6)


# -- 204


def _normalized(inputs: int, units: int, last: str | None = None, activation: str = "relu", **options: Any) -> Any:
    keras.utils.set_random_seed(1)
    hidden = [L.Dense(16), L.BatchNormalization(**options), L.Activation(activation)]
    return keras.Sequential([L.Input((inputs,)), *hidden, L.Dense(units, activation=last)])


@program("single-sample-batch-norm")
def one_sample_at_a_time_fit(lab: Lab) -> Any:
    x, y = data("breast_cancer")
    return lab.fit(_normalized(30, 1, "sigmoid"), x[:200], y[:200], loss=BCE, epochs=1, batch=1)


@program("single-sample-batch-norm")
def one_sample_at_a_time_loop(lab: Lab) -> Any:
    model = _normalized(10, 1, activation="tanh", momentum=0.9)
    return lab.loop(model, *data("diabetes"), optimizer=O.SGD(0.01), loss=_mse, steps=80, batch=1)


# -- 704


@program("batch-norm-statistics-frozen")
def batch_norm_momentum_of_one_fit(lab: Lab) -> Any:
    return lab.fit(_normalized(64, 10, "softmax", momentum=1.0), *data("digits"), loss=SPARSE, epochs=1)


@program("batch-norm-statistics-frozen")
def batch_norm_momentum_of_one_without_gamma_loop(lab: Lab) -> Any:
    model = _normalized(10, 1, momentum=1.0, center=False, scale=False)
    return lab.loop(model, *data("diabetes"), optimizer=O.Adam(0.01), loss=_mse, steps=80)
