"""One forward and backward pass over a batch, as in training but without an update, which leaves nothing changed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from . import observers
from .method_hooks import CallHook, Hooks
from .model_facts import layer_uses
from .observation import StepObservation, current_value

LossFunction = Callable[[Any, Any], Any]


class DryRun(NamedTuple):
    """The results of a pass over one batch.

    Attributes:
        predictions: the model's outputs.
        outputs: layer use -> its output.
        loss: mean loss of the batch; None if it could not be computed.
        gradients: of each trainable variable, None where backpropagation found no path; None if there is no loss.
        fault: why there is no loss.
    """

    predictions: Any
    outputs: dict[str, Any]
    loss: Any = None
    gradients: list[Any] | None = None
    fault: Exception | None = None


@contextmanager
def restoring(model: Any) -> Iterator[None]:
    """Restores the model's variables, and the random generators of Python and numpy, at the end of the block."""
    values = [(variable, current_value(variable)) for variable in model.variables]
    python_state, numpy_state = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        for variable, value in values:
            variable.assign(value)


def dry_run(model: Any, x: Any, y: Any, loss: LossFunction | None) -> DryRun:
    """Runs the model on one batch as in training, and takes the gradient of the loss.

    Raises:
        ValueError: the model cannot be called on the batch.
    """
    observation, hooks = StepObservation(None), Hooks()
    for layer, item in layer_uses(model):
        after = partial(observers.layer_output, item["name"])
        hooks.put(layer, "call", CallHook(lambda: observation, observation.set_fault, after=after))
    try:
        with tf.GradientTape() as tape:
            predictions = _predictions(model, x)
            if loss is None:
                return DryRun(predictions, observation.layer_outputs)
            try:
                total = _total_loss(model, loss(y, predictions))
            except Exception as error:  # labels that do not fit may be exactly what a rule reports
                return DryRun(predictions, observation.layer_outputs, fault=error)
        gradients = tape.gradient(
            total, [v if isinstance(v, tf.Variable) else v.value for v in model.trainable_variables]
        )
        return DryRun(predictions, observation.layer_outputs, total, gradients)
    finally:
        hooks.remove()


def _predictions(model: Any, x: Any) -> Any:
    try:
        return model(x, training=True)
    except Exception as error:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tf.nest.flatten(x))
        raise ValueError(f"calling the model on a batch with inputs of shape {shapes} failed: {error}") from error


def _total_loss(model: Any, loss: Any) -> Any:
    mean = tf.reduce_mean(loss)
    return mean + tf.add_n([tf.cast(extra, mean.dtype) for extra in model.losses]) if model.losses else mean


def loss_function(loss: Any, output_names: list[str]) -> LossFunction | None:
    """Returns `loss(y, predictions)` for a `loss` argument of `model.compile`; None if it is None.

    Args:
        loss: a name, a function, a Keras loss, or a list or dict of them with one for each output.
        output_names: names of the model's outputs.
    """
    if loss is None:
        return None
    if isinstance(loss, (list, tuple)):
        return partial(_sum_of_losses, [loss_function(item, []) for item in loss])
    if isinstance(loss, Mapping):
        return partial(_sum_of_losses, [loss_function(loss.get(name), []) for name in output_names])
    return partial(_with_matching_rank, keras.losses.get(loss) if isinstance(loss, str) else loss)


def _sum_of_losses(losses: list[LossFunction | None], y: Any, predictions: Any) -> Any:
    outputs = zip(losses, tf.nest.flatten(y), tf.nest.flatten(predictions), strict=True)
    return tf.add_n([tf.reduce_mean(loss(target, output)) for loss, target, output in outputs if loss is not None])


def _with_matching_rank(loss: Any, y: Any, predictions: Any) -> Any:
    """Gives targets `[n]` the shape of predictions `[n, 1]`, as Keras does for the losses of a compiled model."""
    if tf.is_tensor(y) and tf.is_tensor(predictions) and predictions.shape.rank == y.shape.rank + 1:
        y = y[..., None] if predictions.shape[-1] == 1 else y
    return loss(y, predictions)
