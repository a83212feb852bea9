"""Cases under `model.fit`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import tb_weightwatch as ww

from .case import Seen, case
from .observe import BATCH, Spy, compiled_loss, dense, diabetes, digits, observed, part, renamed, replay

layers = keras.layers


def compiled(build: Callable[[], keras.Model] = dense, **options: Any) -> Callable[[], keras.Model]:
    def make() -> keras.Model:
        model = build()
        model.compile(**{"optimizer": keras.optimizers.SGD(0.05), "loss": "mse", **options})
        return model

    return make


# -- kinds of models


@case("fit", "Sequential model", "callback `WeightWatch`")
def sequential(logs: Path) -> Seen:
    return observed(logs, compiled(), diabetes())


@case("fit", "Sequential model without an input shape", "likewise, from its first step")
def sequential_unbuilt(logs: Path) -> Seen:
    build = lambda: keras.Sequential([layers.Dense(8, activation="tanh"), layers.Dense(1)])  # noqa: E731
    return observed(logs, compiled(build), diabetes())


@case("fit", "functional model", "likewise")
def functional(logs: Path) -> Seen:
    def build() -> keras.Model:
        x = keras.Input((10,))
        h = layers.Dense(8, activation="tanh")(x)
        return keras.Model(x, layers.Dense(1)(layers.Add()([h, layers.Dense(8)(x)])))

    return observed(logs, compiled(build), diabetes())


class Own(keras.Model):
    """A subclassed model with a layer in a list and a weight of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = [layers.Dense(8, activation="tanh"), layers.Dense(8, activation="tanh")]
        self.head = layers.Dense(1)

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

    def call(self, x: Any, training: bool = False) -> Any:
        for layer in self.stack:
            x = layer(x)
        return self.head(x) * self.scale


@case("fit", "subclassed model", "likewise, including weights that belong to no layer")
def subclassed(logs: Path) -> Seen:
    return observed(logs, compiled(Own), diabetes())


@case("fit", "nested models", "layers of all levels, in their order")
def nested(logs: Path) -> Seen:
    def build() -> keras.Model:
        inner = keras.Sequential([keras.Input((10,)), layers.Dense(8, activation="tanh")], name="inner")
        outer = keras.Sequential([keras.Input((10,)), inner, layers.Dense(4, activation="tanh")], name="outer")
        x = keras.Input((10,))
        return keras.Model(x, layers.Dense(1)(outer(x)))

    return observed(logs, compiled(build), diabetes())


class Stepping(keras.Sequential):
    """A `train_step` that never calls `compute_loss` and returns its own loss."""

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.abs(self(x, training=True) - y))
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return {"loss": loss}


@case("fit", "custom `train_step`", "the loss is the one that it returns; if it returns none, the loss is not recorded")
def own_train_step(logs: Path) -> Seen:
    build = lambda: Stepping([keras.Input((10,)), layers.Dense(8, activation="tanh"), layers.Dense(1)])  # noqa: E731
    absolute = lambda model, data: tf.reduce_mean(tf.abs(model(data[0]) - data[1]))  # noqa: E731
    return observed(logs, compiled(build), diabetes(), gradients=absolute)


# -- ways to run


@case("fit", "`jit_compile=True`", "the tensors that the compiled step computes, unchanged")
def jit(logs: Path) -> Seen:
    return observed(logs, compiled(jit_compile=True), diabetes())


@case("fit", '`jit_compile="auto"`', "as Keras decides")
def jit_auto(logs: Path) -> Seen:
    return observed(logs, compiled(jit_compile="auto"), diabetes())


@case("fit", "`run_eagerly=True`", "the same numbers as in a graph")
def eagerly(logs: Path) -> Seen:
    return observed(logs, compiled(run_eagerly=True), diabetes())


@case("fit", "`steps_per_execution` above 1", "each step of an execution has its own row")
def several_steps_an_execution(logs: Path) -> Seen:
    # Nobody can look between the steps of one execution: the same training is observed step by step.
    _, steps = observed(logs / "single", compiled(), diabetes(7 * BATCH - 5))
    history, _ = observed(logs, compiled(steps_per_execution=3), diabetes(7 * BATCH - 5))
    return history, renamed(steps, [v.name for v in history.variables])


