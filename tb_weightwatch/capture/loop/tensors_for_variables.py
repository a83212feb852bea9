"""Tensors that a step is given where variables belong: what `w = w - lr * g` leaves of a variable.

They cannot be watched, and they are no mistake in the call: they are the fault that is looked for. So they are counted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


class TensorsForVariables:
    """Takes eager tensors out of what steps are given as variables, and counts them."""

    def __init__(self) -> None:
        self._steps = self._first_step = 0

    @property
    def seen(self) -> bool:
        """Whether any step was given a tensor as a variable."""
        return self._steps > 0

    def take_out(self, step: int, variables: Any, gradients: Any) -> tuple[Any, Any, dict[str, Any]]:
        """Returns variables and (gradient, variable) pairs without tensors, and the facts to describe.

        Args:
            step: number of the step.
            variables: as given to `Watch.step`.
            gradients: as given to `Watch.step`.
        """
        kept, variables_taken = _without(variables, lambda value: value)
        pairs, pairs_taken = _without(gradients, _variable_of_pair)
        taken = max(variables_taken, pairs_taken)
        if not taken:
            return kept, pairs, {}
        self._steps += 1
        self._first_step = self._first_step or step
        given = taken + len((kept if variables_taken else pairs) or ())
        fact = {"tensors": taken, "of": given, "steps": self._steps, "first_step": self._first_step}
        # The count alone changes from step to step; it is described when it has doubled.
        due = self._steps & (self._steps - 1) == 0
        return kept, pairs or None, {"tensors_for_variables": fact} if due else {}


def _without(values: Any, variable_of: Callable[[Any], Any]) -> tuple[Any, int]:
    """Returns the values without tensors in the place of variables, and how many had one; iterators stay whole."""
    if not isinstance(values, (list, tuple)):
        return values, 0
    kept = [value for value in values if not _is_eager_tensor(variable_of(value))]
    return (kept, len(values) - len(kept)) if len(kept) < len(values) else (values, 0)


def _variable_of_pair(pair: Any) -> Any:
    return pair[1] if isinstance(pair, (tuple, list)) and len(pair) == 2 else None


def _is_eager_tensor(value: Any) -> bool:
    return tf.is_tensor(value) and not hasattr(value, "assign") and not isinstance(value, tf.IndexedSlices)
