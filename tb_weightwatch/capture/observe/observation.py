"""What one training step shows while it is traced (or runs eagerly): references only, nothing computed on the way."""

from __future__ import annotations

import threading
from typing import Any

import tensorflow as tf

from ...statistics import NOT_OBSERVED
from .fault_guard import FaultGuard


class StepObservation:
    """References gathered during one step; `fault` is the first exception of a hook, if any."""

    def __init__(self, graph: Any, replicas: int = 1) -> None:
        self.graph = graph  # the step's own graph; None when eager
        self.replicas = replicas  # in sync; each has a frame, and a thread, of its own
        self.thread = threading.get_ident()
        self.fault: BaseException | None = None
        self.handed: dict[int, Any] = {}  # id of variable -> gradient as given to the optimizer (None included)
        self.unclipped: dict[int, Any] = {}  # ... unscaled and accumulated, before clipping
        self.used: dict[int, Any] = {}  # ... as the optimizer uses it
        self.branched = False  # gradients were seen inside a branch of the graph
        self.before: dict[int, Any] = {}  # id of variable -> its value before the step
        self.numbers: dict[str, Any] = {}  # run-wide numbers read before the step
        self.outputs: dict[str, Any] = {}  # name of layer use -> its output
        self.loss: Any = None
        self.result: Any = None  # of train_step
        self.data: dict[str, Any] = {}  # x, y, y_pred
        self.applied = False

    def here(self) -> bool:
        """Says whether the code runs in the step's own graph (a value made in a branch or loop can not leave it)."""
        if self.graph is None:
            return bool(tf.executing_eagerly())
        return tf.compat.v1.get_default_graph() is self.graph

    def output(self, name: str, output: Any) -> None:
        """Keeps a layer's output; further uses of the layer in the same step get "#2", "#3" ..."""
        use, number = name, 2
        while use in self.outputs:
            use, number = f"{name}#{number}", number + 1
        self.outputs[use] = output

    def guard(self) -> FaultGuard:
        """Keeps an exception of ours away from the user's program."""
        return FaultGuard(self._failed)

    def _failed(self, error: Exception) -> None:
        self.fault = self.fault or error


def variable_id(variable: Any) -> int:
    """Returns what identifies a variable, whether it comes as a Keras or a TensorFlow one."""
    return id(getattr(variable, "value", variable)) if not isinstance(variable, tf.Variable) else id(variable)


def current_value(variable: Any) -> Any:
    """Returns a Keras or TensorFlow variable's value as it is now; later updates do not change it."""
    return (variable if isinstance(variable, tf.Variable) else variable.value).value()


def base_optimizers(optimizer: Any) -> list[Any]:
    """Returns the optimizers that truly update: inside loss scaling, and inside a MultiOptimizer."""
    if optimizer is None:
        return []
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        return base_optimizers(inner)
    several = getattr(optimizer, "optimizers", None)
    return [leaf for one in several for leaf in base_optimizers(one)] if several else [optimizer]


def unclipped(optimizer: Any, gradients: list[Any], variables: list[Any]) -> dict[int, Any]:
    """Returns id of variable -> gradient before clipping; UNSEEN where gradients can not be told apart.

    Args:
        optimizer: a leaf that clips.
        gradients: what it is about to clip.
        variables: they belong to these; empty: that is not known yet (Keras before 3.5 clips first).
    """
    known = variables or list(getattr(optimizer, "_trainable_variables", ()))
    if len(known) != len(gradients):
        return {variable_id(v): NOT_OBSERVED for v in known}
    return {variable_id(v): g for g, v in zip(gradients, known, strict=True) if g is not None}


def clips(optimizer: Any) -> bool:
    """Says whether a leaf clips gradients."""
    return any(getattr(optimizer, name, None) is not None for name in ("clipnorm", "global_clipnorm", "clipvalue"))