@case("fit", "smaller last batch, `tf.data`, validation", "each training step once, no evaluation step")
def last_batch_and_validation(logs: Path) -> Seen:
    x, y = diabetes(3 * BATCH + 7)
    keras.utils.set_random_seed(3)
    make = compiled()
    model, spy, watch = make(), Spy(), ww.WeightWatch(logs, verbose=False, overhead=None)
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH)
    model.fit(batches, epochs=2, verbose=0, shuffle=False, callbacks=[watch, spy], validation_data=batches)
    replay(make, spy.steps, lambda i: part((x, y), i, len(x)), compiled_loss)
    for i, step in enumerate(spy.steps):
        step.run["batch_size"] = (BATCH, BATCH, BATCH, 7)[i % 4]
    return watch.history, spy.steps


@case("fit", "several calls of `fit` for one model, `initial_epoch`", "one launch that continues; steps are counted on")
def repeated(logs: Path) -> Seen:
    watch = ww.WeightWatch(logs, verbose=False, overhead=None)
    data, make = diabetes(), compiled()
    keras.utils.set_random_seed(3)
    model, spy = make(), Spy()
    told = {"batch_size": BATCH, "shuffle": False, "verbose": 0, "callbacks": [watch, spy]}
    model.fit(*data, epochs=1, **told)
    model.fit(*data, epochs=4, initial_epoch=2, **told)
    replay(make, spy.steps, lambda i: part(data, i, len(data[0])), compiled_loss)
    assert len(spy.steps) == 12
    return watch.history, spy.steps


@case("fit", "`compile` between two calls of `fit`", "the launch continues with the new optimizer")
def compiled_anew(logs: Path) -> Seen:
    watch = ww.WeightWatch(logs, verbose=False, overhead=None)
    data, make = diabetes(), compiled()
    keras.utils.set_random_seed(3)
    model, spy = make(), Spy()
    told = {"batch_size": BATCH, "shuffle": False, "verbose": 0, "callbacks": [watch, spy]}
    model.fit(*data, epochs=1, **told)
    model.compile(keras.optimizers.Adam(0.01), loss="mse")
    model.fit(*data, epochs=1, **told)
    for i, step in enumerate(spy.steps):
        step.run["learning_rate"] = 0.05 if i < 4 else 0.01
    replay(make, spy.steps, lambda i: part(data, i, len(data[0])), compiled_loss)
    return watch.history, spy.steps


class Stops(keras.callbacks.Callback):
    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.model.stop_training = batch == 2


@case("fit", "callbacks that stop training, `EarlyStopping`", "all steps until then; the launch counts as completed")
def stopped(logs: Path) -> Seen:
    history, steps = observed(logs, compiled(), diabetes(), callbacks=[Stops()], epochs=3)
    assert len(steps) == 3
    assert history.ended is not None
    return history, steps


class Raises(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if batch == 3:
            raise KeyboardInterrupt


@case("fit", "exceptions, `KeyboardInterrupt`", "all steps until then; type and meaning of the exception")
def interrupted(logs: Path) -> Seen:
    watch, spy, make, data = ww.WeightWatch(logs, verbose=False, overhead=None), Spy(), compiled(), diabetes()
    keras.utils.set_random_seed(3)
    try:
        make().fit(*data, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[watch, spy, Raises()])
    except KeyboardInterrupt:
        replay(make, spy.steps, lambda i: part(data, i, len(data[0])), compiled_loss)
    assert len(spy.steps) == 3
    return watch.history, spy.steps


# -- losses and data


def classifier(activation: str = "softmax") -> keras.Model:
    return keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(10, activation=activation)])


