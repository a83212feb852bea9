"""The independent observer of hand-written loops: weights copied between steps, gradients computed anew elsewhere."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import tb_weightwatch as ww

from .case import Array, Seen, Step
from .observe import BATCH, array, dense, diabetes, named, part, replay, weights

STEPS = 5
quiet = functools.partial(ww.Watch, verbose=False, overhead=None)
Told = dict[str, Any]  # what a step returns: "loss", and what may be handed over


class Diary:
    """Copies the variables at the end of each step; `fresh()` also before it, where something happened in between."""

    def __init__(self, variables: Callable[[], Sequence[Any]]) -> None:
        self._variables = variables
        self.steps: list[Step] = []
        self.fresh()

    def fresh(self) -> None:
        self.before = weights(self._variables())

    def turn(self, gradients: dict[str, Array | None] | None = None, **run: float) -> None:
        after = weights(self._variables())
        self.steps.append(Step({n: v for n, v in self.before.items() if n in after}, after, gradients or {}, run=run))
        self.before = after


def squared(y: Any, prediction: Any) -> Any:
    return tf.reduce_mean(tf.square(prediction - y))


def of_batch(model: keras.Model, data: tuple[Any, Any]) -> Any:
    """The loss of a replay."""
    return squared(data[1], model(data[0], training=True))


def batch(i: int, size: int = BATCH) -> tuple[Any, Any]:
    """The batch of a step (from 0)."""
    found: tuple[Any, Any] = part(diabetes(), i, 4 * BATCH, size)
    return found


def plain_step(model: keras.Model, optimizer: Any) -> Callable[[Any, Any], Told]:
    """A training step as in any tutorial."""

    def step(x: Any, y: Any) -> Told:
        with tf.GradientTape() as tape:
            predictions = model(x, training=True)
            loss = squared(y, predictions)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return {"loss": loss, "gradients": gradients, "predictions": predictions}

    return step


def looped(
    logs: Path,
    *,
    make: Callable[[], keras.Model] = dense,
    optimizer: Callable[[], Any] = lambda: keras.optimizers.SGD(0.05),
    step: Callable[[keras.Model, Any], Callable[..., Told]] = plain_step,
    wrap: Callable[..., Any] = lambda f: f,
    hand: Sequence[str] = (),
    batches: Callable[[int], tuple[Any, Any]] = batch,
    gradients: Callable[[keras.Model, Any], Any] = of_batch,
    seen: bool = True,
    steps: int = STEPS,
) -> Seen:
    """Trains in a loop under a Watch and a diary.

    Args:
        logs: folder of the run.
        make: makes the model, the same at each call.
        optimizer: makes the optimizer.
        step: (model, optimizer) -> step(x, y).
        wrap: what the step is wrapped in: `tf.function`, say.
        hand: what of the step's results is handed to the Watch.
        batches: number of the step -> x, y.
        gradients: (another model with the weights of the step, batch) -> loss.
        seen: whether gradients are expected to be recorded.
        steps: how many.
    """
    keras.utils.set_random_seed(3)
    model, opt = make(), optimizer()
    one = wrap(step(model, opt))
    with quiet(logs, model, opt) as watch:
        diary = Diary(lambda: model.variables)
        for i in range(steps):
            told = one(*batches(i))
            watch.step(told["loss"], **{name: told[name] for name in hand})
            diary.turn(iterations=i + 1)
    replay(make, diary.steps, batches, gradients)
    for row in diary.steps:
        row.gradients = row.gradients if seen else {}
    return watch.history, diary.steps


def slopes(model: Any, before: dict[str, Array], loss_of: Callable[[Any], Any]) -> dict[str, Array | None]:
    """Returns the gradients of `loss_of(model)` at these weights, by their names; `model` is one kept for that."""
    chosen = dict(zip(before, named(model.trainable_variables).values(), strict=True))
    for name, variable in chosen.items():
        variable.assign(before[name])
    with tf.GradientTape() as tape:
        loss = loss_of(model)
    found = tape.gradient(loss, [getattr(v, "_value", v) for v in chosen.values()])
    return {name: array(g) for name, g in zip(chosen, found, strict=True)}


def linear(before: dict[str, Array], x: Array, y: Array) -> tuple[dict[str, Array], float]:
    """Returns gradients and loss of `mean((x @ w + b - y)**2)` in float64, w and b being the first two weights."""
    (w, kernel), (b, bias) = list(before.items())[:2]
    off = x.astype("float64") @ kernel + bias - y.astype("float64")
    return {w: 2 * x.T.astype("float64") @ off / off.size, b: 2 * off.sum(0) / off.size}, float(np.square(off).mean())
