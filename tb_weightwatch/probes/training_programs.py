"""The programs under test: `model.fit`, a model that is trained by hand, and the step function of a loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from ..capture.legacy import is_legacy
from ..capture.observe import has_own_train_step, loss_function, optimizers_of
from .program import Batch, Program, copied
from .state import replaced


@contextmanager
def opened_program(
    model: Any, loss: Any, optimizer: Any, step_fn: Any = None, variables: Any = None
) -> Iterator[Program]:
    """Yields the program that the arguments of `ww.probe` describe.

    Raises:
        TypeError: `model` is no Keras model.
        ValueError: it is not built, or the loss or the optimizer is missing.
    """
    reject_legacy(model, optimizer)
    optimizers = list(optimizer) if isinstance(optimizer, (list, tuple)) else [] if optimizer is None else [optimizer]
    if step_fn is not None:
        yield loop_program(step_fn, model, optimizers, variables)
        return
    if not isinstance(model, keras.Model):
        raise TypeError(f"model must be a keras.Model (or pass step_fn=), got {type(model).__name__}")
    if not model.built:
        raise ValueError("the model must be built: give it a keras.Input, or call it on a batch first")
    if loss is None and not optimizers:
        if getattr(model, "optimizer", None) is None:
            raise ValueError("the model is not compiled: pass loss= and optimizer=, or step_fn=")
        with fit_program(model) as program:
            yield program
        return
    if len(optimizers) > 1:
        raise ValueError("optimizer must be one optimizer; with several, pass step_fn= as well")
    used = optimizers[0] if optimizers else getattr(model, "optimizer", None)
    if used is None:
        raise ValueError("optimizer must be given for a model that is not compiled")
    yield program_by_hand(model, getattr(model, "loss", None) if loss is None else loss, used)


def reject_legacy(model: Any, optimizer: Any) -> None:
    """Raises TypeError for a model or an optimizer of legacy Keras, whose state experiments cannot restore."""
    for value in (model, *(optimizer if isinstance(optimizer, (list, tuple)) else [optimizer])):
        if is_legacy(value):
            raise TypeError(
                f"experiments need a model and an optimizer of Keras 3, got the {type(value).__name__} of legacy Keras "
                "(tf_keras, or tf.keras with TF_USE_LEGACY_KERAS=1); recording and ww.preflight work with both"
            )


@contextmanager
def fit_program(model: Any) -> Iterator[Program]:
    """Yields the program of `model.fit`. An optimizer that has not been used yet is replaced by a copy meanwhile."""
    copies = [(name, copied(optimizer)) for name, optimizer in _unbuilt(model)]
    known = {id(variable) for variable in model.metrics_variables}
    try:
        with replaced([(model, name, copy) for name, copy in copies]):
            optimizers = optimizers_of(model)
            for optimizer in optimizers:
                if not optimizer.built:
                    optimizer.build(model.trainable_variables)
            yield Program(
                model.train_step,
                model=model,
                optimizers=optimizers,
                variables=model.trainable_variables,
                traced=not model.run_eagerly,
                kind="fit",
                loss_of=None if has_own_train_step(model) else partial(_compiled_loss, model),
            )
    finally:  # metrics that the first step has made are as if there had been none
        for metric in model.metrics:
            if any(id(variable) not in known for variable in metric.variables):
                metric.reset_state()


def _compiled_loss(model: Any, batch: Batch, predictions: Any) -> Any:
    x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
    return model.compute_loss(x=x, y=y, y_pred=predictions, sample_weight=weights)


def _unbuilt(model: Any) -> list[tuple[str, Any]]:
    optimizers = {id(optimizer) for optimizer in optimizers_of(model) if not optimizer.built}
    return [(name, value) for name, value in vars(model).items() if id(value) in optimizers]


def program_by_hand(model: Any, loss: Any, optimizer: Any) -> Program:
    """Returns a program with the usual step: forward pass, gradient of the mean loss, `optimizer.apply_gradients`.

    Args:
        model: a built Keras model.
        loss: as in `model.compile`.
        optimizer: an optimizer; one that has not been used yet is copied.
    """
    function = loss_function(loss, list(getattr(model, "output_names", None) or []))
    if function is None:
        raise ValueError("loss must be given for a model that is not compiled: a name, a function or a Keras loss")
    used = optimizer if optimizer.built else copied(optimizer)
    if not used.built:
        used.build(model.trainable_variables)

    def step(batch: Batch) -> Any:
        x, y = batch[0], batch[1]
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(function(y, model(x, training=True)))
            if model.losses:
                value += tf.add_n([tf.cast(extra, value.dtype) for extra in model.losses])
            scaled = used.scale_loss(value)
        variables = model.trainable_variables
        used.apply_gradients(zip(tape.gradient(scaled, variables), variables, strict=True))
        return value

    return Program(
        step,
        model=model,
        optimizers=[used],
        variables=model.trainable_variables,
        traced=True,
        kind="by hand",
        loss_of=lambda batch, predictions: function(batch[1], predictions),
    )


def loop_program(step_fn: Callable[..., Any], model: Any, optimizers: Sequence[Any], variables: Any) -> Program:
    """Returns the program of a hand-written loop; `step_fn(*batch)` makes one step and returns the loss."""
    trained = list(variables) if variables is not None else [] if model is None else model.trainable_variables
    if not trained:
        raise ValueError("variables must name what the loop trains: variables=model.trainable_variables")

    def step(batch: Batch) -> Any:
        return step_fn(*batch) if isinstance(batch, tuple) else step_fn(batch)

    return Program(step, model=model, optimizers=optimizers, variables=trained, traced=False, kind="loop")
