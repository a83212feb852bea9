"""Large weights before a step, taken before it runs.

As a result of the compiled step such a weight would share the buffer of its variable, and the optimizer, which updates
a variable in place, would have to copy it first: in each step of that function, also in those that are not recorded.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from ...statistics.fast import SMALL
from ..observe.observation import current_value, variable_id


class HeldWeights:
    """The present values of those variables whose weights do not leave the step together with others.

    Args:
        variables: all that may be measured.

    Attributes:
        ids: of the variables whose values are held.
    """

    def __init__(self, variables: Iterable[Any]) -> None:
        self._values = {variable_id(v): current_value(v) for v in variables if _is_large(v)}
        self.ids = frozenset(self._values)

    def tensors(self, positions: Mapping[int, int]) -> dict[str, Any]:
        """Returns the weights before the step by name; `positions`: position of a variable -> its id."""
        return {f"before/{position}": self._values[i] for position, i in positions.items()}


def _is_large(variable: Any) -> bool:
    shape = tf.TensorShape(variable.shape)
    return bool(shape.is_fully_defined()) and math.prod(shape.as_list()) > SMALL
