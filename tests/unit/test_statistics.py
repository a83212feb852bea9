"""The statistics in numpy: the fast ones agree with the reference on any numbers, and both with known values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tb_weightwatch.statistics import (
    NOT_OBSERVED,
    VariableStep,
    change,
    fast,
    from_indexed_slices,
    loss_candidates,
    measurable,
    moving_statistic_numbers,
    names,
    reference,
)
from tb_weightwatch.statistics.fast import batches, exact_pieces, layers, variables
from tests.support.compared_statistics import (
    ACTIVATIONS,
    ANY_NUMBER,
    BATCH_NUMBER,
    COSINES,
    EQUAL_VALUES,
    FINITE,
    MOVES,
    OUTPUTS,
    SHAPE,
    TYPES,
    Numbers,
    agree,
    cast,
    few,
    largest_finite,
    reference_statistics,
)


def fast_statistics(gradient: Any, before: Any, after: Any, previous: Any = None) -> Numbers:
    sample = None if previous is None else fast.sample(previous, after)
    with np.errstate(all="ignore"):  # as the recorder calls it: overflow is expected, and seen to
        return fast.variable_statistics(VariableStep(gradient, before, after, NOT_OBSERVED, sample))


def fast_agrees(numbers: Numbers, expected: Numbers, *arrays: np.ndarray) -> None:
    agree(numbers, expected, largest_finite(*arrays), all(x.dtype == np.float64 for x in arrays), "")


# -- variables


@pytest.mark.parametrize("piece", [1 << 16, 8])
@pytest.mark.parametrize("dtype", TYPES)
@few
@given(st.data())
def test_variables_agree_with_the_reference(dtype: str, piece: int, data: st.DataObject) -> None:
    """On any numbers, in one piece or in several, alone or among other small variables, the quantities agree."""
    draw = lambda: cast(data.draw(arrays(np.float64, SHAPE, elements=ANY_NUMBER | FINITE)), dtype)  # noqa: E731
    gradient, before, other, previous = (draw() for _ in range(4))
    after = np.where(data.draw(arrays(bool, SHAPE)), before, other).astype(TYPES[dtype])
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(variables, "PIECE", piece)
        patch.setattr(exact_pieces, "PIECE", piece)
        expected = reference_statistics(gradient, before, after, previous)
        fast_agrees(fast_statistics(gradient, before, after, previous), expected, before, after)
        if dtype == "float64":
            return
        neighbour = VariableStep(np.ones_like(after), after, after, None, np.ones(after.size, np.float32))
        step = VariableStep(gradient, before, after, None, fast.sample(previous, after))
        together = fast.small_statistics([neighbour, step, neighbour])
        numbers = {name: float(values[1]) for name, values in together.items() if name != "raw_gradient_norm"}
        fast_agrees(numbers, expected, before, after)


@few
@given(arrays(np.float32, (300,), elements=st.floats(-3, 3, width=32)), st.sampled_from([1e-25, 1e-10, 1, 1e10, 1e25]))
def test_norms_hold_over_the_whole_range(values: np.ndarray, scale: float) -> None:
    """Where squares leave float32, or a variance cancels, the reference takes over."""
    x = (values * np.float32(scale)).astype(np.float32)
    for after in (x, x + np.float32(1e4 * scale)):
        with np.errstate(all="ignore"):
            fast_agrees(fast_statistics(after, x, after), reference_statistics(after, x, after), x, after)


@few
@given(st.lists(st.integers(0, 4), max_size=9), st.data())
def test_sparse_gradients_agree_with_their_sum(rows: list[int], data: st.DataObject) -> None:
    """Slices of the same row add up, and zeros are counted among the rows that occur."""
    values = data.draw(arrays(np.float32, (len(rows), 7), elements=st.sampled_from((0.0, 1.0, -2.0, 0.5))))
    before, previous = np.ones(SHAPE, np.float32), np.full(SHAPE, 2, np.float32)
    after = before + data.draw(arrays(np.float32, SHAPE, elements=st.sampled_from((0.0, 1.0))))
    gradient = np.zeros(SHAPE, np.float32)
    np.add.at(gradient, np.array(rows, int), values)
    expected = reference_statistics(gradient, before, after, previous)
    occurring = np.unique(rows).astype(int)
    expected["gradient_zero_share"] = float((gradient[occurring] == 0).mean()) if rows else 0.0
    numbers = fast_statistics(from_indexed_slices(values, np.array(rows, np.int64)), before, after, previous)
    fast_agrees(numbers, expected, before, after)


@pytest.mark.parametrize(("one", "other", "cosine"), COSINES)
def test_known_cosines(one: list[float], other: list[float], cosine: float) -> None:
    """Cosines are right at any scale; with zero, NaN or infinity there is none."""
    a, b, w = (np.array(x, np.float32) for x in (one, other, [1, 1]))
    with np.errstate(all="ignore"):
        for numbers in (fast_statistics(a, w, w, b), reference_statistics(a, w, w, b)):
            assert numbers["gradient_cosine"] == pytest.approx(cosine, abs=1e-6, nan_ok=True)


@pytest.mark.parametrize("gradient", [None, NOT_OBSERVED], ids=["none", "not observed"])
@pytest.mark.parametrize("with_before", [True, False], ids=["with before", "without"])
def test_unknown_quantities_are_left_out(gradient: Any, with_before: bool) -> None:
    """Without a gradient, or without the weight before the step, their quantities are missing."""
    w = np.arange(6, dtype=np.float32)
    for numbers in (fast_statistics(gradient, w if with_before else None, w),
                    reference_statistics(gradient, w if with_before else None, w)):  # fmt: skip
        assert ("gradient_none" in numbers) == (gradient is None)
        assert ("update_norm" in numbers) == with_before
        assert "gradient_norm" not in numbers


@pytest.mark.parametrize("dtype", [np.int32, np.complex64, bool])
def test_only_floats_are_measured(dtype: Any) -> None:
    """Integers, complex numbers and booleans have no such quantities."""
    w = np.ones(3, dtype)
    assert not measurable(w.dtype)
    assert fast_statistics(None, w, w) == reference_statistics(None, w, w) == {}


@pytest.mark.parametrize("dtype", TYPES)
def test_a_type_is_measurable_by_any_of_its_names(dtype: str) -> None:
    """A numpy type and its name are the same to `measurable`."""
    assert measurable(np.dtype(TYPES[dtype]))
    assert measurable(dtype)


@pytest.mark.parametrize(("value", "dtype"), EQUAL_VALUES)
def test_equal_elements_have_no_spread(value: float, dtype: str) -> None:
    """The standard deviation of equal elements is exactly 0, at any value."""
    w = np.full(1001, value, TYPES[dtype])
    for numbers in (fast_statistics(w, w, w), reference_statistics(w, w, w)):
        assert [numbers[n] for n in ("weight_std", "update_norm", "changed_share", "stuck_share")] == [0, 0, 0, 1]
        exact = abs(float(w.astype(np.float64)[0]))
        assert numbers["weight_norm"] == pytest.approx(exact * math.sqrt(1001), rel=3e-6)


@pytest.mark.parametrize("move", MOVES)
def test_whether_a_value_changed(move: str) -> None:
    """A value counts as changed exactly where it is another one; the smallest change has a size above 0."""
    before, after, changed = MOVES[move]
    old, new = (np.array([x, 1.0], np.float32) for x in (before, after))
    g = np.ones(2, np.float32)
    with np.errstate(all="ignore"):
        for numbers in (fast_statistics(g, old, new), reference_statistics(g, old, new)):
            assert (numbers["changed_share"], numbers["stuck_share"]) == (changed / 2, 1 - changed / 2)
            assert not changed or not (numbers["update_norm"] <= 0 or numbers["update_max"] <= 0)


@given(st.integers(0, 1 << 34))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_sample_is_small_and_meets_every_row(size: int) -> None:
    """The stride keeps at most 65,536 elements and shares no divisor with the size, so no row or column is favoured."""
    step = change.stride(size)
    assert -(-size // step) <= change.SAMPLE_SIZE
    assert size <= change.SAMPLE_SIZE or step >= size or math.gcd(step, size) == 1
    assert step <= 2 * max(1, -(-size // change.SAMPLE_SIZE)) + 100


# -- layers


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@few
@given(arrays(np.float64, (6, 2, 4), elements=OUTPUTS), arrays(bool, 4), st.sampled_from(ACTIVATIONS))
def test_layers_agree_with_the_reference(dtype: str, output: np.ndarray, dead: np.ndarray, activation: str) -> None:
    """On any outputs, in several pieces, the quantities and the mask of dead units agree."""
    output = cast(output, dtype)
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(layers, "PIECE", 8)
        numbers, mask = fast.layer_statistics(output, activation, dead)
        expected, expected_mask = reference.layer_statistics(output, activation, dead)
    agree(numbers, expected, largest_finite(output), dtype == "float64", activation)
    assert np.array_equal(mask, expected_mask)


def test_units_are_the_last_axis() -> None:
    """A unit of a convolution is dead if it is zero at all positions; once alive, it is never again always dead."""
    output = np.zeros((2, 3, 3, 4), np.float32)
    output[1, 2, 0, 1] = 1.0
    first, mask = fast.layer_statistics(output, "relu")
    second, _ = fast.layer_statistics(np.zeros_like(output), "relu", mask)
    assert first["dead_share"] == 0.75
    assert second["dead_share"] == 1
    assert second["always_dead_share"] == 0.75
    assert reference.layer_statistics(output, "relu")[0]["always_dead_share"] == 0.75


def test_a_layer_of_very_many_units() -> None:
    """A sample with more units than a piece has elements (a large vocabulary) is measured like any other."""
    output = np.random.default_rng(0).normal(3, 1, (2, exact_pieces.PIECE + 7)).astype(np.float32)
    numbers, _ = fast.layer_statistics(output, "relu")
    expected, _ = reference.layer_statistics(output, "relu")
    assert numbers == pytest.approx(expected, rel=1e-5)


# -- batches


@few
@given(
    arrays(np.float32, (6, 3), elements=BATCH_NUMBER),
    arrays(np.float32, (6, 2), elements=BATCH_NUMBER),
    arrays(np.float32, (6, 2), elements=st.floats(-2, 2, width=32)),
    st.booleans(),
)
def test_batches_agree_with_the_reference(x: np.ndarray, y: np.ndarray, p: np.ndarray, is_image: bool) -> None:
    """Large inputs (images of bytes, too), targets and predictions give the reference's numbers."""
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(batches, "SMALL", 0)
        patch.setattr(batches, "PIECE", 4)
        x = np.nan_to_num(np.abs(x)).astype(np.uint8) if is_image else x
        numbers, expected = fast.batch_statistics([x], [y], [p]), reference.batch_statistics(x, y, p)
    assert set(numbers) == set(expected)
    for name, value in expected.items():
        assert numbers[name] == pytest.approx(value, rel=1e-5, abs=1e-5, nan_ok=True), name


