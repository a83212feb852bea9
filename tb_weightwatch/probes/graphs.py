"""Functions as graphs, and graphs run eagerly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import tensorflow as tf


def traced(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Returns the function as a graph. TensorFlow counts traces by code object, which a partial has not: it would warn
    of the traces of several programs as if they were one's.
    """
    return tf.function(partial(function), autograph=False)  # type: ignore[no-any-return]


@contextmanager
def eager_functions(eager: bool) -> Iterator[None]:
    """Runs every `tf.function` eagerly inside the block, so that hooks are called in functions traced before."""
    earlier = tf.config.functions_run_eagerly()
    if not eager or earlier:
        yield
        return
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(earlier)