@case("fit", "`class_weight`", "weighted gradients and weighted loss")
def class_weight(logs: Path) -> Seen:
    weight = {i: 0.25 + 0.5 * i for i in range(10)}
    x, y = digits()

    def weighted(model: keras.Model, data: tuple[Any, ...]) -> Any:
        each = keras.losses.sparse_categorical_crossentropy(data[1], model(data[0]))
        return tf.reduce_mean(each * tf.gather([weight[i] for i in range(10)], data[1]))

    make = compiled(classifier, loss="sparse_categorical_crossentropy")
    return observed(logs, make, (x, y), gradients=weighted, class_weight=weight)


@case("fit", "`sample_weight`", "likewise")
def sample_weight(logs: Path) -> Seen:
    weight = np.random.default_rng(1).uniform(0, 2, 4 * BATCH).astype("float32")

    def weighted(model: keras.Model, data: tuple[Any, ...]) -> Any:
        x, y, w = data
        return tf.reduce_mean(tf.reduce_mean(tf.square(model(x) - y), axis=-1) * w)

    return observed(logs, compiled(), (*diabetes(), weight), gradients=weighted)


def several() -> keras.Model:
    one, other = keras.Input((5,), name="one"), keras.Input((5,), name="other")
    h = layers.Dense(8, activation="tanh")(layers.Concatenate()([one, other]))
    outputs = {"low": layers.Dense(1, name="low")(h), "high": layers.Dense(3, activation="softmax", name="high")(h)}
    return keras.Model({"one": one, "other": other}, outputs)


@case("fit", "several inputs, outputs and losses", "the total loss; data statistics over all inputs and outputs")
def several_of_all(logs: Path) -> Seen:
    x, y = diabetes()
    kinds = np.digitize(y[:, 0], [-0.5, 0.5])
    data = {"one": x[:, :5], "other": x[:, 5:]}, {"low": y, "high": kinds}
    loss = {"low": "mse", "high": "sparse_categorical_crossentropy"}

    def total(model: keras.Model, batch: tuple[Any, ...]) -> Any:
        found = model(batch[0])
        high = keras.losses.sparse_categorical_crossentropy(batch[1]["high"], found["high"])
        return 2 * tf.reduce_mean(tf.square(found["low"] - batch[1]["low"])) + 0.5 * tf.reduce_mean(high)

    make = compiled(several, loss=loss, loss_weights={"low": 2.0, "high": 0.5})
    history, steps = observed(logs, make, data, gradients=total)
    for i, step in enumerate(steps):
        inputs, targets = part(data, i, len(x))
        whole = np.concatenate([v.ravel() for v in inputs.values()]).astype("float64")
        aims = np.concatenate([targets["high"], targets["low"].ravel()]).astype("float64")
        step.run |= {"input_std": whole.std(), "input_max": np.abs(whole).max(), "target_std": aims.std()}
    return history, steps


class Penalised(layers.Layer):
    def call(self, x: Any) -> Any:
        self.add_loss(0.1 * tf.reduce_mean(tf.square(x)))
        return x


@case("fit", "`add_loss`", "part of the loss and of its gradient")
def add_loss(logs: Path) -> Seen:
    build = lambda: keras.Sequential(  # noqa: E731
        [keras.Input((10,)), layers.Dense(8, activation="tanh"), Penalised(), layers.Dense(1)]
    )

    def penalised(model: keras.Model, data: tuple[Any, ...]) -> Any:
        hidden = model.layers[0](data[0])
        return tf.reduce_mean(tf.square(model.layers[-1](hidden) - data[1])) + 0.1 * tf.reduce_mean(tf.square(hidden))

    return observed(logs, compiled(build), diabetes(), gradients=penalised)


@case("fit", "NaN and Inf in the data", "counted, and kept as they are in all other numbers")
def broken_data(logs: Path) -> Seen:
    x, y = diabetes()
    x[BATCH + 3, 2], x[2 * BATCH, 4] = np.inf, np.nan
    history, steps = observed(logs, compiled(), (x, y), epochs=1)
    for i, step in enumerate(steps):
        step.run = {"input_nonfinite": float((~np.isfinite(x[i * BATCH : (i + 1) * BATCH])).sum())}
    return history, steps
