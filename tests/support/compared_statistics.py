"""Compares statistics with those of the float64 reference, and the odd numbers to compare them on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st

from tb_weightwatch.statistics import QUANTITIES, reference
from tb_weightwatch.statistics.saturation import BLOCKED, SATURATED

Numbers = dict[str, float]
TYPES = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16, "float32": np.float32, "float64": np.float64}
LEAST = 2.0**-149  # columns store nothing smaller
SHAPE = (5, 7)
ODD = (0.0, -0.0, np.nan, np.inf, -np.inf, 1e-45, -3e-39, 1e-30, -1e-30, 1e30, 1.0, -1.0, 0.1, 6e-8, 65504.0)
ANY_NUMBER = st.one_of(st.sampled_from(ODD), st.floats(-10, 10), st.floats(-3e38, 3e38))
FINITE = st.one_of(
    st.sampled_from((0.0, 1e-30, -1e-30, 1e30, 1.0, -1.0)), st.floats(-10, 10).map(lambda x: round(x, 3))
)
BATCH_NUMBER = st.one_of(
    st.sampled_from((0.0, np.nan, np.inf, -np.inf, 1.0, 255.0, 0.5)), st.integers(-20, 20).map(float)
)
ACTIVATIONS = ("", "linear", *sorted({*SATURATED, *BLOCKED}))
ENDS = sorted({b for table in (SATURATED, BLOCKED) for bounds in table.values() for b in bounds if not math.isnan(b)})
OUTPUTS = st.one_of(st.sampled_from((*ODD, *ENDS)), st.floats(-8, 8))
# The examples are small enough to read as they are; shrinking them takes minutes.
few = settings(max_examples=25, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])


def cast(values: np.ndarray, dtype: str) -> np.ndarray:
    """Returns the values in a type of `TYPES`; what it cannot hold becomes infinite or zero."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return values.astype(TYPES[dtype])


def reference_statistics(gradient: Any, before: Any, after: Any, previous: Any = None) -> Numbers:
    """Returns the reference's quantities of a variable; `previous` is the gradient of the step before."""
    sample = None if previous is None else reference.sample(previous)
    return reference.variable_statistics(gradient, before, after, previous_sample=sample)


def agree(numbers: Mapping[str, float], expected: Mapping[str, float], scale: float, exact: bool, note: str) -> None:
    """Asserts that quantities agree: counts and shares to the bit, sizes to the rounding of the type.

    Args:
        numbers: by name.
        expected: the reference's.
        scale: largest magnitude of the data.
        exact: they were computed in float64.
        note: begins each message.
    """
    assert set(numbers) == set(expected), note
    for name, value in numbers.items():
        wanted, where = expected[name], f"{note}: {name} is {value}, expected {expected[name]}"
        kind = QUANTITIES[name].encoding
        if kind == "share":
            # A graph divides by multiplying with the inverse: the last bit may differ, but never at the ends.
            assert value == pytest.approx(wanted, rel=3e-16, abs=0), where
            assert (value in (0, 1)) == (wanted in (0, 1)), where
        elif kind in ("count", "flag"):
            assert value == wanted, where
        elif not math.isfinite(wanted) and name.endswith(("_mean", "_std")):
            assert not math.isfinite(value), where
        elif math.isnan(wanted) or wanted == 0:
            assert (math.isnan(value) and math.isnan(wanted)) or abs(value - wanted) <= 1e-6 * scale, where
        elif name in ("gradient_cosine", "output_mean") or name.endswith("_std"):
            # A variance is the difference of two float32 sums, which cancels down to a few per cent of the magnitude.
            slack = (1e-12 if exact else 1e-5) * (1.0 if "cosine" in name else scale) + 2.0**-126
            assert abs(value - wanted) <= (1e-5 if "cosine" in name else slack), where
        elif wanted > 3.4e38 and not exact:  # a difference that float32 cannot hold
            assert value > 3.4e38, where
        elif wanted < 1e-36:  # TensorFlow flushes subnormal numbers, but a size above zero stays above zero
            assert min(LEAST, wanted) <= value <= max(wanted * 1.001, LEAST), where
        else:
            assert value == pytest.approx(wanted, rel=1e-12 if exact else 3e-6), where


def largest_finite(*arrays: np.ndarray) -> float:
    """Returns the largest finite magnitude in the arrays."""
    return float(max(np.abs(v[np.isfinite(v)]).max(initial=0) for v in (x.astype(np.float64) for x in arrays)))


# What happens to a value, and whether it counts as changed.
MOVES = {
    "nothing": (1.0, 1.0, 0),
    "one unit in the last place": (1.0, float(np.nextafter(np.float32(1), np.float32(2))), 1),
    "zero's sign": (0.0, -0.0, 0),
    "NaN to NaN": (math.nan, math.nan, 0),
    "to NaN": (1.0, math.nan, 1),
    "from NaN": (math.nan, 1.0, 1),
    "to infinity": (1.0, math.inf, 1),
    "infinity stays": (math.inf, math.inf, 0),
    "infinity changes its sign": (math.inf, -math.inf, 1),
    "the smallest number there is": (0.0, LEAST, 1),
    "between subnormal numbers": (LEAST, 2 * LEAST, 1),
    "to zero from a subnormal number": (LEAST, 0.0, 1),
}
# Two gradients, and their cosine worked out by hand.
COSINES = [
    ([1.0, 2.0], [1e-30, 2e-30], 1.0),
    ([1e30, 2e30], [-1e-30, -2e-30], -1.0),
    ([1.0, 0.0], [0.0, 1.0], 0.0),
    ([0.0, 0.0], [0.0, 1.0], math.nan),
    ([math.nan, 1.0], [0.0, 1.0], math.nan),
    ([math.inf, 1.0], [0.0, 1.0], math.nan),
]
EQUAL_VALUES = [
    (0.1, "float32"), (1e-30, "float32"), (-3e30, "float32"), (0.1, "bfloat16"), (0.1, "float16"), (0.1, "float64"),
]  # fmt: skip
