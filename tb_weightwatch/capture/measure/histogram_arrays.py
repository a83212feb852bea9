"""The arrays of a step of which TensorBoard's Histograms tab shows histograms."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...statistics import SparseGradient, measurable
from ...writer import MOST_HISTOGRAMS
from .step_data import StepData, to_numpy


def histogram_arrays(data: StepData) -> dict[str, NDArray[Any]]:
    """Returns the gradients and the weights after the step of trained variables, by name: "gradient/dense/kernel".

    Of many variables only the first `MOST_HISTOGRAMS` are included, and of a gradient of some rows these rows.
    Gradients that are not known are left out.
    """
    trained = (item for item in data.changes.items() if item[0] not in data.moving_statistics)
    arrays: dict[str, NDArray[Any]] = {}
    for name, change in islice(trained, MOST_HISTOGRAMS):
        for kind, value in (("gradient", change.gradient), ("weight", change.after)):
            values = to_numpy(value)
            values = values.sums if isinstance(values, SparseGradient) else values
            if isinstance(values, np.ndarray) and measurable(values.dtype):
                arrays[f"{kind}/{name}"] = values
    return arrays
