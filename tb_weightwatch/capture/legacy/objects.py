"""Whether an object belongs to legacy Keras, and what is read from models of either generation in different ways."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

_known: WeakKeyDictionary[type, bool] = WeakKeyDictionary()


def is_legacy(value: Any) -> bool:
    """Checks whether an object is of a class of `tf_keras`, or of a class derived from one."""
    kind = type(value)
    if kind not in _known:
        _known[kind] = any(base.__module__.partition(".")[0] == "tf_keras" for base in kind.__mro__)
    return _known[kind]


def is_legacy_model(value: Any) -> bool:
    """Checks whether an object is a model of `tf_keras`."""
    return is_legacy(value) and hasattr(value, "fit") and hasattr(value, "call")


def is_legacy_optimizer(value: Any) -> bool:
    """Checks whether an object is an optimizer of `tf_keras`."""
    return is_legacy(value) and hasattr(type(value), "apply_gradients")


def is_legacy_schedule(value: Any) -> bool:
    """Checks whether an object is a learning-rate schedule of `tf_keras`."""
    return is_legacy(value) and any(kind.__name__ == "LearningRateSchedule" for kind in type(value).__mro__)


def direct_sublayers(parent: Any) -> list[Any]:
    """Returns the layers that a layer or model holds itself."""
    if is_legacy(parent):
        return list(parent._flatten_layers(recursive=False, include_self=False))
    return list(getattr(parent, "_layers", []))


def frozen_ids(models: Iterable[Any]) -> set[int]:
    """Returns the ids of variables that are not trained although they are made as trainable ones.

    Legacy Keras freezes a layer without changing its variables; in Keras 3 `variable.trainable` says it, and the set
    is empty.
    """
    return {id(v) for model in models if is_legacy(model) for v in getattr(model, "non_trainable_variables", ())}


def is_trained(variable: Any, frozen: set[int]) -> bool:
    """Checks whether a variable is trained; `frozen` is from `frozen_ids`."""
    return bool(getattr(variable, "trainable", True)) and id(variable) not in frozen


def steps_per_execution(model: Any) -> int:
    """Returns how many steps one call of the model's train function makes; legacy Keras keeps it in a variable."""
    steps = model.steps_per_execution
    return int(steps.numpy()) if is_legacy(model) else int(steps)


def metric_variables(model: Any) -> list[Any]:
    """Returns the variables of the model's metrics."""
    if is_legacy(model):
        return [variable for metric in model.metrics for variable in metric.variables]
    return list(model.metrics_variables)
