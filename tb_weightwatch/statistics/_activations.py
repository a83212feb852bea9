"""What a layer's output tells of its activation function, as data for both halves of the statistics.

`derivative` is None where the output does not determine the derivative.
"""

from __future__ import annotations

# Activation -> (formula of the derivative from the output y, its largest value). Formulas work on arrays and tensors.
SMOOTH = {
    "sigmoid": (lambda y: y * (1 - y), 0.25),
    "softmax": (lambda y: y * (1 - y), 0.25),
    "tanh": (lambda y: 1 - y * y, 1.0),
}
# Activation -> outputs at or below which, and at or above which, the derivative is exactly zero.
CLIPPED = {"relu": (0.0, None), "relu6": (0.0, 6.0), "hard_sigmoid": (0.0, 1.0), "hard_tanh": (-1.0, 1.0)}
