"""The statistics in TensorFlow, eager and in a graph, agree with the float64 reference on any numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tb_weightwatch.statistics import NOT_OBSERVED, QUANTITIES, device, measurable, names, reference
from tb_weightwatch.statistics.device import chunks
from tb_weightwatch.statistics.saturation import SATURATED
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

MODES = ("eager", "graph")


@cache
def compiled(function: Callable[..., Any], mode: str) -> Callable[..., Any]:
    """Returns the function in that mode; one for all tests, so that each shape is traced once."""
    if mode == "eager":
        return function
    return tf.function(function, autograph=False, reduce_retracing=False)


def ordered_numbers(gradient: Any, before: Any, after: Any, previous: Any = None) -> tuple[Any, Any]:
    previous_sample = None if previous is None else device.sample(previous, after)
    before, after = (x if x is None else tf.convert_to_tensor(x) for x in (before, after))
    numbers = device.change_numbers(gradient, before, after) if measurable(after.dtype) else {}
    if previous_sample is not None and "gradient_norm" in numbers:
        numbers["gradient_cosine"] = device.cosine(previous_sample, device.sample(gradient, after))
    values, known = device.in_order(numbers, "variable")
    return values, tf.constant(known)


def without_previous(gradient: Any, before: Any, after: Any) -> tuple[Any, Any]:
    return ordered_numbers(gradient, before, after)


def by_name(values_and_known: tuple[Any, Any], axis: str) -> Numbers:
    values, known = (np.asarray(x) for x in values_and_known)
    assert np.isnan(values[~known]).all()
    return {n: float(v) for n, v, k in zip(names(axis), values, known, strict=True) if k}


def device_statistics(mode: str, gradient: Any, before: Any, after: Any, previous: Any = None) -> Numbers:
    arguments = (gradient, before, after) if previous is None else (gradient, before, after, previous)
    tensors = [x if isinstance(x, tf.IndexedSlices) else tf.constant(x) for x in arguments]
    return by_name(compiled(without_previous if previous is None else ordered_numbers, mode)(*tensors), "variable")


# -- variables


@pytest.mark.parametrize("dtype", TYPES)
@few
@given(st.data())
def test_variables_agree_with_the_reference(dtype: str, data: st.DataObject) -> None:
    """On any numbers the quantities of a variable are those of the reference, in both modes."""
    draw = lambda: cast(data.draw(arrays(np.float64, SHAPE, elements=ANY_NUMBER)), dtype)  # noqa: E731
    gradient, before, other = (draw() for _ in range(3))
    after = np.where(data.draw(arrays(bool, SHAPE)), before, other).astype(TYPES[dtype])
    expected = reference_statistics(gradient, before, after)
    for mode in MODES:
        numbers = device_statistics(mode, gradient, before, after)
        agree(numbers, expected, largest_finite(before, after), dtype == "float64", mode)


@few
@given(*(arrays(np.float64, SHAPE, elements=FINITE) for _ in range(2)))
def test_cosines_agree_with_the_reference(one: np.ndarray, other: np.ndarray) -> None:
    """The cosine of successive gradients is the reference's from 1e-30 to 1e30."""
    one, other = cast(one, "float32"), cast(other, "float32")
    weight = np.ones(SHAPE, np.float32)
    expected = reference_statistics(one, weight, weight, other)
    for mode in MODES:
        agree(device_statistics(mode, one, weight, weight, other), expected, 1.0, False, mode)


@pytest.mark.parametrize(("one", "other", "cosine"), COSINES)
def test_known_cosines(one: list[float], other: list[float], cosine: float) -> None:
    """Cosines are right at any scale; with zero, NaN or infinity there is none."""
    a, b, w = (np.array(x, np.float32) for x in (one, other, [1, 1]))
    assert device_statistics("eager", a, w, w, b)["gradient_cosine"] == pytest.approx(cosine, abs=1e-6, nan_ok=True)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (0, 3), (3, 0)], ids=str)
def test_scalars_and_empty_weights(shape: tuple[int, ...], mode: str) -> None:
    """A scalar, a single element and an empty weight give what the reference gives, and no share is NaN."""
    gradient, before = np.full(shape, 0.5, np.float32), np.full(shape, 2.0, np.float32)
    after = before - gradient
    numbers = device_statistics(mode, gradient, before, after)
    agree(numbers, reference_statistics(gradient, before, after), 2.0, False, mode)
    assert not any(math.isnan(v) for v in numbers.values())
    assert numbers["changed_share"] == (1 if after.size else 0)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@few
