"""Cases of legacy Keras, `tf_keras`: the one that `tf.keras` is with `TF_USE_LEGACY_KERAS=1`."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from .case import Seen, Step, case, refused
from .distribute import mirrored
from .legacy_training import fitted, legacy, looped, model
from .observe import BATCH, diabetes, part

HOW_USED = "gradient as the optimizer uses it, weights before and after the step"


@case("legacy", "`model.fit`", "callback `WeightWatch`, also beside Keras 3 in the same process")
def legacy_fit(logs: Path) -> Seen:
    history, steps = fitted(logs, model, epochs=2)
    x, _ = diabetes()
    for i, step in enumerate(steps):
        kernel, bias, *_ = step.before.values()
        hidden = np.tanh(part(x, i, len(x)).astype("float64") @ kernel + bias)
        step.layers[history.layers[0].name] = {"output_mean": hidden.mean(), "output_std": hidden.std()}
        step.run |= {"learning_rate": 0.05, "iterations": i + 1.0, "batch_size": BATCH}
    assert history.facts["versions"]["tf_keras"]
    return history, steps


@case("legacy", "`jit_compile=True`, `clipnorm`", "gradients before and after clipping")
def legacy_compiled(logs: Path) -> Seen:
    make = lambda: model(optimizer=legacy().optimizers.Adam(0.01, clipnorm=0.1), jit_compile=True)  # noqa: E731
    history, steps = fitted(logs, make)
    for step in steps:
        step.raw = {n: g for n, g in step.gradients.items() if g is not None}
        step.gradients = {n: g * min(1.0, 0.1 / np.linalg.norm(g)) for n, g in step.raw.items()}
    return history, steps


@case("legacy", "`run_eagerly=True`, learning-rate schedules", "the learning rate that the step used")
def legacy_eager(logs: Path) -> Seen:
    rate = legacy().optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    history, steps = fitted(logs, lambda: model(optimizer=legacy().optimizers.SGD(rate), run_eagerly=True))
    for i, step in enumerate(steps):
        step.run["learning_rate"] = 0.1 * 0.5**i
    return history, steps


@case("legacy", "optimizers of `tf_keras.optimizers`, `steps_per_execution` above 1", HOW_USED)
def legacy_steps_per_execution(logs: Path) -> Seen:
    """Also several steps in one execution, of which the last is shorter; the spy sees the ends of executions."""
    adam = lambda: legacy().optimizers.Adam(0.01)  # noqa: E731
    _, single = fitted(logs / "single", lambda: model(optimizer=adam()))
    history, ends = fitted(logs, lambda: model(optimizer=adam(), steps_per_execution=3))
    assert [*map(len, (single, ends))] == [4, 2]
    for name, weight in ends[0].after.items():
        np.testing.assert_array_equal(list(single[2].after.values())[list(ends[0].after).index(name)], weight)
    names = list(ends[0].after)
    one = lambda found: dict(zip(names, found.values(), strict=True))  # noqa: E731
    return history, [Step(one(s.before), one(s.after), one(s.gradients), run=s.run) for s in single]


@case("legacy", "optimizers of `tf_keras.optimizers.legacy`", "likewise, with `decay`, clipping and schedules")
def legacy_old_style(logs: Path) -> Seen:
    make = lambda: model(optimizer=legacy().optimizers.legacy.SGD(0.1, decay=0.5, global_clipnorm=0.2))  # noqa: E731
    history, steps = fitted(logs, make)
    for i, step in enumerate(steps):
        step.raw = {n: g for n, g in step.gradients.items() if g is not None}
        norm = np.sqrt(sum(np.square(g).sum() for g in step.raw.values()))
        step.gradients = {n: g * min(1.0, 0.2 / norm) for n, g in step.raw.items()}
        step.run["learning_rate"] = 0.1 / (1 + 0.5 * i)
    return history, steps


@case(
    "legacy",
    "`mixed_float16`, `LossScaleOptimizer`",
    "the unscaled gradient and the loss scale; a skipped step moves nothing. Gradients before clipping: not recorded",
    rounding=2e-2,
    fuzz=2e-3,
)
def legacy_mixed_float16(logs: Path) -> Seen:
    dense = functools.partial(legacy().layers.Dense, dtype="mixed_float16")
    x, y = diabetes()
    x[BATCH + 3, 2] = np.inf  # its step is skipped

    def make() -> Any:
        scaled = legacy().mixed_precision.LossScaleOptimizer(legacy().optimizers.SGD(0.05), initial_scale=1024)
        return model(dense(8, activation="tanh"), dense(1), optimizer=scaled)

    history, steps = fitted(logs, make, data=(x, y))
    for i, step in enumerate(steps):
        step.run |= {"loss_scale": 1024.0 if i < 2 else 512.0}
    assert all((steps[1].after[n] == w).all() for n, w in steps[1].before.items())
    assert history.known("iterations").tolist() == [True, False, True, True]  # it counts the skipped step too
    steps[1].gradients = {}  # the optimizer never uses it
    return history, steps


@case("legacy", "frozen layers, `BatchNormalization`", "frozen weights are listed, moving statistics are measured")
def legacy_frozen(logs: Path) -> Seen:
    def make() -> Any:
        layers = legacy().layers
        begin = legacy().initializers.GlorotUniform(seed=7)  # the same when the gradients are computed anew
        frozen = layers.Dense(8, activation="tanh", trainable=False, name="frozen", kernel_initializer=begin)
        return model(frozen, layers.BatchNormalization(momentum=0.5), layers.Dense(1))

    history, steps = fitted(logs, make)
    trainable = {v.name: v.trainable for v in history.variables}
    assert not trainable["frozen/kernel"]
    statistics = history.column("statistic_change")[:, [name.endswith("moving_mean") for name in trainable]]
    assert (statistics > 0).all()
    return history, steps


@case("legacy", "custom `train_step`, `Embedding` (IndexedSlices)", "as with Keras 3")
def legacy_own_step(logs: Path) -> Seen:
    def make() -> Any:
        keras = legacy()

        class Own(keras.Sequential):  # type: ignore[misc]
            def train_step(self, data: Any) -> Any:
                x, y = data
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean(tf.square(self(x, training=True) - y))
                gradients = tape.gradient(loss, self.trainable_variables)
                self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
                return {"loss": loss}

        layers = keras.layers
        made = Own([keras.Input((6,), dtype="int32"), layers.Embedding(40, 4), layers.Flatten(), layers.Dense(1)])
        made.compile(keras.optimizers.SGD(0.5), "mse")
        return made

    x = np.random.default_rng(0).integers(0, 12, (3 * BATCH, 6)).astype("int32")
    history, steps = fitted(logs, make, data=(x, diabetes(3 * BATCH)[1]))
    for step in steps:  # shares are those of the rows that occur
        table = next(iter(step.gradients))
        step.gradients.pop(table)
        del step.before[table], step.after[table]
    return history, steps


@case("legacy", "`MirroredStrategy`", "gradients reduced over the replicas, outputs and losses of the whole batch")
def legacy_mirrored(logs: Path) -> Seen:
    return fitted(logs, model, strategy=mirrored())


@case("legacy", "eager loop", "`watch.step(loss)`: gradients as used, learning rate, loss scale, layer outputs")
def legacy_loop(logs: Path) -> Seen:
    rate = legacy().optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    scaled = lambda: legacy().mixed_precision.LossScaleOptimizer(  # noqa: E731
        legacy().optimizers.SGD(rate), initial_scale=64
    )
    history, steps = looped(logs, scaled)
    for i, step in enumerate(steps):
        step.run |= {"learning_rate": 0.1 * 0.5**i, "loss_scale": 64.0}
    assert history.known("output_mean").all()
    return history, steps


@case("legacy", "step in `@tf.function`", "return the gradients: `watch.step(loss, gradients=...)`")
def legacy_traced_loop(logs: Path) -> Seen:
    old = lambda: legacy().optimizers.legacy.SGD(0.1, decay=0.5)  # noqa: E731
    history, steps = looped(logs, old, traced=True)
    for i, step in enumerate(steps):
        step.run["learning_rate"] = 0.1 / (1 + 0.5 * i)
    return history, steps


refused("legacy", "experiments (`ww.probe`, `watch.probe`)", "not run: they need a model of Keras 3; the error says so")
