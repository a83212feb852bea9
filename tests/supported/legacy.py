"""Cases of legacy Keras, `tf_keras`: the one that `tf.keras` is with `TF_USE_LEGACY_KERAS=1`."""

from __future__ import annotations

import contextlib
import functools
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

import tb_weightwatch as ww

from .case import Seen, Step, case, refused
from .observe import BATCH, compiled_loss, diabetes, part, replay, weights

Make = Callable[[], Any]
HOW_USED = "gradient as the optimizer uses it, weights before and after the step"


@functools.cache
def legacy() -> Any:
    """The package, which takes a second to import: when the first case runs."""
    return importlib.import_module("tf_keras")


def model(*parts: Any, **options: Any) -> Any:
    """Returns a compiled model of these layers; else of a hidden and an output layer."""
    layers = legacy().layers
    parts = parts or (layers.Dense(8, activation="tanh"), layers.Dense(1))
    made = legacy().Sequential([legacy().Input((10,)), *parts])
    made.compile(**{"optimizer": legacy().optimizers.SGD(0.05), "loss": "mse", **options})
    return made


def spy() -> Any:
    """Returns a callback that copies the trained weights between steps."""

    class Spy(legacy().callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.steps: list[Step] = []
            self.before: dict[str, Any] = {}

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.before = weights(self.model.trainable_variables)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.steps.append(Step(self.before, weights(self.model.trainable_variables)))

    return Spy()


def fitted(
    logs: Path,
    make: Make,
    *,
    epochs: int = 1,
    data: Any = None,
    strategy: Any = None,
    gradients: bool = True,
    **fit: Any,
) -> Seen:
    """Trains under the callback and the spy, as `observed` does with Keras 3."""
    legacy().utils.set_random_seed(3)
    with strategy.scope() if strategy else contextlib.nullcontext():
        trained = make()
    watch, seen = ww.WeightWatch(logs, verbose=False, overhead=None), spy()
    x, y = data or diabetes()
    told = {"batch_size": BATCH, "epochs": epochs, "shuffle": False, "verbose": 0, **fit}
    trained.fit(x, y, callbacks=[watch, seen], **told)
    if gradients:
        replay(make, seen.steps, lambda i: part((x, y), i, len(x)), compiled_loss)
    return watch.history, seen.steps


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
    from .distribute import mirrored

    return fitted(logs, model, strategy=mirrored())


# -- loops


def looped(logs: Path, make_optimizer: Make, *, traced: bool = False) -> Seen:
    """Trains in a loop; gradients are those that the step itself computed."""
    legacy().utils.set_random_seed(3)
    trained, optimizer, steps = model(), make_optimizer(), []
    scaled = hasattr(optimizer, "get_scaled_loss")

    def train(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(trained(x, training=True) - y))
            total = optimizer.get_scaled_loss(loss) if scaled else loss
        gradients = tape.gradient(total, trained.trainable_variables)
        gradients = optimizer.get_unscaled_gradients(gradients) if scaled else gradients
        optimizer.apply_gradients(zip(gradients, trained.trainable_variables, strict=True))
        return loss, gradients

    step_function = tf.function(train) if traced else train
    with ww.Watch(logs, trained, optimizer, verbose=False, overhead=None) as watch:
        for i in range(4):
            x, y = part(diabetes(), i, 4 * BATCH)
            before = weights(trained.trainable_variables)
            loss, gradients = step_function(tf.constant(x), tf.constant(y))
            told = {"gradients": gradients} if traced else {}
            watch.step(loss, **told)
            after = weights(trained.trainable_variables)
            found = {n: np.asarray(g, "float64") for n, g in zip(after, gradients, strict=True)}
            steps.append(Step(before, after, found, run={"loss": float(loss), "iterations": i + 1.0}))
    return watch.history, steps


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