@given(
    arrays(np.int64, 6, elements=st.integers(0, 4)),
    arrays(np.float64, (6, 2), elements=st.sampled_from([0.0, 1.0, -1.0, 2.0, np.nan, np.inf])),
    arrays(bool, (5, 2)),
)
def test_sparse_gradients_agree_with_their_sum(dtype: str, rows: np.ndarray, values: np.ndarray, still: Any) -> None:
    """IndexedSlices count as the dense gradient they add up to; zeros are counted among the rows that occur."""
    values, before = cast(values, dtype), cast(np.ones((5, 2)), dtype)
    after = np.where(still, before, before + before).astype(before.dtype)
    gradient = np.zeros((5, 2))
    with np.errstate(invalid="ignore"):
        np.add.at(gradient, rows, values.astype(np.float64))
    expected = reference_statistics(cast(gradient, dtype), before, after)
    expected["gradient_zero_share"] = float((gradient[np.unique(rows)] == 0).mean())
    for mode in MODES:
        slices = tf.IndexedSlices(tf.constant(values), tf.constant(rows), tf.constant([5, 2], tf.int64))
        agree(device_statistics(mode, slices, before, after), expected, 2.0, False, mode)


def test_an_empty_sparse_gradient() -> None:
    """IndexedSlices without a row are a gradient of zeros, and all shares are 0."""
    w = np.ones((5, 2), np.float32)
    slices = tf.IndexedSlices(tf.zeros([0, 2]), tf.zeros([0], tf.int32), tf.constant([5, 2]))
    for mode in MODES:
        numbers = device_statistics(mode, slices, w, w)
        assert [numbers[n] for n in ("gradient_norm", "gradient_zero_share", "stuck_share")] == [0, 0, 0]


@pytest.mark.parametrize("gradient", [None, NOT_OBSERVED], ids=["none", "not observed"])
@pytest.mark.parametrize("with_before", [True, False], ids=["with before", "without"])
def test_unknown_quantities_are_left_out(gradient: Any, with_before: bool) -> None:
    """Without a gradient, or without the weight before the step, the same is missing as from the reference."""
    w = np.arange(6, dtype=np.float32)
    before = w if with_before else None
    numbers = by_name(ordered_numbers(gradient, before, w), "variable")
    agree(numbers, reference_statistics(gradient, before, w), 5.0, False, "")
    assert ("gradient_none" in numbers) == (gradient is None)
    assert ("update_norm" in numbers) == with_before


@pytest.mark.parametrize("dtype", [np.int32, np.complex64, bool])
def test_only_floats_are_measured(dtype: Any) -> None:
    """Integers, complex numbers and booleans have no such quantities."""
    w = np.ones(3, dtype)
    assert not measurable(tf.as_dtype(dtype))
    assert by_name(ordered_numbers(None, w, w), "variable") == {}


@pytest.mark.parametrize("dtype", TYPES)
def test_tensorflow_s_types_are_measurable(dtype: str) -> None:
    """`measurable` knows the floating-point types of TensorFlow as well as numpy's."""
    assert measurable(tf.as_dtype(dtype))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [49, 98, 103])
def test_a_share_of_all_is_exactly_1(size: int, mode: str) -> None:
    """That holds where the size times its rounded inverse is not 1, too."""
    w = np.ones(size, np.float32)
    numbers = device_statistics(mode, w, w, w * 2)
    assert [numbers[n] for n in ("changed_share", "stuck_share", "gradient_zero_share")] == [1, 0, 0]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("value", "dtype"), EQUAL_VALUES)
def test_equal_elements_have_no_spread(value: float, dtype: str, mode: str) -> None:
    """The standard deviation of equal elements is exactly 0, at any value."""
    w = np.full(1001, value, TYPES[dtype])
    numbers = device_statistics(mode, w, w, w)
    assert [numbers[n] for n in ("weight_std", "update_norm", "changed_share", "stuck_share")] == [0, 0, 0, 1]
    exact = abs(float(w.astype(np.float64)[0]))
    assert numbers["weight_norm"] == pytest.approx(exact * math.sqrt(1001), rel=3e-6)


@pytest.mark.parametrize("mode", MODES)
def test_an_outlier_in_the_first_place_hides_no_spread(mode: str) -> None:
    """The standard deviation is right where the first element, around which sums are taken, is far from all others."""
    w = np.random.default_rng(0).normal(0, 0.01, 300_000).astype(np.float32)
    w[0] = 1000.0
    assert device_statistics(mode, w, w, w)["weight_std"] == pytest.approx(w.astype(np.float64).std(), rel=1e-3)


@pytest.mark.parametrize("mode", MODES)
def test_long_sums_do_not_stall(mode: str) -> None:
    """With more than 2**24 elements, where float32 can no longer count, counts are exact and norms right."""
    n = (1 << 24) + 5
    g = np.ones(n, np.float32)
    g[7] = 0

    def numbers(gradient: Any) -> tuple[Any, Any, Any]:
        by_quantity = device.gradient_numbers(gradient, None, None)
        return tuple(by_quantity[f"gradient_{name}"] for name in ("zero_share", "norm", "nonfinite"))

    zero_share, norm, nonfinite = (float(x) for x in compiled(numbers, mode)(tf.constant(g)))
    assert zero_share == 1 / n
    assert nonfinite == 0
    assert norm == pytest.approx(math.sqrt(n - 1), rel=1e-4)


