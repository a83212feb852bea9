"""What Keras and the user's program have made of the train function: how it is called, and what it trains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from ..legacy.objects import is_legacy, steps_per_execution
from ..observe.observation import base_optimizers, variable_id

GRAPH_ITERATORS = (tf.data.Iterator, tf.distribute.DistributedIterator)


def without_optional(model: Any) -> Callable[[Any], Any]:
    """Returns the model's train function, of one step, such that its results are not wrapped in an Optional.

    Keras puts the results into one Optional, and TensorFlow's optimizer then infers all of their shapes once for each
    of them: for 500 tensors that took three times as long as all other tracing. A train function also takes a list of
    batches, and then does without the Optional.
    """
    function: Callable[[Any], Any] = model.train_function
    # Before Keras 3.7 the train function is itself a tf.function, which uses no Optional and takes no list.
    if model.run_eagerly or not is_made_by_keras(model) or hasattr(function, "get_concrete_function"):
        return function
    step = tf.function(lambda iterator: function([iterator.get_next()]), autograph=False, reduce_retracing=True)
    return lambda iterator: (step if isinstance(iterator, GRAPH_ITERATORS) else function)(iterator)


def is_traced_step_of_keras(model: Any) -> bool:
    """Whether the train function is that of Keras 3, traced, and a call of it is one step."""
    traced = not is_legacy(model) and not model.run_eagerly
    return traced and steps_per_execution(model) == 1 and is_made_by_keras(model)


def is_made_by_keras(model: Any) -> bool:
    """Whether Keras' own methods make the model's train function."""
    names = ("make_train_function", "_make_function")
    return all(getattr(getattr(model, n, None), "__func__", None) is getattr(keras.Model, n, model) for n in names)


def trainable_since_tracing(model: Any, optimizers: list[Any]) -> list[Any]:
    """Returns the variables that became trainable after the user's function was traced, which trains without them."""
    if is_legacy(model):  # whose `fit` itself trains what was trainable when the model was compiled
        return []
    bases = [base for optimizer in optimizers for base in base_optimizers(optimizer)]
    optimized = {variable_id(v) for base in bases for v in getattr(base, "_trainable_variables", ())}
    built = bool(optimized) and all(getattr(base, "built", False) for base in bases)
    if model.run_eagerly or not built or not any(int(base.iterations.numpy()) for base in bases):
        return []
    return [v for v in model.trainable_variables if variable_id(v) not in optimized]
