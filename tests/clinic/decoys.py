"""Healthy programs that do to their weights what looks like a fault: swaps, clips, targets, stages, gates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .lab import L, Lab, O, data, mlp, program
from .sick import SPARSE, _mse, _sparse

BCE = "binary_crossentropy"


def _step(model: Any, x: Any, y: Any, loss: Callable[[Any, Any], Any], listed: Any = None) -> tuple[Any, Any, Any]:
    """Returns predictions, loss, and pairs of gradient and variable."""
    listed = model.trainable_variables if listed is None else listed
    with tf.GradientTape() as tape:
        p = model(x, training=True)
        value = loss(y, p)
    return p, value, list(zip(tape.gradient(value, listed), listed, strict=True))


# -- weights swapped, restored, clipped and copied on purpose


@program(None)
def average_swapped_in_for_evaluation(lab: Lab) -> Any:
    x, y = data("digits")
    optimizer = O.SGD(0.1, use_ema=True, ema_momentum=0.9)
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    return lab.fit(
        mlp(64, 32, 10, last="softmax"), x[:900], y[:900], optimizer=optimizer, loss=SPARSE, epochs=4,
        callbacks=[swap],
    )  # fmt: skip


@program(None)
def average_overwrites_the_weights(lab: Lab) -> Any:
    optimizer = O.Adam(5e-3, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=10)
    return lab.fit(mlp(64, 32, 10, last="softmax"), *data("digits"), optimizer=optimizer, loss=SPARSE, epochs=2)


@program(None)
def best_weights_restored(lab: Lab) -> Any:
    import tb_weightwatch as ww

    x, y = data("breast_cancer")
    model = mlp(30, 16, 1, last="sigmoid")
    model.compile(optimizer=O.Adam(0.02), loss=BCE)
    stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=2, restore_best_weights=True)
    watch = ww.WeightWatch(str(lab.folder), verbose=False)
    lab.watches.append(watch)
    for _ in range(2):  # and on from the best
        model.fit(x[:400], y[:400], validation_data=(x[400:], y[400:]), epochs=6, verbose=0, callbacks=[stop, watch])
    return watch


@program(None)
def wasserstein_critic_clipped(lab: Lab) -> Any:
    keras.utils.set_random_seed(0)
    generator = keras.Sequential([L.Input((4,)), L.Dense(16, activation="relu"), L.Dense(2)])
    critic = keras.Sequential([L.Input((2,)), L.Dense(16, activation="relu"), L.Dense(1)])
    makes, judges = O.RMSprop(1e-3), O.RMSprop(1e-3)
    watch = lab.watch([generator, critic], [makes, judges])
    rng = np.random.default_rng(0)
    for step in range(100):
        real = tf.constant(rng.normal(2, 0.5, (32, 2)).astype("f"))
        side = generator if step % 5 == 4 else critic
        with tf.GradientTape() as tape:
            fake = generator(tf.constant(rng.normal(size=(32, 4)).astype("f")))
            loss = -tf.reduce_mean(critic(fake))
            if side is critic:
                loss = -loss - tf.reduce_mean(critic(real))
        pairs = list(zip(tape.gradient(loss, side.trainable_variables), side.trainable_variables, strict=True))
        (judges if side is critic else makes).apply_gradients(pairs)
        if side is critic:
            for v in critic.trainable_variables:
                v.assign(tf.clip_by_value(v, -0.1, 0.1))
        watch.step(loss, gradients=pairs)
    watch.close()
    return watch


@program(None)
def target_network_of_a_q_learner(lab: Lab) -> Any:
    """A walk on a line of eleven places with a reward at one end: values are learned from a copy of themselves."""
    rng = np.random.default_rng(0)
    model, copy, optimizer = mlp(11, 32, 2), mlp(11, 32, 2), O.Adam(3e-3)
    copy.set_weights(model.get_weights())
    watch = lab.watch(model, optimizer)
    for step in range(120):
        place, action = rng.integers(0, 11, 32), rng.integers(0, 2, 32)
        after = np.clip(place + 2 * action - 1, 0, 10)
        reward = (after == 10).astype("f")
        value = reward + 0.9 * (1 - reward) * np.max(copy(np.eye(11, dtype="f")[after]), axis=1)
        chosen = tf.one_hot(action, 2)
        loss = lambda y, p, chosen=chosen: tf.reduce_mean((y - tf.reduce_sum(p * chosen, axis=1)) ** 2)  # noqa: E731
        x = tf.constant(np.eye(11, dtype="f")[place])
        _p, out, pairs = _step(model, x, tf.constant(value.astype("f")), loss)
        optimizer.apply_gradients(pairs)
        if step % 10 == 9:
            copy.set_weights(model.get_weights())
        watch.step(out, inputs=x, gradients=pairs)
    watch.close()
    return watch


@program(None)
def target_network_watched_too(lab: Lab) -> Any:
    """Both networks are watched; the second only ever gets a moving average of the first."""
    x, y = data("diabetes")
    model, copy, optimizer = mlp(10, 16, 1), mlp(10, 16, 1, seed=2), O.Adam(5e-3)
    copy.trainable = False
    watch = lab.watch([model, copy], optimizer)
    for step in range(90):
        part = slice(32 * (step % 13), 32 * (step % 13) + 32)
        p, loss, pairs = _step(model, x[part], y[part], _mse)
        optimizer.apply_gradients(pairs)
        for slow, fast in zip(copy.weights, model.weights, strict=True):
            slow.assign(0.95 * slow + 0.05 * fast)
        watch.step(loss, inputs=x[part], targets=y[part], predictions=p, gradients=pairs)
    watch.close()
    return watch


@program(None)
def look_ahead_slow_and_fast_weights(lab: Lab) -> Any:
    x, y = data("digits")
    model, optimizer = mlp(64, 32, 10, last="softmax"), O.SGD(0.1)
    slow = [np.asarray(v) for v in model.trainable_variables]
    watch = lab.watch(model, optimizer)
    for step in range(100):
        part = slice(16 * step, 16 * step + 16)
        p, loss, pairs = _step(model, x[part], y[part], _sparse)
        optimizer.apply_gradients(pairs)
        watch.step(loss, inputs=x[part], targets=y[part], predictions=p, gradients=pairs)
        if step % 5 == 4:  # between two steps: half the way back
            slow = [s + 0.5 * (np.asarray(v) - s) for s, v in zip(slow, model.trainable_variables, strict=True)]
            for s, v in zip(slow, model.trainable_variables, strict=True):
                v.assign(s)
    watch.close()
    return watch


@program(None)
def kernels_kept_short_by_a_constraint(lab: Lab) -> Any:
    model = mlp(64, 32, 10, last="softmax", kernel_constraint=keras.constraints.MaxNorm(1.0))
    return lab.fit(model, *data("digits"), optimizer=O.Adam(5e-3), loss=SPARSE, epochs=2)


# -- stages


@program(None)
def base_thawed_in_a_second_fit(lab: Lab) -> Any:
    import tb_weightwatch as ww

    x, y = data("digits")
    model = mlp(64, 64, 32, 10, last="softmax")
    watch = ww.WeightWatch(str(lab.folder), verbose=False)
    lab.watches.append(watch)
    for frozen, rate in ((True, 0.01), (False, 1e-3)):
        for layer in model.layers[:-1]:
            layer.trainable = not frozen
        model.compile(optimizer=O.Adam(rate), loss=SPARSE)
        model.fit(x, y, epochs=2, verbose=0, callbacks=[watch])
    return watch


@program(None)
def layers_thawed_one_by_one(lab: Lab) -> Any:
    x, y = data("digits")
    model, optimizer = mlp(64, 32, 32, 10, last="softmax"), O.SGD(0.1, momentum=0.9)
    optimizer.build(model.trainable_variables)
    watch = lab.watch(model, optimizer)
    for step in range(105):
        listed = model.trainable_variables[-2 * (1 + step // 35) :]
        part = slice(16 * step, 16 * step + 16)
        p, loss, pairs = _step(model, x[part], y[part], _sparse, listed)
        optimizer.apply_gradients(pairs)
        watch.step(loss, inputs=x[part], targets=y[part], predictions=p, gradients=pairs)
    watch.close()
    return watch


# -- gates, adapters, attention


class Gate(L.Layer):
    """One number that begins at zero, times its input (ReZero)."""

    def build(self, shape: Any) -> None:
        self.gate = self.add_weight(shape=(), initializer="zeros", name="gate")

    def call(self, x: Any) -> Any:
        return self.gate * x


@program(None)
def residual_gates_at_zero(lab: Lab) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(0)
    inputs = L.Input((64,))
    hidden = L.Dense(32)(inputs)
    for _ in range(4):
        hidden = L.Add()([hidden, Gate()(L.Dense(32, activation="relu")(hidden))])
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(hidden))
    return lab.fit(model, x, y, optimizer=O.Adam(3e-3), loss=SPARSE, epochs=2)


class Adapted(L.Layer):
    """A frozen dense layer and a low-rank adapter beside it, whose second kernel begins at zero (LoRA)."""

    def build(self, shape: Any) -> None:
        self.base = self.add_weight(shape=(shape[-1], 32), name="base", trainable=False)
        self.down = self.add_weight(shape=(shape[-1], 4), name="down")
        self.up = self.add_weight(shape=(4, 32), initializer="zeros", name="up")

    def call(self, x: Any) -> Any:
        return tf.nn.relu(x @ self.base + (x @ self.down) @ self.up)


@program(None)
def low_rank_adapters(lab: Lab) -> Any:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([L.Input((64,)), Adapted(), Adapted(), L.Dense(10, activation="softmax")])
    return lab.fit(model, *data("digits"), optimizer=O.Adam(0.01), loss=SPARSE, epochs=2)


@program(None)
def attention_block_on_tokens(lab: Lab) -> Any:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 40, (512, 12))
    y = (x == 7).any(axis=1) | (x == 3).any(axis=1)
    keras.utils.set_random_seed(0)
    inputs = L.Input((12,), dtype="int32")
    hidden = L.Embedding(40, 16)(inputs)
    hidden = L.LayerNormalization()(L.Add()([hidden, L.MultiHeadAttention(2, 8)(hidden, hidden)]))
    forward = L.Dense(16)(L.Dense(32, activation="gelu")(hidden))
    hidden = L.GlobalMaxPooling1D()(L.LayerNormalization()(L.Add()([hidden, forward])))
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(hidden))
    return lab.fit(model, x, y.astype("f").reshape(-1, 1), optimizer=O.Adam(3e-3), loss=BCE, epochs=5)


@program(None)
def attention_with_a_causal_mask_loop(lab: Lab) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(0)
    inputs = L.Input((8, 8))
    hidden = L.Dense(16)(inputs)
    hidden = L.Add()([hidden, L.MultiHeadAttention(2, 8)(hidden, hidden, use_causal_mask=True)])
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(L.Flatten()(hidden)))
    return lab.loop(model, x.reshape(-1, 8, 8), y, optimizer=O.SGD(0.1, momentum=0.9), loss=_sparse, steps=60)


# -- precision


@program(None)
def float16_with_a_skipped_step_now_and_then(lab: Lab) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(0)
    policy = keras.mixed_precision.DTypePolicy("mixed_float16")
    model = keras.Sequential(
        [
            L.Input((64,)),
            L.Dense(32, activation="relu", dtype=policy),
            L.Dense(10, activation="softmax", dtype="float32"),
        ]
    )
    # Grows every 20 steps until a step overflows: a few are skipped, as is meant.
    optimizer = O.LossScaleOptimizer(O.SGD(0.1), initial_scale=2.0**16, dynamic_growth_steps=20)
    return lab.fit(model, x, y, optimizer=optimizer, loss=SPARSE, epochs=3)


# -- small models, several tasks, losses of other kinds


@program(None)
def one_number_fitted(lab: Lab) -> Any:
    x = np.random.default_rng(0).normal(size=(256, 1)).astype("f")
    keras.utils.set_random_seed(0)
    model = keras.Sequential([L.Input((1,)), L.Dense(1, use_bias=False)])
    return lab.fit(model, x, (2 * x).astype("f"), optimizer=O.Adam(0.05), epochs=8)


@program(None)
def one_plain_variable_by_hand(lab: Lab) -> Any:
    import tb_weightwatch as ww

    w = tf.Variable(0.0)
    watch = ww.Watch(str(lab.folder), variables=[w], verbose=False)
    lab.watches.append(watch)
    for _ in range(60):
        with tf.GradientTape() as tape:
            loss = (w - 3.0) ** 2
        gradient = tape.gradient(loss, w)
        w.assign_sub(0.1 * gradient)
        watch.step(loss, gradients=[(gradient, w)])
    watch.close()
    return watch


@program(None)
def rates_of_their_own_for_each_layer(lab: Lab) -> Any:
    """Adam moves the head ten times as far as the rest, by a multiplier."""

    class Multiplied(O.Adam):
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            super().update_step(gradient, variable, learning_rate * (10.0 if variable.shape[-1] == 10 else 1.0))

    model = mlp(64, 32, 10, last="softmax")
    return lab.loop(model, *data("digits"), optimizer=Multiplied(1e-3), loss=_sparse, steps=60)


@program(None)
def multiplied_rates_on_a_slow_loss(lab: Lab) -> Any:
    """The same, ten times as far in every third step, on a loss that hardly falls so soon."""
    x, y = data("diabetes")
    model, optimizer = mlp(10, 16, 1), O.SGD(1e-3)
    watch = lab.watch(model, optimizer)
    for step in range(60):
        part = slice(32 * (step % 13), 32 * (step % 13) + 32)
        p, loss, pairs = _step(model, x[part], y[part], _mse)
        factor = 10.0 if step % 3 == 0 else 1.0
        optimizer.apply_gradients([(g * factor, v) for g, v in pairs])
        watch.step(loss, inputs=x[part], targets=y[part], predictions=p, gradients=pairs)
    watch.close()
    return watch


@program(None)
def ratings_from_nought_to_four(lab: Lab) -> Any:
    """Ordered targets, evenly spread: whole numbers, and a squared error is right."""
    x, y = data("diabetes")
    ratings = np.searchsorted(np.quantile(y, [0.2, 0.4, 0.6, 0.8]), y[:, 0]).astype("f").reshape(-1, 1)
    return lab.fit(mlp(10, 16, 1), x, ratings, optimizer=O.Adam(0.01), epochs=8)


@program(None)
def little_signal_in_much_noise(lab: Lab) -> Any:
    """What can be learned is a twelfth of the targets' variance; the model learns it."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 6)).astype("f")
    y = (0.3 * x[:, :1] + rng.normal(size=(3000, 1))).astype("f")
    return lab.fit(mlp(6, 16, 1), x, y, optimizer=O.Adam(3e-3), epochs=3)


