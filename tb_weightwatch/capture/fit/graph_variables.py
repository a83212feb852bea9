"""The recorder's own variables, made while the user's step is being traced."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import tensorflow as tf


def variable(start: Any, shape: Any = None) -> tf.Variable:
    """Returns a variable outside of all graphs, scopes and strategies.

    It is made in a thread of its own, which stands in none of them. Made in the tracing thread, even in `init_scope`,
    it would count as the traced function's first variable, for which TensorFlow traces the whole step a second time.
    """
    with ThreadPoolExecutor(1) as thread:
        make = lambda: tf.Variable(start, trainable=False, shape=shape, name="weightwatch")  # noqa: E731
        return thread.submit(make).result()


class SideVariables:
    """Where tensors are laid that can not be results of the step: inside a branch, or of several replicas."""

    def __init__(self) -> None:
        self._held: dict[str, tf.Variable] = {}
        self._done = variable(np.zeros((), bool))

    def clear(self) -> None:
        """Forgets the last step: a branch of this one may not be taken."""
        self._done.assign(False)

    def put(self, tensors: dict[str, Any]) -> None:
        """Lays tensors down; in a graph nothing is copied, the variable holds what is there."""
        for name, tensor in tensors.items():
            if name not in self._held:
                start = np.zeros([n or 0 for n in tensor.shape], tensor.dtype.as_numpy_dtype)
                self._held[name] = variable(start, tensor.shape)
            self._held[name].assign(tensor)

    def done(self) -> None:
        """Says that all is there."""
        self._done.assign(True)

    def read(self) -> dict[str, Any]:
        """Returns what was laid down in this step."""
        if not self._held or not bool(self._done):
            return {}
        return {name: held.value() for name, held in self._held.items()}
