"""Arrays of single variables that are recorded at some steps: histograms, motion maps and full tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .display import repr_of

OCTAVES = 256
HISTOGRAMS = ("gradient_histogram", "update_histogram", "ratio_histogram")
MOTION = ("gradient_map", "update_map")
TENSORS = ("gradient", "weight_before", "weight")
KINDS = (*HISTOGRAMS, *MOTION, *TENSORS)
SIDE = 64  # largest side of a motion map
PIXELS = 1 << 17  # of all motion maps of a step: with a thousand variables each map is smaller


@dataclass(frozen=True)
class Map:
    """An array of one variable at one step.

    Attributes:
        step: attempted training step, from 1.
        variable: name of the variable.
        kind: one of `KINDS`. "..._histogram": `[256]`, how many elements of |gradient|, |update| or |update| / |weight|
            lie in each octave (`octaves` returns their lower ends), to 9 %. "..._map": `[h, w]`, at most 64 x 64, the
            largest |gradient| or |update| in each block of the variable, reshaped to a matrix whose columns are its
            last axis, to 9 %; NaN where an element is not finite. "gradient" (as the optimizer used it),
            "weight_before" (before the step), "weight" (after it): all elements, exact.
        values: the array.
        time: unix seconds.
    """

    step: int
    variable: str
    kind: str
    values: NDArray[Any]
    time: float = 0.0

    def __repr__(self) -> str:
        shape = f"{list(np.shape(self.values))} {np.asarray(self.values).dtype}"
        return repr_of(self, self.kind, self.variable, f"step {self.step:,}", shape)


def octaves() -> NDArray[np.float64]:
    """Returns `[256]` the lower ends of a histogram's octaves.

    The first octave contains zeros and numbers below 2**-126; the last one contains non-finite numbers: NaN,
    infinities, and ratios to a weight of zero.
    """
    ends = np.exp2(np.arange(OCTAVES, dtype=np.float64) - 127.0)
    ends[0], ends[-1] = 0.0, np.inf
    return ends


def side(variables: int) -> int:
    """Returns the largest side of each motion map when this many variables are recorded."""
    return int(np.clip(np.sqrt(PIXELS / (2 * max(variables, 1))), 8, SIDE))