@pytest.mark.parametrize("move", MOVES)
def test_whether_a_value_changed(move: str) -> None:
    """A value counts as changed exactly where it is another one; the smallest change has a size above 0."""
    before, after, changed = MOVES[move]
    old, new = (np.array([x, 1.0], np.float32) for x in (before, after))
    for mode in MODES:
        numbers = device_statistics(mode, np.ones(2, np.float32), old, new)
        assert (numbers["changed_share"], numbers["stuck_share"]) == (changed / 2, 1 - changed / 2)
        assert not changed or not (numbers["update_norm"] <= 0 or numbers["update_max"] <= 0)


# -- chunks and rows


def in_small_chunks(mode: str, chunk_size: int, *arguments: Any) -> Numbers:
    """Returns what `device_statistics` does with chunks of `chunk_size` elements; traced anew."""
    before = chunks.CHUNK_SIZE
    chunks.CHUNK_SIZE = chunk_size
    try:
        tensors = [x if isinstance(x, tf.IndexedSlices) else tf.constant(x) for x in arguments]
        function = ordered_numbers if mode == "eager" else tf.function(ordered_numbers)
        return by_name(function(*tensors), "variable")
    finally:
        chunks.CHUNK_SIZE = before


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", TYPES)
def test_chunks_are_merged_into_the_whole(dtype: str, mode: str) -> None:
    """Measured in chunks, with a remainder or without, the numbers are the reference's, whatever chunk holds what."""
    rng = np.random.default_rng(0)
    gradient, before, after = (cast(rng.normal(0.5, 1, SHAPE), dtype) for _ in range(3))
    nonfinite, equal, huge = after.copy(), np.full(SHAPE, 0.1, after.dtype), after.copy()
    nonfinite[0, 3], nonfinite[4, 6] = np.nan, np.inf
    huge[1], huge[3] = (6e4, 1e-7) if dtype == "float16" else (1e38, 1e-30)
    after[1] = before[1]
    gradient[0], gradient[2, 2] = 0, np.inf
    for new, chunk_size in ((after, 8), (nonfinite, 7), (equal, 8), (huge, 8)):
        numbers = in_small_chunks(mode, chunk_size, gradient, before, new, after)
        expected = reference_statistics(gradient, before, new, after)
        agree(numbers, expected, largest_finite(before, new), dtype == "float64", mode)
    assert in_small_chunks(mode, 8, gradient, equal, equal)["weight_std"] == 0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rows", [[3, 0, 3, 4, 3], [2], [0, 1, 2, 3, 4, 0], []], ids=str)
def test_rows_of_a_large_table_agree_with_their_sum(rows: list[int], mode: str) -> None:
    """IndexedSlices of a variable that is larger than a chunk are measured by their rows, to the same numbers."""
    rng = np.random.default_rng(0)
    values = rng.integers(-1, 2, (len(rows), 7)).astype(np.float32)
    before = rng.normal(size=SHAPE).astype(np.float32)
    after, gradient = before.copy(), np.zeros(SHAPE, np.float32)
    np.add.at(gradient, np.array(rows, int), values)
    after[3] += 1
    previous = rng.normal(size=SHAPE).astype(np.float32)
    expected = reference_statistics(gradient, before, after, previous)
    occurring = np.unique(rows).astype(int)
    expected["gradient_zero_share"] = float((gradient[occurring] == 0).mean()) if rows else 0.0
    slices = tf.IndexedSlices(tf.constant(values), tf.constant(rows, tf.int64), tf.constant([5, 7], tf.int64))
    agree(in_small_chunks(mode, 8, slices, before, after, previous), expected, 3.0, False, mode)


# -- layers


def layer_numbers(output: Any, dead: Any, activation: str) -> tuple[Any, Any, Any]:
    mask = device.dead_units(output) & dead
    values, known = device.in_order(device.layer_numbers(output, activation, mask), "layer")
    return values, tf.constant(known), mask


@cache
def layer_function(activation: str) -> Callable[..., Any]:
    return lambda output, dead: layer_numbers(output, dead, activation)


def check_layer(mode: str, output: np.ndarray, dead: np.ndarray, activation: str) -> None:
    values, known, mask = compiled(layer_function(activation), mode)(tf.constant(output), tf.constant(dead))
    expected, expected_mask = reference.layer_statistics(output, activation, dead)
    exact = output.dtype == np.float64
    agree(by_name((values, known), "layer"), expected, largest_finite(output), exact, f"{mode} {activation}")
    assert np.array_equal(np.asarray(mask), expected_mask)


