"""Where activations are flat, as data for both halves of the statistics: told by a layer's output alone."""

from __future__ import annotations

import math
from typing import NamedTuple


class Flat(NamedTuple):
    """An activation is flat where its output is at or below `low`, or at or above `high`; NaN: no such end."""

    low: float
    high: float


NO = math.nan
_C = (1 - math.sqrt(0.99)) / 2  # sigmoid: 4 y (1 - y) = 0.01
_T = math.sqrt(0.99)  # tanh: 1 - y^2 = 0.01
_SELU = 1.0507009873554805 * 1.6732632423543772

# Where the derivative is under 1 % of its largest. ReLU's is exactly zero, or not small.
SATURATED = {
    "sigmoid": Flat(_C, 1 - _C),
    "softmax": Flat(_C, 1 - _C),
    "tanh": Flat(-_T, _T),
    "hard_sigmoid": Flat(0.0, 1.0),
    "hard_tanh": Flat(-1.0, 1.0),
    "softsign": Flat(-0.9, 0.9),
    "elu": Flat(-0.99, NO),
    "selu": Flat(-0.99 * _SELU, NO),
    "softplus": Flat(-math.log(0.99), NO),
    "log_sigmoid": Flat(NO, math.log(0.99)),
}
# Where it is exactly zero.
BLOCKED = {
    "relu": Flat(0.0, NO),
    "relu6": Flat(0.0, 6.0),
    "sigmoid": Flat(0.0, 1.0),
    "softmax": Flat(0.0, 1.0),
    "tanh": Flat(-1.0, 1.0),
    "hard_sigmoid": Flat(0.0, 1.0),
    "hard_tanh": Flat(-1.0, 1.0),
    "softsign": Flat(-1.0, 1.0),
    "elu": Flat(-1.0, NO),
    "selu": Flat(-_SELU, NO),
    "softplus": Flat(0.0, NO),
    "log_sigmoid": Flat(NO, 0.0),
}
