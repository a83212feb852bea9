"""Whether the Python code of a training step is that of Keras alone, as far as a walk through its objects can tell.

Code of the user's may keep values while it is traced: a layer that assigns something at its first call, a loss that
counts its calls. What such a step does depends on how often it has been traced.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from types import FunctionType, MethodType
from typing import Any

import keras
import tensorflow as tf

from .users_train_function import is_made_by_keras

# TensorFlow's decorators are around some methods of Keras; what they call is looked at.
_FOLDERS = tuple(os.path.dirname(os.path.abspath(str(library.__file__))) + os.sep for library in (keras, tf))
_MODELS = "Functional", "Sequential"
# Their makers are looked at by `is_made_by_keras`.
_TRAIN_FUNCTIONS = {"train_function", "test_function", "predict_function"}
# Programs that log trainings replace these methods of Keras' classes; none of them is traced.
_NOT_TRACED = {"fit", "evaluate", "predict"}
# Packages whose objects are accepted where they hold data and cannot be called.
_DATA = {"builtins", "tensorflow", "numpy", "inspect"}


def is_keras_code(model: Any, optimizers: Iterable[Any]) -> bool:
    """Checks whether model, layers, loss, metrics and optimizers, and all functions they hold, are those of Keras.

    It is False where that cannot be told. Call it before hooks are put on the model.

    Args:
        model: a compiled model of Keras 3.
        optimizers: its optimizers, outermost ones.
    """
    try:
        if type(model).__name__ not in _MODELS or not is_made_by_keras(model):
            return False
        return not any(map(_calls_a_cell, model._flatten_layers())) and _Walk().meets_only_keras([model, *optimizers])
    except Exception:
        return False


def _calls_a_cell(layer: Any) -> bool:
    """Whether a model calls a recurrent cell by itself, which then keeps its dropout mask; a layer RNN has it reset."""
    return any(hasattr(operation, "reset_dropout_mask") for operation in getattr(layer, "operations", ()))


class _Walk:
    """Visits the objects that can be reached from some, once each."""

    def __init__(self) -> None:
        self._seen: dict[int, Any] = {}  # id -> object, which keeps the id from being used again
        self._classes: dict[type, bool] = {}

    def meets_only_keras(self, roots: list[Any]) -> bool:
        """Checks whether no function, class or object among them is of anybody else."""
        waiting = list(roots)
        while waiting:
            value = waiting.pop()
            if id(value) in self._seen:
                continue
            self._seen[id(value)] = value
            if not self._is_accepted(value):
                return False
            waiting.extend(_parts(value))
        return True

    def _is_accepted(self, value: Any) -> bool:
        if isinstance(value, FunctionType):
            return _is_in_keras(value)
        if isinstance(value, (Enum, MethodType, list, tuple, set, frozenset, Mapping, weakref.ReferenceType)):
            return True  # what they hold is looked at
        if isinstance(value, type):
            return self._is_class_accepted(value)
        if _package(type(value)) == "keras":
            return self._is_class_accepted(type(value))
        return _package(type(value)) in _DATA and not callable(value)

    def _is_class_accepted(self, kind: type) -> bool:
        if kind not in self._classes:
            self._classes[kind] = all(map(_is_base_accepted, kind.__mro__))
        return self._classes[kind]


def _is_base_accepted(base: type) -> bool:
    """Checks whether a class is of Keras, with its own methods, or a base that Keras' classes have."""
    methods = [m for name, m in vars(base).items() if isinstance(m, FunctionType) and name not in _NOT_TRACED]
    return all(map(_is_in_keras, methods)) if _package(base) == "keras" else _package(base) in _DATA | {"abc"}


def _parts(value: Any) -> Iterator[Any]:
    """Yields what an accepted object holds."""
    if isinstance(value, FunctionType):
        yield from (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values())
        yield from (cell.cell_contents for cell in value.__closure__ or ())
    elif isinstance(value, MethodType):
        yield from (value.__func__, value.__self__)
    elif isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from value
    if _package(type(value)) == "keras" and not isinstance(value, Enum):
        yield from (item for name, item in getattr(value, "__dict__", {}).items() if name not in _TRAIN_FUNCTIONS)


def _is_in_keras(function: FunctionType) -> bool:
    """Checks whether a function is defined in a file of Keras or TensorFlow; decorators copy `__module__`, not this."""
    return os.path.abspath(function.__code__.co_filename).startswith(_FOLDERS)


def _package(kind: type) -> str:
    return str(kind.__module__).partition(".")[0]
