"""The independent observer of `model.fit`: weights copied between steps, gradients computed anew by an eager tape."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_diabetes, load_digits

import tb_weightwatch as ww

from .case import Array, Seen, Step

BATCH = 32


def diabetes(count: int = 4 * BATCH) -> tuple[Array, Array]:
    """Ten standardised features and a standardised target, of real patients."""
    x, y = load_diabetes(return_X_y=True)
    x, y = (x - x.mean(0)) / x.std(0), (y - y.mean()) / y.std()
    return x[:count].astype("float32"), y[:count].astype("float32")[:, None]


def digits(count: int = 4 * BATCH) -> tuple[Array, Array]:
    """Pictures `[n, 8, 8, 1]` and their classes."""
    x, y = load_digits(return_X_y=True)
    return (x[:count] / 16).astype("float32").reshape(-1, 8, 8, 1), y[:count].astype("int64")


def dense() -> keras.Model:
    layers = keras.layers
    return keras.Sequential([keras.Input((10,)), layers.Dense(8, activation="tanh"), layers.Dense(1)])


def named(variables: Sequence[Any]) -> dict[str, Any]:
    """Returns floating-point variables by the name that they should have: their path, "#2" at a second one."""
    found: dict[str, Any] = {}
    for variable in variables:
        name = base = str(getattr(variable, "path", variable.name)).removesuffix(":0")
        number = 1
        while name in found:
            number += 1
            name = f"{base}#{number}"
        if tf.as_dtype(keras.backend.standardize_dtype(variable.dtype)).is_floating:
            found[name] = variable
    return found


def weights(variables: Sequence[Any]) -> dict[str, Array]:
    """Returns the trainable ones' values by name, as float64."""
    chosen = {n: v for n, v in named(variables).items() if getattr(v, "trainable", True)}
    return {n: np.array(tf.cast(tf.convert_to_tensor(v), tf.float64)) for n, v in chosen.items()}


def array(gradient: Any) -> Array | None:
    """Returns a gradient as float64."""
    return None if gradient is None else np.array(tf.cast(tf.convert_to_tensor(gradient), tf.float64))


class Spy(keras.callbacks.Callback):
    """Copies the weights between steps; `whole` copies of what happened between one batch's begin and its end."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self._before: dict[str, Array] = {}

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._before = weights(self.model.variables) if self.model.built else {}

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.steps.append(Step(self._before, weights(self.model.variables)))


def part(tree: Any, step: int, count: int, batch: int = BATCH) -> Any:
    """Returns the batch of a step (from 0) out of arrays of `count` samples that are gone through in order."""
    start = step % -(-count // batch) * batch
    return tf.nest.map_structure(lambda x: x[start : start + batch], tree)


def observed(
    logs: Path,
    make: Callable[[], keras.Model],
    data: tuple[Any, ...],
    *,
    epochs: int = 2,
    gradients: Callable[[keras.Model, tuple[Any, ...]], Any] | None = None,
    watch: ww.WeightWatch | None = None,
    callbacks: Sequence[Any] = (),
    seed: int = 3,
    strategy: Any = None,
    **fit: Any,
) -> Seen:
    """Trains a compiled model under the callback and under the spy.

    Args:
        logs: folder of the run.
        make: makes the compiled model, the same at each call.
        data: x, y and perhaps sample weights.
        epochs: of `fit`, batches of `BATCH` in order.
        gradients: (another model with the weights of the step, batch) -> loss; None: the compiled loss.
        watch: the callback; None: a new one.
        callbacks: further ones.
        seed: of the initial weights.
        strategy: in whose scope the model is made; the one that is held against it stands on one device.
        fit: further arguments of `fit`.
    """
    keras.utils.set_random_seed(seed)
    with strategy.scope() if strategy else contextlib.nullcontext():
        model, spy = make(), Spy()
    watch = watch or ww.WeightWatch(logs, verbose=False, overhead=None)
    x, y, *rest = data
    told = {"sample_weight": rest[0]} if rest else {}
    model.fit(
        x,
        y,
        batch_size=BATCH,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=[watch, spy, *callbacks],
        **told,
        **fit,
    )
    count = len(tf.nest.flatten(x)[0])
    if not spy.steps[0].before:  # the model was built in its first step; another one, built before, began the same
        keras.utils.set_random_seed(seed)
        other = make()
        other(part(x, 0, count))
        began = weights(other.variables).values()
        spy.steps[0].before = dict(zip(spy.steps[0].after, began, strict=True))
    replay(make, spy.steps, lambda i: part(data, i, count), gradients or compiled_loss)
    return watch.history, spy.steps


def renamed(steps: list[Step], names: Sequence[str]) -> list[Step]:
    """Returns what was seen of another model, whose layers bear other numbers, under these names."""
    one = lambda found: dict(zip(names, found.values(), strict=True)) if found else {}  # noqa: E731
    return [replace(s, before=one(s.before), after=one(s.after), gradients=one(s.gradients)) for s in steps]


def compiled_loss(model: keras.Model, batch: tuple[Any, ...]) -> Any:
    """The loss that the model was compiled with, regularisers included."""
    x, y, *rest = batch
    return model.compute_loss(x, y, model(x, training=True), *rest)


def replay(
    make: Callable[[], keras.Model],
    steps: list[Step],
    batch: Callable[[int], Any],
    loss_of: Callable[[keras.Model, Any], Any],
) -> None:
    """Fills in gradients and losses: an eager tape over another model with the weights that each step began with."""
    other = make()
    for i, step in enumerate(steps):
        data = tf.nest.map_structure(tf.convert_to_tensor, batch(i))
        if not other.built:
            other(data[0])
        known = named(other.variables)
        chosen = {n: known[m] for n, m in zip(step.after, _matched(step.after, other), strict=True)}
        for name, variable in chosen.items():
            if name in step.before:
                variable.assign(step.before[name])
        with tf.GradientTape() as tape:
            loss = loss_of(other, data)
        found = tape.gradient(loss, [getattr(v, "_value", v) for v in chosen.values()])
        step.gradients = {n: array(g) for n, g in zip(chosen, found, strict=True)}
        step.run.setdefault("loss", float(loss))


def _matched(names: dict[str, Array], other: keras.Model) -> list[str]:
    """The same variables of another model, whose layers may bear other numbers: by their place."""
    return list(weights(other.trainable_variables))[: len(names)]
