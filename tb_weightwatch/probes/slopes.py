"""Directional finite differences: the slope of the loss along a direction in the weights, measured without a tape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from .experiment import Lab
from .program import Batch
from .state import tensor_variable

_CHANGE = 4e-3  # of the loss that a difference aims at: far above rounding, little enough for a straight line
_LONGEST = 0.05  # step relative to the norm of the weights
_ROUNDING = 3e-7  # of the loss: what float32 sums of a batch resolve


class Slope(NamedTuple):
    """A slope of the loss along a direction.

    Attributes:
        predicted: by the gradient: gradient . direction.
        measured: by central differences over a step.
        measured_finer: by central differences over a quarter of that step.
        resolution: the smallest slope that rounding lets one see over the quarter step.
        kink: by how much the slopes to both sides differ over the quarter step, as at a relu whose input is exactly 0.
    """

    predicted: float
    measured: float
    measured_finer: float
    resolution: float
    kink: float = 0.0

    @property
    def ratio(self) -> float:
        """Measured slope over predicted slope; NaN unless all measurements agree with each other."""
        if abs(self.predicted) < 10 * self.resolution or self.kink > 0.1 * abs(self.measured_finer) + self.resolution:
            return float("nan")
        coarse, fine = self.measured / self.predicted, self.measured_finer / self.predicted
        return fine if abs(coarse - fine) < 0.1 * max(1.0, abs(fine)) else float("nan")

    @property
    def is_seen(self) -> bool:
        """Whether the loss changes along the direction, in proportion to the step."""
        coarse, fine = self.measured, self.measured_finer
        return abs(fine) > 5 * self.resolution and abs(coarse - fine) < 0.3 * abs(fine)


def along_gradient(lab: Lab, batch: Batch, loss: float, variables: Sequence[Any], gradients: Sequence[Any]) -> Slope:
    """Returns the slope along the gradient of some variables."""
    norm = float(np.sqrt(sum(np.sum(np.square(g, dtype=np.float64)) for g in gradients)))
    directions = [np.asarray(g, np.float64) / norm for g in gradients]
    size = float(np.sqrt(sum(np.sum(np.square(tensor_variable(v).numpy(), dtype=np.float64)) for v in variables)))
    # Along a tiny gradient such a change would need a step far out of the weights' own size.
    step = min(_CHANGE * max(abs(loss), 1e-3) / norm, _LONGEST * max(size, 1e-3))
    return _slope(_Line(lab, batch, variables, directions), loss, norm, step)


def along_random(lab: Lab, batch: Batch, loss: float, variables: Sequence[Any], size: float) -> Slope:
    """Returns the slope along a random direction, over steps of `size` times the weights' own size."""
    generator = np.random.default_rng(0)
    directions = []
    for variable in variables:
        value = tensor_variable(variable).numpy()
        scale = float(np.sqrt(np.mean(np.square(value, dtype=np.float64)))) or 0.05
        directions.append(generator.normal(size=value.shape) * scale)
    return _slope(_Line(lab, batch, variables, directions), loss, 0.0, size)


class _Line(NamedTuple):
    """A straight line through the saved state, along which the loss of a batch is measured."""

    lab: Lab
    batch: Batch
    variables: Sequence[Any]
    directions: Sequence[Any]

    def loss(self, length: float) -> float:
        """Returns the loss at a distance from the saved state, in units of the direction."""
        with self.lab.state.restored():
            for variable, direction in zip(self.variables, self.directions, strict=True):
                target = tensor_variable(variable)
                target.assign(target + tf.cast(length * direction, target.dtype))
            self.lab.trials.spending.add_step()
            return self.lab.program.loss(self.batch)


def _slope(line: _Line, loss: float, predicted: float, step: float) -> Slope:
    up, down, up_finer, down_finer = (line.loss(length) for length in (step, -step, step / 4, -step / 4))
    coarse, fine = (up - down) / (2 * step), (up_finer - down_finer) / (step / 2)
    kink = abs(up_finer + down_finer - 2 * loss) / (step / 4)
    return Slope(predicted, coarse, fine, _ROUNDING * max(abs(loss), 1e-6) / (step / 4), kink)


def dense(gradient: Any) -> Any:
    """Returns a gradient as an array; an IndexedSlices is summed into its variable's shape."""
    return tf.convert_to_tensor(gradient).numpy()
