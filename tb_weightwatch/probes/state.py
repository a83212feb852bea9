"""The state of a training, saved before experiments and put back bit for bit after each of them."""

from __future__ import annotations

import gc
import random
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf


class SavedState:
    """Values of variables, `trainable` flags, and the random generators of Python and NumPy.

    Saving copies nothing: TensorFlow copies a variable's value when it is next changed. So it takes up to one more copy
    of the variables while experiments run.

    Args:
        variables: Keras or TensorFlow variables: weights, statistics, seed generators, metrics, slots of optimizers.
        layers: whose `trainable` flags are saved.
    """

    def __init__(self, variables: Iterable[Any], layers: Iterable[Any] = ()) -> None:
        variables = list(variables)
        unique = {id(tensor_variable(variable)): tensor_variable(variable) for variable in variables}
        self._values = [(v, value) for v in unique.values() if (value := _value(v)) is not None]
        # A layer's flag sets those of its variables, so these come last.
        flagged = [*layers, *(variable for variable in variables if isinstance(variable, keras.Variable))]
        self._trainable = [(item, item.trainable) for item in flagged]
        self._generators = random.getstate(), np.random.get_state()

    def changed(self) -> list[Any]:
        """Returns the variables whose bits are no longer those that were saved."""
        return [v for v, value in self._values if v.numpy().tobytes() != value.numpy().tobytes()]

    def restore(self) -> None:
        """Puts everything back. Ctrl-C waits until it has."""
        with _interrupts_delayed():
            for item, trainable in self._trainable:
                if item.trainable != trainable:
                    item.trainable = trainable
            for variable, value in self._values:
                variable.assign(value)
            random.setstate(self._generators[0])
            np.random.set_state(self._generators[1])

    def restore_generators(self) -> None:
        """Puts the random generators back, those of the model included (dropout), and nothing else."""
        for variable, value in self._values:
            if "seed_generator" in variable.name:
                variable.assign(value)
        random.setstate(self._generators[0])
        np.random.set_state(self._generators[1])

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Puts everything back at the end of the block, whatever happens in it."""
        try:
            yield
        finally:
            self.restore()


def _value(variable: Any) -> Any:
    """Returns a variable's value; None if it has none yet, or belongs to a graph, as saving a model leaves some."""
    try:
        return tf.identity(variable)
    except (tf.errors.OpError, TypeError, ValueError, RuntimeError):
        return None


def tensor_variable(variable: Any) -> Any:
    """Returns the TensorFlow variable of a Keras variable, or the variable itself."""
    return variable.value if isinstance(variable, keras.Variable) else variable


@contextmanager
def keras_generator_kept() -> Iterator[None]:
    """Forgets at the end of the block the global random generator of Keras if it was first made in the block.

    Keras makes it from the seed when it is first used; its state as a variable is saved with all others.
    """
    try:
        from keras.src.backend.common import global_state
        from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR as NAME
    except ImportError:  # another version keeps it elsewhere
        yield
        return
    existed = global_state.get_global_attribute(NAME) is not None
    try:
        yield
    finally:
        if not existed:
            global_state.set_global_attribute(NAME, None)


@contextmanager
def replaced(pairs: Iterable[tuple[Any, str, Any]]) -> Iterator[None]:
    """Replaces attributes of instances inside the block; past Keras' attribute tracking, which remembers assignments.

    Args:
        pairs: (instance, name of the attribute, value).
    """
    missing = object()
    earlier: list[tuple[Any, str, Any]] = []
    try:
        for instance, name, value in pairs:
            earlier.append((instance, name, instance.__dict__.get(name, missing)))
            instance.__dict__[name] = value
        yield
    finally:
        with _interrupts_delayed():
            for instance, name, value in reversed(earlier):
                if value is missing:
                    instance.__dict__.pop(name, None)
                else:
                    instance.__dict__[name] = value


@contextmanager
def _interrupts_delayed() -> Iterator[None]:
    """Holds SIGINT (Ctrl-C) back until the end of the block; only the main thread gets it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[tuple[Any, ...]] = []
    handler = signal.getsignal(signal.SIGINT)
    if handler is None:  # installed from outside Python
        yield
        return
    signal.signal(signal.SIGINT, lambda *arguments: received.append(arguments))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if received and callable(handler):
            handler(*received[0])


def live_variables() -> list[Any]:
    """Returns all TensorFlow variables of this process: a step may change some that no model or optimizer lists.

    These are counters and queues of layers, slots of optimizers in a list, Keras' global random generator, and others.
    """
    is_variable: dict[type, bool] = {}
    found = []
    for item in gc.get_objects():
        kind = type(item)
        if kind not in is_variable:
            is_variable[kind] = issubclass(kind, tf.Variable)
        if is_variable[kind] and item.dtype != tf.resource:
            found.append(item)
    return found