@program(None)
def several_labels_at_once(lab: Lab) -> Any:
    x, y = data("digits")
    labels = np.stack([y % 2 == 0, y > 4, y % 3 == 0], axis=1).astype("f")
    return lab.fit(mlp(64, 32, 3, last="sigmoid"), x, labels, optimizer=O.Adam(5e-3), loss=BCE, epochs=2)


@program(None)
def one_class_in_twenty(lab: Lab) -> Any:
    x, y = data("digits")
    keep = (y != 7) | (np.arange(len(y)) % 2 == 0)
    return lab.fit(
        mlp(64, 32, 1, last="sigmoid"), x[keep], (y[keep] == 7).astype("f").reshape(-1, 1), optimizer=O.Adam(5e-3),
        loss=BCE, epochs=3,
    )  # fmt: skip


@program(None)
def variational_autoencoder(lab: Lab) -> Any:
    x, _ = data("digits")
    keras.utils.set_random_seed(0)
    encoder = keras.Sequential([L.Input((64,)), L.Dense(32, activation="relu"), L.Dense(8)])
    decoder = keras.Sequential([L.Input((4,)), L.Dense(32, activation="relu"), L.Dense(64, activation="sigmoid")])
    optimizer = O.Adam(5e-3)
    watch = lab.watch([encoder, decoder], optimizer)
    listed = encoder.trainable_variables + decoder.trainable_variables
    rng = np.random.default_rng(0)
    for step in range(90):
        xb = tf.constant(x[16 * step : 16 * step + 16])
        with tf.GradientTape() as tape:
            mean, spread = tf.split(encoder(xb), 2, axis=1)
            code = mean + tf.exp(0.5 * spread) * rng.normal(size=mean.shape).astype("f")
            far = -0.5 * tf.reduce_mean(tf.reduce_sum(1 + spread - mean**2 - tf.exp(spread), axis=1))
            loss = tf.reduce_mean(tf.reduce_sum((decoder(code) - xb) ** 2, axis=1)) + 0.1 * far
        pairs = list(zip(tape.gradient(loss, listed), listed, strict=True))
        optimizer.apply_gradients(pairs)
        watch.step(loss, inputs=xb, gradients=pairs)
    watch.close()
    return watch


