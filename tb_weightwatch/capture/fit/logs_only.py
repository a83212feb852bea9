"""A recorded step without its further results: as fast as the user's own, and traced in half the time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

TrainFunction = Callable[[Any], Any]


def returning_logs_only(function: TrainFunction) -> TrainFunction:
    """Returns a function that runs the step which `function` has traced, and returns its logs alone.

    The traced step is called as it is. TensorFlow inlines it and leaves out what only its other results need, so that
    the user's own step remains. No Python code of that step runs again; what takes time is TensorFlow's optimizer.

    Args:
        function: takes an iterator, and returns {"logs": ..., "layout": ...}; logs alone where the user's own step has
            been traced in its place.
    """
    compiled: TrainFunction = tf.function(
        lambda iterator: _logs(function(iterator)), autograph=False, reduce_retracing=True
    )
    return compiled


def _logs(result: Any) -> Any:
    return result["logs"] if isinstance(result, dict) and "layout" in result else result
