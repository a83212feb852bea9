"""The recorder's own variables, created while the user's step is traced."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import tensorflow as tf


def create_variable(initial_value: Any, shape: Any = None) -> tf.Variable:
    """Creates a variable outside of all graphs, scopes and strategies.

    It is created in a thread of its own, which is inside none of them. If it were created in the tracing thread, even
    in `init_scope`, it would count as the traced function's first variable, and TensorFlow would trace the whole step
    a second time.
    """
    with ThreadPoolExecutor(1) as thread:
        create = lambda: tf.Variable(initial_value, trainable=False, shape=shape, name="weightwatch")  # noqa: E731
        return thread.submit(create).result()


class SideVariables:
    """Variables for tensors that cannot be results of the step: those of a branch, or of several replicas."""

    def __init__(self) -> None:
        self._variables: dict[str, tf.Variable] = {}
        self._complete = create_variable(np.zeros((), bool))

    def clear(self) -> None:
        """Invalidates the tensors of the last step, since a step may not take the branch that writes them."""
        self._complete.assign(False)

    def write(self, tensors: dict[str, Any]) -> None:
        """Stores tensors by name. In a graph nothing is copied: the variable shares the tensor's buffer."""
        for name, tensor in tensors.items():
            if name not in self._variables:
                initial_value = np.zeros([size or 0 for size in tensor.shape], tensor.dtype.as_numpy_dtype)
                self._variables[name] = create_variable(initial_value, tensor.shape)
            self._variables[name].assign(tensor)

    def mark_complete(self) -> None:
        """Declares that all tensors of this step are written."""
        self._complete.assign(True)

    def read(self) -> dict[str, Any]:
        """Returns the tensors of this step by name; {} if none were written."""
        if not self._variables or not bool(self._complete):
            return {}
        return {name: variable.value() for name, variable in self._variables.items()}
