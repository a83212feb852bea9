"""Numbers that float32 does not hold are measured piece by piece: a large variable is never copied as a whole."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tb_weightwatch.capture.measure.grouped_statistics import variable_columns
from tb_weightwatch.statistics import NOT_OBSERVED, VariableStep, fast, reference
from tb_weightwatch.statistics.fast.exact_pieces import PIECE, exact_norm, exact_std

SIZE = 40 * PIECE + 3
NORMAL = np.random.default_rng(0).normal(0, 1, SIZE).astype(np.float32)
VALUES = {
    "NaN": np.where(np.arange(SIZE) == 7, np.float32(np.nan), NORMAL),
    "infinity": np.where(np.arange(SIZE) == SIZE - 1, np.float32(np.inf), NORMAL),
    "squares beyond float32": NORMAL * np.float32(1e30),
    "a variance that cancels": np.float32(1000) + NORMAL,
}


def fast_statistics(step: VariableStep) -> Any:
    with np.errstate(all="ignore"):
        return fast.variable_statistics(step)


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("measure", [fast_statistics, lambda step: variable_columns({"w": step}, {"w": 0})])
def test_a_large_variable_is_not_copied(measure: Callable[[VariableStep], Any], values: np.ndarray) -> None:
    """In a loop, in `fit` and in the summary functions."""
    step = VariableStep(values, NORMAL, values, NOT_OBSERVED)
    tracemalloc.start()
    try:
        measure(step)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < values.nbytes / 2


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_norm_and_spread_are_those_of_the_reference(values: np.ndarray) -> None:
    """NaN and infinity included."""
    whole = values.astype(np.float64)
    np.testing.assert_allclose(exact_norm(values), reference.norm(whole), rtol=1e-12)
    np.testing.assert_allclose(exact_std(values), reference.std(whole), rtol=1e-9)


def test_equal_elements_have_no_spread() -> None:
    """Exactly none, also over many pieces; and an empty array has none."""
    assert exact_std(np.full(SIZE, 0.1, np.float32)) == 0.0 == exact_std(np.zeros(0, np.float32))