@pytest.mark.parametrize("dtype", TYPES)
@few
@given(arrays(np.float64, (6, 4), elements=OUTPUTS), arrays(bool, 4), st.sampled_from(ACTIVATIONS))
def test_layers_agree_with_the_reference(dtype: str, output: np.ndarray, dead: np.ndarray, activation: str) -> None:
    """On any outputs the quantities of a layer and the mask of dead units are those of the reference."""
    check_layer("eager", cast(output, dtype), dead, activation)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "log_sigmoid"])
@few
@given(arrays(np.float64, (6, 4), elements=OUTPUTS), arrays(bool, 4))
def test_layers_agree_in_a_graph(activation: str, output: np.ndarray, dead: np.ndarray) -> None:
    """In a graph they agree as well: a number that TensorFlow flushes to zero is not counted as zero."""
    check_layer("graph", cast(output, "float32"), dead, activation)


def test_units_are_the_last_axis() -> None:
    """A unit of a convolution is dead if it is zero for every sample and position."""
    output = np.zeros((2, 3, 3, 4), np.float32)
    output[1, 2, 0, 1] = 1.0
    assert device.dead_units(tf.constant(output)).numpy().tolist() == [True, False, True, True]


@pytest.mark.parametrize("activation", sorted(SATURATED.keys() - {"softmax"}))
def test_saturation_is_where_the_derivative_is_small(activation: str) -> None:
    """The table of outputs agrees with the derivative that TensorFlow computes: below 1 % of its largest.

    softmax is left out: it has several inputs, and y (1 - y), its own diagonal, is the sigmoid's.
    """
    x = tf.constant(np.linspace(-40, 40, 8000), tf.float64)  # meets no corner
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = getattr(keras.activations, activation)(x)
    slope = np.abs(tape.gradient(y, x).numpy())
    low, high = SATURATED[activation]
    saturated = (y.numpy() <= low) | (y.numpy() >= high)
    assert (saturated >= (slope < 0.0099 * slope.max())).all()
    assert (saturated <= (slope < 0.0101 * slope.max())).all()


# -- batches


def batch_numbers(x: Any, y: Any, p: Any) -> dict[str, Any]:
    return device.batch_numbers(x, y, p)


def check_batch(mode: str, x: Any, y: Any, p: Any) -> None:
    numbers = {k: float(v) for k, v in compiled(batch_numbers, mode)(x, y, p).items()}
    expected = reference.batch_statistics(x, y, p)
    for name in {*numbers, *expected}:
        value, wanted = numbers.get(name, math.nan), expected.get(name, math.nan)
        if QUANTITIES[name].encoding in ("share", "count"):
            assert value == pytest.approx(wanted, rel=3e-16, abs=0, nan_ok=True), (mode, name)
            assert (value in (0, 1)) == (wanted in (0, 1)), (mode, name)
        elif not math.isfinite(wanted):
            assert not math.isfinite(value), (mode, name, value, wanted)
        else:
            # Sums of 1e38 next to 1: as exact as float64 sums in another order are.
            slack = 1e-9 * max(expected.get(f"{name.split('_')[0]}_max", 0.0), abs(wanted), 1e-30)
            assert value == pytest.approx(wanted, rel=1e-9, abs=slack), (mode, name)


@few
@given(
    arrays(np.float32, (6, 3), elements=BATCH_NUMBER),
    arrays(np.float32, (6, 2), elements=BATCH_NUMBER),
    arrays(np.float32, (6, 2), elements=BATCH_NUMBER),
)
def test_batches_agree_with_the_reference(x: np.ndarray, y: np.ndarray, p: np.ndarray) -> None:
    """On any data the quantities of inputs, targets and predictions are those of the reference, in both modes."""
    for mode in MODES:
        check_batch(mode, x, y, p)


def test_batches_of_other_kinds() -> None:
    """Token ids, images, class ids, nested inputs, single samples and empty batches agree as well."""
    ids, labels = np.arange(12, dtype=np.int64).reshape(4, 3), np.array([0, 1, 2, 1])
    image = np.arange(32, dtype=np.uint8).reshape(4, 2, 2, 2)
    probabilities = np.full((4, 3), 1 / 3, np.float32)
    cases = [
        (ids, labels, probabilities),
        (image, labels, probabilities),
        ({"a": image, "b": ids}, labels[:, None], probabilities),
        (np.ones((1, 3), np.float32), np.ones((1, 1), np.float32), np.ones((1, 1), np.float32)),
        (np.ones((4, 3), np.float32), np.eye(4, dtype=np.float32), np.ones(4, np.float32)),
    ]
    for case in cases:
        for mode in MODES:
            check_batch(mode, *(tf.nest.map_structure(tf.constant, x) if mode == "graph" else x for x in case))