@program(None)
def policy_gradient(lab: Lab) -> Any:
    """A gambler with four machines: the loss is no measure of anything, and may rise as he learns."""
    rng = np.random.default_rng(0)
    model, optimizer = mlp(4, 16, 4, last="softmax"), O.Adam(0.01)
    watch = lab.watch(model, optimizer)
    for _ in range(100):
        x = np.eye(4, dtype="f")[rng.integers(0, 4, 32)]
        chance = np.asarray(model(x), "float64")
        action = np.array([rng.choice(4, p=c / c.sum()) for c in chance])
        reward = (action == x.argmax(axis=1)).astype("f")
        gain = tf.constant((reward - reward.mean()) / (reward.std() + 1e-3))

        def loss(y: Any, p: Any, gain: Any = gain) -> Any:
            return -tf.reduce_mean(gain * tf.math.log(tf.gather(p, y, axis=1, batch_dims=1) + 1e-7))

        p, value, pairs = _step(model, tf.constant(x), tf.constant(action), loss)
        optimizer.apply_gradients(pairs)
        watch.step(value, inputs=x, predictions=p, gradients=pairs)
    watch.close()
    return watch


# -- BatchNormalization with few samples, or with statistics that do not move


@program(None)
def normalized_pictures_one_at_a_time(lab: Lab) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(1)
    model = keras.Sequential([L.Input((8, 8, 1)), L.Conv2D(8, 3), L.BatchNormalization(momentum=0.9), L.ReLU(),
                              L.Flatten(), L.Dense(10, activation="softmax")])  # fmt: skip
    x = x[:400].reshape(-1, 8, 8, 1)
    return lab.fit(model, x, y[:400], optimizer=O.Adam(1e-3), loss=SPARSE, epochs=1, batch=1)


