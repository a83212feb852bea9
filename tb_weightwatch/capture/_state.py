"""The recorder's own variables, made while the user's step is being traced."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray


def variable(start: NDArray[Any]) -> tf.Variable:
    """Returns a variable outside of all graphs, scopes and strategies.

    It is made in a thread of its own, which stands in none of them. Made in the tracing thread, even in `init_scope`,
    it would count as the traced function's first variable, for which TensorFlow traces the whole step a second time.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: tf.Variable(start, trainable=False, name="weightwatch")).result()


def zeros(*shape: int, dtype: Any = np.float64) -> tf.Variable:
    """Returns such a variable, full of zeros."""
    return variable(np.zeros(shape, dtype))
