"""References to the tensors of one training step, collected while it is traced or runs eagerly."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from ...statistics import NOT_OBSERVED
from .fault_guard import FaultGuard


class StepObservation:
    """The tensors that the hooks of one step have seen. Only references are kept; nothing is computed.

    Gradients and weights are stored by `variable_id`.

    Args:
        graph: the graph in which the step is traced; None for an eager step.
        replica_count: replicas in sync. Each replica has its own observation and its own thread.
    """

    def __init__(self, graph: Any, replica_count: int = 1) -> None:
        self.graph = graph
        self.replica_count = replica_count
        self.thread = threading.get_ident()
        self.fault: BaseException | None = None  # the first exception of a hook
        self.gradients_given: dict[int, Any] = {}  # as passed to `optimizer.apply`, None included
        self.gradients_before_clipping: dict[int, Any] = {}  # unscaled, and accumulated from Keras 3.5 on
        self.gradients_used: dict[int, Any] = {}  # as the update rule gets them
        self.updated_in_branch = False  # the optimizer updated inside a branch of the graph
        self.optimizer_applied = False
        self.learning_rate: Any = None  # as the update rule gets it
        self.weights_before: dict[int, Any] = {}
        self.run_numbers: dict[str, Any] = {}  # run-wide numbers read before the step
        self.layer_outputs: dict[str, Any] = {}  # by the name of the layer use
        self.loss: Any = None
        self.tracked_loss: Any = None  # what a training step of one's own gave to the metric of its loss
        self.train_step_result: Any = None
        self.data: dict[str, Any] = {}  # "x", "y", "y_pred"

    def in_step_graph(self) -> bool:
        """Whether the calling code runs in the step's own graph. A tensor made in a branch or loop cannot leave it."""
        if self.graph is None:
            return bool(tf.executing_eagerly())
        return tf.compat.v1.get_default_graph() is self.graph

    def add_layer_output(self, name: str, output: Any) -> None:
        """Stores a layer's output. Further uses of the layer in the same step are named "#2", "#3" ..."""
        use, number = name, 2
        while use in self.layer_outputs:
            use, number = f"{name}#{number}", number + 1
        self.layer_outputs[use] = output

    def guard(self) -> FaultGuard:
        """Returns a context manager that stores our exceptions in `fault` instead of raising them."""
        return FaultGuard(self.set_fault)

    def set_fault(self, error: Exception) -> None:
        """Stores the first exception of ours."""
        self.fault = self.fault or error


def variable_id(variable: Any) -> int:
    """Returns the same number for a Keras variable and for the TensorFlow variable that it wraps."""
    return id(getattr(variable, "value", variable)) if not isinstance(variable, tf.Variable) else id(variable)


def current_value(variable: Any) -> Any:
    """Returns the value of a Keras or TensorFlow variable as a tensor, which later updates do not change."""
    return (variable if isinstance(variable, tf.Variable) else variable.value).value()


def current_shape(variable: Any) -> list[int]:
    """Returns the shape of a variable; the present one where it may change (`shape=[None, 2]`)."""
    shape = tf.TensorShape(variable.shape)
    return [int(n) for n in (shape if shape.is_fully_defined() else current_value(variable).shape)]


def base_optimizers(optimizer: Any) -> list[Any]:
    """Returns the optimizers that update variables: those inside a LossScaleOptimizer and inside a MultiOptimizer."""
    if optimizer is None:
        return []
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        return base_optimizers(inner)
    several = getattr(optimizer, "optimizers", None)
    return [base for item in several for base in base_optimizers(item)] if several else [optimizer]


def total_iterations(optimizers: Iterable[Any]) -> int:
    """Returns how many updates the optimizers have counted together."""
    return sum(int(base.iterations.numpy()) for o in optimizers for base in base_optimizers(o))


def clips(optimizer: Any) -> bool:
    """Whether a base optimizer clips gradients."""
    return any(getattr(optimizer, name, None) is not None for name in ("clipnorm", "global_clipnorm", "clipvalue"))


def match_unclipped(optimizer: Any, gradients: list[Any], variables: list[Any]) -> dict[int, Any]:
    """Returns `variable_id` -> gradient before clipping; NOT_OBSERVED for all if the gradients cannot be matched.

    Args:
        optimizer: a base optimizer that clips.
        gradients: the gradients that it is about to clip.
        variables: the variables of these gradients; empty if they are not known yet (Keras before 3.5 clips first).
    """
    candidates = variables or list(getattr(optimizer, "_trainable_variables", ()))
    if len(candidates) != len(gradients):
        return {variable_id(v): NOT_OBSERVED for v in candidates}
    return {variable_id(v): g for g, v in zip(gradients, candidates, strict=True) if g is not None}
