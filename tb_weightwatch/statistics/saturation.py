"""The outputs at which an activation function is flat: all that the statistics need to know of its derivative."""

from __future__ import annotations

import math
from typing import NamedTuple


class SaturationBounds(NamedTuple):
    """An activation is flat where its output is `<= low` or `>= high`; NaN: it has no such end."""

    low: float
    high: float


NO_END = math.nan
_SIGMOID_LOW = (1 - math.sqrt(0.99)) / 2  # 4 y (1 - y) = 0.01
_TANH_HIGH = math.sqrt(0.99)  # 1 - y^2 = 0.01
_SELU_SCALE = 1.0507009873554805 * 1.6732632423543772

# Where the derivative is below 1 % of its maximum. ReLU is missing: its derivative is 0 or 1.
SATURATED = {
    "sigmoid": SaturationBounds(_SIGMOID_LOW, 1 - _SIGMOID_LOW),
    "softmax": SaturationBounds(_SIGMOID_LOW, 1 - _SIGMOID_LOW),
    "tanh": SaturationBounds(-_TANH_HIGH, _TANH_HIGH),
    "hard_sigmoid": SaturationBounds(0.0, 1.0),
    "hard_tanh": SaturationBounds(-1.0, 1.0),
    "softsign": SaturationBounds(-0.9, 0.9),
    "elu": SaturationBounds(-0.99, NO_END),
    "selu": SaturationBounds(-0.99 * _SELU_SCALE, NO_END),
    "softplus": SaturationBounds(-math.log(0.99), NO_END),
    "log_sigmoid": SaturationBounds(NO_END, math.log(0.99)),
}
# Where the derivative is exactly zero.
BLOCKED = {
    "relu": SaturationBounds(0.0, NO_END),
    "relu6": SaturationBounds(0.0, 6.0),
    "sigmoid": SaturationBounds(0.0, 1.0),
    "softmax": SaturationBounds(0.0, 1.0),
    "tanh": SaturationBounds(-1.0, 1.0),
    "hard_sigmoid": SaturationBounds(0.0, 1.0),
    "hard_tanh": SaturationBounds(-1.0, 1.0),
    "softsign": SaturationBounds(-1.0, 1.0),
    "elu": SaturationBounds(-1.0, NO_END),
    "selu": SaturationBounds(-_SELU_SCALE, NO_END),
    "softplus": SaturationBounds(0.0, NO_END),
    "log_sigmoid": SaturationBounds(NO_END, 0.0),
}


def bounds_of(activation: str) -> dict[str, SaturationBounds]:
    """Returns the bounds by quantity ("saturated_share", "blocked_share"); those that the activation has."""
    tables = {"saturated_share": SATURATED, "blocked_share": BLOCKED}
    return {quantity: table[activation] for quantity, table in tables.items() if activation in table}
