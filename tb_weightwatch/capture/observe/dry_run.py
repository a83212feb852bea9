"""One look at a model: forward and backward over a batch as in training, with no update, and nothing left changed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from .method_hooks import CallHook, Hooks, MethodCall
from .model_facts import layer_uses
from .observation import StepObservation, current_value


class DryRun(NamedTuple):
    """What one batch showed.

    Attributes:
        predictions: what the model answered.
        outputs: layer use -> its output.
        loss: mean loss of the batch; None where it could not be computed.
        gradients: one of each trainable variable, None where backpropagation found no way; None: there is no loss.
        fault: why there is no loss.
    """

    predictions: Any
    outputs: dict[str, Any]
    loss: Any = None
    gradients: list[Any] | None = None
    fault: Exception | None = None


@contextmanager
def restoring(model: Any) -> Iterator[None]:
    """Gives weights, statistics and the states of random generators back as they were."""
    values = [(variable, current_value(variable)) for variable in model.variables]
    python, arrays = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(arrays)
        for variable, value in values:
            variable.assign(value)


def dry_run(model: Any, x: Any, y: Any, loss: Callable[[Any, Any], Any] | None) -> DryRun:
    """Returns what one batch shows.

    Raises:
        ValueError: the model can not be called on the batch.
    """
    frame, hooks = StepObservation(None), Hooks()
    for layer, item in layer_uses(model):
        hooks.put(layer, "call", CallHook(lambda: frame, after=partial(_output, item["name"])))
    try:
        with tf.GradientTape() as tape:
            try:
                predictions = model(x, training=True)
            except Exception as error:
                shapes = ", ".join(str(tuple(part.shape)) for part in tf.nest.flatten(x))
                raise ValueError(
                    f"the model must take a batch as model.fit would hand it over; called on inputs of shape {shapes} "
                    f"it failed: {error}"
                ) from error
            if loss is None:
                return DryRun(predictions, frame.outputs)
            try:
                total = tf.reduce_mean(loss(y, predictions))
                total = total + tf.add_n([tf.cast(one, total.dtype) for one in model.losses]) if model.losses else total
            except Exception as error:  # labels that do not fit may well be what a rule has to tell
                return DryRun(predictions, frame.outputs, fault=error)
        gradients = tape.gradient(total, [getattr(v, "value", v) for v in model.trainable_variables])
        return DryRun(predictions, frame.outputs, total, gradients)
    finally:
        hooks.remove()


def _output(name: str, frame: StepObservation, call: MethodCall, output: Any) -> None:
    if tf.is_tensor(output):
        frame.output(name, output)


def loss_function(loss: Any, names: list[str]) -> Callable[[Any, Any], Any] | None:
    """Returns `loss(y, predictions)` for what `model.compile` takes as a loss; None where there is none.

    Args:
        loss: a name, a function, a Keras loss, or a list or dict of them, one an output.
        names: names of the model's outputs.
    """
    if loss is None:
        return None
    if isinstance(loss, (list, tuple)):
        return partial(_several, [loss_function(one, []) for one in loss])
    if isinstance(loss, Mapping):
        return partial(_several, [loss_function(loss.get(name), []) for name in names])
    found = keras.losses.get(loss) if isinstance(loss, str) else loss
    return partial(_aligned, found)


def _several(losses: list[Any], y: Any, predictions: Any) -> Any:
    pairs = zip(losses, tf.nest.flatten(y), tf.nest.flatten(predictions), strict=True)
    return tf.add_n([tf.reduce_mean(one(a, b)) for one, a, b in pairs if one is not None])


def _aligned(loss: Any, y: Any, predictions: Any) -> Any:
    """Gives targets `[n]` the shape of predictions `[n, 1]`, as Keras does for the losses of a compiled model."""
    if tf.is_tensor(y) and tf.is_tensor(predictions) and predictions.shape.rank == y.shape.rank + 1:
        y = y[..., None] if predictions.shape[-1] == 1 else y
    return loss(y, predictions)