LOGGED_BY_OTHERS = ("total_gradient_norm", "validation_loss")


def test_every_quantity_of_the_table_is_measured() -> None:
    """The reference and the loss candidates know every quantity under its name, but those that only others log."""
    w = np.ones((4, 3), np.float32)
    variable = set(reference_statistics(w, w, w, w)) | set(reference.variable_statistics(w, w, w, raw_norm=2.0))
    variable |= set(moving_statistic_numbers(w, w))
    assert variable == set(names("variable"))
    layer = set(reference.layer_statistics(w, "relu")[0] | reference.layer_statistics(w, "tanh")[0])
    assert layer == set(names("layer"))
    batch = set(reference.batch_statistics(np.eye(4), np.eye(4), np.eye(4)))
    batch |= set(loss_candidates([np.eye(4)], [np.eye(4)]) | loss_candidates([np.ones(4)], [np.ones((4, 1))]))
    assert batch == set(names("run")) - {"loss", "learning_rate", "loss_scale", "iterations", *LOGGED_BY_OTHERS}


def test_a_moving_statistic_has_a_norm_and_a_change() -> None:
    """Both are l2 norms in float64; without the value before, there is no change, and NaN stays."""
    before, after = np.float32([3.0, 0.0]), np.float32([3.0, 4.0])
    assert moving_statistic_numbers(before, after) == {"statistic_norm": 5.0, "statistic_change": 4.0}
    assert moving_statistic_numbers(None, after) == {"statistic_norm": 5.0}
    assert np.isnan(moving_statistic_numbers(before, np.float32([np.nan, 1]))["statistic_change"])
