"""Scans along rows are what their definitions say, also where a mask holds always or never, and over several spans."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tb_weightwatch.diagnosis.signals import scans
from tb_weightwatch.diagnosis.signals.carry import Carry
from tb_weightwatch.diagnosis.signals.columns import select_columns


@st.composite
def masks(draw: st.DrawFn) -> np.ndarray:
    """`[T]` or `[T, V]` masks of which whole parts hold or do not hold."""
    shape = (draw(st.integers(0, 12)), *draw(st.sampled_from(((), (3,)))))
    mask = np.random.default_rng(draw(st.integers(0, 1 << 32))).random(shape) < draw(st.sampled_from((0.0, 0.5, 1.0)))
    start = draw(st.integers(0, 12))
    mask[start : start + draw(st.integers(0, 12))] = draw(st.booleans())
    return mask


def by_rows(mask: np.ndarray, unknown: np.ndarray) -> tuple[Any, Any, Any]:
    """Returns ever, count and streak, row by row."""
    ever, count, streak = np.zeros(mask.shape, bool), np.zeros(mask.shape, int), np.zeros(mask.shape, int)
    total, run = np.zeros(mask.shape[1:], int), np.zeros(mask.shape[1:], int)
    for i, row in enumerate(mask):
        total, run = total + row, np.where(row, run + 1, np.where(unknown[i], run, 0))
        ever[i], count[i], streak[i] = total > 0, total, run
    return ever, count, streak


@settings(deadline=None, max_examples=200)
@given(masks(), st.integers(1, 12), st.booleans())
def test_masks_are_scanned_as_row_by_row(mask: np.ndarray, span: int, with_unknown: bool) -> None:
    """Ever, count, total and streak agree with a loop over the rows, whatever the spans."""
    unknown = np.roll(mask, 1, axis=0) & with_unknown
    ever, count, streak = by_rows(mask, unknown)
    assert np.array_equal(scans.ever(mask), ever)
    assert np.array_equal(scans.counted(mask, np.int64), count)
    carry = Carry()
    for start in range(0, len(mask), span):
        rows = slice(start, start + span)
        carry.begin(start)
        assert np.array_equal(carry.ever(mask[rows]), ever[rows])
        assert np.array_equal(carry.total(mask[rows]), count[rows])
        assert np.array_equal(carry.streak(mask[rows], unknown[rows]), streak[rows])
        assert np.array_equal(carry.streak(mask[rows]), by_rows(mask, np.zeros_like(mask))[2][rows])


@pytest.mark.parametrize("positions", [np.array([2, 0]), np.array([True, False, True]), np.zeros(0, np.intp)])
def test_selected_columns_are_in_row_major_order(positions: np.ndarray) -> None:
    """Columns by position or mask, in the order in which sums over a row do not depend on the number of rows."""
    values = np.arange(12.0).reshape(4, 3)
    selected = select_columns(values, positions)
    assert np.array_equal(selected, values[:, positions])
    assert selected.flags.c_contiguous


@pytest.mark.parametrize("rows", [0, 1, 9])
def test_a_function_of_single_rows_is_called_with_rows_that_differ(rows: int) -> None:
    """A row like the one before it gets its result; NaN is like nothing."""
    values = np.array([[1, 2], [1, 2], [3, 2], [3, 2], [1, 2], [np.nan, 2], [np.nan, 2], [0, 0], [0, 0]])[:rows]
    called: list[int] = []

    def total(distinct: Any) -> Any:
        called.append(len(distinct))
        return distinct.sum(axis=1)

    np.testing.assert_array_equal(scans.by_distinct_row(total, values), values.sum(axis=1))
    assert called == [{0: 0, 1: 1, 9: 6}[rows]]
