"""Cases of optimizers: each of Keras' own, and what they do to gradients and weights beside their rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .case import CASES, Array, Seen, case
from .fit import compiled
from .observe import BATCH, dense, diabetes, observed

layers = keras.layers
_WRAPPERS = {
    "LossScaleOptimizer": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05)),
    "MultiOptimizer": lambda: _several(keras.optimizers.SGD(0.05), keras.optimizers.Adam(0.01)),
}


def _several(one: Any, other: Any) -> Any:
    return keras.optimizers.MultiOptimizer(lambda variable: one if "kernel" in variable.path else other)


def optimizers() -> list[str]:
    """All that this Keras has."""
    kinds = [(n, k) for n, k in vars(keras.optimizers).items() if isinstance(k, type) and n != "Optimizer"]
    return sorted(n for n, kind in kinds if issubclass(kind, keras.optimizers.Optimizer))


def trained(logs: Path, make: Callable[[], Any], **options: Any) -> Seen:
    fit = {"build": dense, "epochs": 1, "data": diabetes(), **options.pop("fit", {})}
    build, data = fit.pop("build"), fit.pop("data")

    def anew() -> keras.Model:
        return compiled(build, optimizer=make(), **options)()

    return observed(logs, anew, data, **fit)


def _each(name: str) -> None:
    def run(logs: Path) -> Seen:
        make = _WRAPPERS.get(name, getattr(keras.optimizers, name))
        history, steps = trained(logs, make)
        for i, step in enumerate(steps):
            step.run["iterations"] = i + 1.0
        return history, steps

    run.__name__ = f"optimizer_{name}"
    case("optimizer", f"`{name}`", "gradient as the optimizer uses it, weights before and after the step")(run)


for _name in optimizers():
    _each(_name)


# -- clipping


def _norm(arrays: list[Array]) -> float:
    return float(np.sqrt(sum(np.square(a).sum() for a in arrays)))


def _clipped(seen: Seen, clip: Callable[[dict[str, Array]], dict[str, Array]]) -> Seen:
    """Turns the gradients of a replay, which nothing clipped, into raw and used ones."""
    history, steps = seen
    for step in steps:
        step.raw = {n: g for n, g in step.gradients.items() if g is not None}
        step.gradients = dict(clip(step.raw))
    assert any(not np.allclose(step.raw[n], g) for step in steps for n, g in step.gradients.items() if g is not None)
    return history, steps


@case("optimizer", "`clipnorm`", "gradients before and after clipping")
def clipnorm(logs: Path) -> Seen:
    seen = trained(logs, lambda: keras.optimizers.SGD(0.05, clipnorm=0.1))
    return _clipped(seen, lambda raw: {n: g * min(1.0, 0.1 / _norm([g])) for n, g in raw.items()})


@case("optimizer", "`clipvalue`", "likewise")
def clipvalue(logs: Path) -> Seen:
    seen = trained(logs, lambda: keras.optimizers.SGD(0.05, clipvalue=0.05))
    return _clipped(seen, lambda raw: {n: np.clip(g, -0.05, 0.05) for n, g in raw.items()})


@case("optimizer", "`global_clipnorm`", "likewise; also with `jit_compile=True`")
def global_clipnorm(logs: Path) -> Seen:
    seen = trained(logs, lambda: keras.optimizers.Adam(0.01, global_clipnorm=0.1), jit_compile=True)
    return _clipped(seen, lambda raw: {n: g * min(1.0, 0.1 / _norm(list(raw.values()))) for n, g in raw.items()})


# -- what moves weights beside the gradient


@case("optimizer", "`weight_decay`", "part of the update, not of the gradient")
def weight_decay(logs: Path) -> Seen:
    history, steps = trained(logs, lambda: keras.optimizers.SGD(0.05, weight_decay=0.5))
    for step in steps:
        for name, gradient in step.gradients.items():
            assert gradient is not None
            moved = -0.05 * gradient - 0.05 * 0.5 * step.before[name]
            np.testing.assert_allclose(step.after[name] - step.before[name], moved, rtol=1e-3, atol=1e-6)
    return history, steps


@case("optimizer", "`use_ema`, `ema_overwrite_frequency`", "the weights after they were overwritten")
def moving_average(logs: Path) -> Seen:
    make = lambda: keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2)  # noqa: E731
    return trained(logs, make)


@case("optimizer", "constraints", "the weights after the constraint")
def constraints(logs: Path) -> Seen:
    kinds = keras.constraints

    def build() -> keras.Model:
        return keras.Sequential(
            [
                keras.Input((10,)),
                layers.Dense(8, activation="tanh", kernel_constraint=kinds.MaxNorm(0.5)),
                layers.Dense(8, activation="tanh", kernel_constraint=kinds.UnitNorm()),
                layers.Dense(1, kernel_constraint=kinds.NonNeg()),
            ]
        )

    history, steps = trained(logs, lambda: keras.optimizers.Adam(0.05), fit={"build": build})
    first, second, last = (steps[-1].after[n] for n in list(steps[-1].after)[::2])
    assert np.linalg.norm(first, axis=0).max() <= 0.5001
    np.testing.assert_allclose(np.linalg.norm(second, axis=0), 1, rtol=1e-4)
    assert last.min() == 0
    return history, steps


@case("optimizer", "regularizers", "part of the loss and of its gradient")
def regularisers(logs: Path) -> Seen:
    def build() -> keras.Model:
        kind = {"kernel_regularizer": keras.regularizers.L2(0.1), "bias_regularizer": keras.regularizers.L1(0.1)}
        hidden = layers.Dense(8, activation="tanh", activity_regularizer=keras.regularizers.L2(0.1), **kind)
        return keras.Sequential([keras.Input((10,)), hidden, layers.Dense(1)])

    def total(model: keras.Model, data: tuple[Any, ...]) -> Any:
        hidden = model.layers[0](data[0])
        error = tf.reduce_mean(tf.square(model.layers[-1](hidden) - data[1]))
        of_layer = tf.reduce_sum(tf.square(model.layers[0].kernel)) + tf.reduce_sum(tf.abs(model.layers[0].bias))
        return error + 0.1 * of_layer + 0.1 * tf.reduce_sum(tf.square(hidden)) / BATCH

    return trained(logs, lambda: keras.optimizers.SGD(0.05), fit={"build": build, "gradients": total})


# -- gradients that are not used at once


@case(
    "optimizer",
    "`gradient_accumulation_steps`",
    "the accumulated gradient at the step that uses it; at other steps the gradient is not known and nothing moves",
)
def accumulation(logs: Path) -> Seen:
    make = lambda: keras.optimizers.SGD(0.05, gradient_accumulation_steps=2)  # noqa: E731
    history, steps = trained(logs, make, fit={"epochs": 2})
    for one, other in zip(steps[::2], steps[1::2], strict=True):
        pairs = {n: (g, other.gradients[n]) for n, g in one.gradients.items()}
        other.gradients = {n: (a + b) / 2 for n, (a, b) in pairs.items() if a is not None and b is not None}
        one.gradients = {}
        assert all((one.after[n] == one.before[n]).all() for n in one.after)
    return history, steps


def low(policy: str) -> Callable[[], keras.Model]:
    def build() -> keras.Model:
        hidden = layers.Dense(8, activation="tanh", dtype=policy)
        return keras.Sequential([keras.Input((10,)), hidden, layers.Dense(1, dtype=policy)])

    return build


@case(
    "optimizer",
    "`mixed_float16`, `LossScaleOptimizer`",
    "the unscaled gradient and the loss scale; a skipped step moves nothing",
    rounding=2e-2,
    fuzz=2e-3,
)
def mixed_float16(logs: Path) -> Seen:
    x, y = diabetes()
    x[BATCH + 3, 2] = np.inf  # its step is skipped
    make = lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05), initial_scale=1024.0)  # noqa: E731
    history, steps = trained(logs, make, fit={"build": low("mixed_float16"), "data": (x, y)})
    for i, step in enumerate(steps):
        step.run = {"loss_scale": 1024.0 if i < 2 else 512.0, "iterations": float(i + (i < 1))}
    assert all((steps[1].after[n] == w).all() for n, w in steps[1].before.items())
    steps[1].gradients = {}  # the optimizer never uses it
    return history, steps


@case("optimizer", "`mixed_bfloat16`", "float32 gradient and weights", rounding=5e-2, fuzz=2e-2)
def mixed_bfloat16(logs: Path) -> Seen:
    return trained(logs, lambda: keras.optimizers.SGD(0.05), fit={"build": low("mixed_bfloat16")})


# -- learning rates


@case("optimizer", "learning-rate schedules", "the learning rate that the step used")
def schedule(logs: Path) -> Seen:
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    history, steps = trained(logs, lambda: keras.optimizers.SGD(rate))
    for i, step in enumerate(steps):
        step.run["learning_rate"] = 0.1 * 0.5**i
    return history, steps


class Rates(keras.callbacks.Callback):
    """Notes the rate that each step finds."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[float] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.found.append(float(self.model.optimizer.learning_rate))


@case("optimizer", "`LearningRateScheduler`, `ReduceLROnPlateau`", "likewise")
def rate_callbacks(logs: Path) -> Seen:
    rates = Rates()
    plateau = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=0, min_delta=1e9)
    halved = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate if epoch < 2 else 0.9 * rate)
    told = {"epochs": 3, "callbacks": [halved, plateau, rates], "data": diabetes(2 * BATCH)}
    history, steps = trained(logs, lambda: keras.optimizers.SGD(0.1), fit=told)
    for step, rate in zip(steps, rates.found, strict=True):
        step.run["learning_rate"] = rate
    assert len(set(rates.found)) > 1
    return history, steps


assert {f"optimizer_{name}" for name in optimizers()} <= set(CASES)