@program(None)
def last_batch_of_one_sample(lab: Lab) -> Any:
    x, y = data("breast_cancer")
    keras.utils.set_random_seed(1)
    model = keras.Sequential([L.Input((30,)), L.Dense(16), L.BatchNormalization(momentum=0.9), L.ReLU(),
                              L.Dense(1, activation="sigmoid")])  # fmt: skip
    return lab.fit(model, x[:97], y[:97], optimizer=O.Adam(0.01), loss=BCE, epochs=12)


@program(None)
def trained_statistics_kept_in_fine_tuning(lab: Lab) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(1)
    base = keras.Sequential([L.Input((64,)), L.Dense(32), L.BatchNormalization(momentum=0.9), L.ReLU()])
    earlier = keras.Sequential([base, L.Dense(10, activation="softmax")])
    earlier.compile(optimizer=O.Adam(3e-3), loss=SPARSE)
    earlier.fit(x, y, epochs=2, verbose=0)
    head = L.Dense(2, activation="softmax")
    model = keras.Sequential([base, head])

    def forward(xb: Any) -> Any:
        return head(base(xb, training=False))

    return lab.loop(model, x, y % 2, optimizer=O.Adam(3e-3), loss=_sparse, forward=forward, steps=100)


@program(None)
def inference_mode_that_learns_all_the_same(lab: Lab) -> Any:
    x, y = data("digits")
    keras.utils.set_random_seed(1)
    model = keras.Sequential([L.Input((64,)), L.Dense(32), L.BatchNormalization(), L.ReLU(),
                              L.Dense(10, activation="softmax")])  # fmt: skip
    return lab.loop(model, x, y, optimizer=O.Adam(3e-3), loss=_sparse, forward=model, steps=100)
