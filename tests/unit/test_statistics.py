"""The table's functions: quick numpy and TensorFlow (eager, in a graph) against the reference, with odd numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tb_weightwatch.statistics import (
    NOT_OBSERVED,
    QUANTITIES,
    VariableStep,
    change,
    fast,
    fast_batch,
    from_indexed_slices,
    names,
    reference,
)
from tb_weightwatch.statistics.device import batches, chunks, variables
from tb_weightwatch.statistics.loss_candidates import loss_candidates
from tb_weightwatch.statistics.saturation import BLOCKED, SATURATED

Numbers = dict[str, float]
MODES = ("eager", "graph")
TYPES = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16, "float32": np.float32, "float64": np.float64}
LEAST = 2.0**-149  # columns keep nothing smaller
SHAPE = (5, 7)
ODD = (0.0, -0.0, np.nan, np.inf, -np.inf, 1e-45, -3e-39, 1e-30, -1e-30, 1e30, 1.0, -1.0, 0.1, 6e-8, 65504.0)
ELEMENTS = st.one_of(st.sampled_from(ODD), st.floats(-10, 10), st.floats(-3e38, 3e38))
CALM = st.one_of(st.sampled_from((0.0, 1e-30, -1e-30, 1e30, 1.0, -1.0)), st.floats(-10, 10).map(lambda x: round(x, 3)))
# Found examples are small enough to read; shrinking them takes minutes.
few = settings(max_examples=25, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])


def cast(values: np.ndarray, dtype: str) -> np.ndarray:
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return values.astype(TYPES[dtype])


@cache
def compiled(function: Callable[..., Any], mode: str) -> Callable[..., Any]:
    """The function in that mode; one for all tests, so that each shape is compiled once."""
    if mode == "eager":
        return function
    return tf.function(function, autograph=False, reduce_retracing=False)


def of_variable(gradient: Any, before: Any, after: Any, previous: Any = None) -> tuple[Any, Any]:
    sketch = None if previous is None else variables.sketch(previous, after)
    before, after = (x if x is None else tf.convert_to_tensor(x) for x in (before, after))
    numbers = variables.change_numbers(gradient, before, after) if variables.measurable(after.dtype) else {}
    if sketch is not None and "gradient_norm" in numbers:
        numbers["gradient_cosine"] = variables.cosine(sketch, variables.sketch(gradient, after))
    values, known = variables.in_order(numbers, "variable")
    return values, tf.constant(known)


def dense_only(gradient: Any, before: Any, after: Any) -> tuple[Any, Any]:
    return of_variable(gradient, before, after)


def named(found: tuple[Any, Any], axis: str) -> Numbers:
    values, known = (np.asarray(x) for x in found)
    assert np.isnan(values[~known]).all()
    return {n: float(v) for n, v, k in zip(names(axis), values, known, strict=True) if k}


def in_tensorflow(mode: str, gradient: Any, before: Any, after: Any, previous: Any = None) -> Numbers:
    given = (gradient, before, after) if previous is None else (gradient, before, after, previous)
    tensors = [x if isinstance(x, tf.IndexedSlices) else tf.constant(x) for x in given]
    return named(compiled(dense_only if previous is None else of_variable, mode)(*tensors), "variable")


def in_numpy(gradient: Any, before: Any, after: Any, previous: Any = None) -> Numbers:
    sketch = None if previous is None else reference.sketch(previous)
    return reference.variable_statistics(gradient, before, after, previous_sketch=sketch)


def agree(found: Mapping[str, float], expected: Mapping[str, float], scale: float, exact: bool, note: str) -> None:
    """Counts and shares to the bit; sizes to the rounding of the type; what is odd stays odd."""
    assert set(found) == set(expected), note
    for name, value in found.items():
        wanted, where = expected[name], f"{note}: {name} is {value}, expected {expected[name]}"
        kind = QUANTITIES[name].encoding
        if (
            kind == "share"
        ):  # a graph divides by multiplying with the inverse: the last bit may differ, never at the ends
            assert value == pytest.approx(wanted, rel=3e-16, abs=0), where
            assert (value in (0, 1)) == (wanted in (0, 1)), where
        elif kind in ("count", "flag"):
            assert value == wanted, where
        elif not math.isfinite(wanted) and name.endswith(("_mean", "_std")):
            assert not math.isfinite(value), where
        elif math.isnan(wanted) or wanted == 0:
            assert (math.isnan(value) and math.isnan(wanted)) or abs(value - wanted) <= 1e-6 * scale, where
        elif name in ("gradient_cosine", "output_mean") or name.endswith("_std"):
            slack = (1e-12 if exact else 3e-6) * (1.0 if "cosine" in name else scale) + 2.0**-126
            assert abs(value - wanted) <= (1e-5 if "cosine" in name else slack), where
        elif wanted > 3.4e38 and not exact:  # a difference that float32 can't hold
            assert value > 3.4e38, where
        elif wanted < 1e-36:  # TensorFlow flushes what is subnormal, but never to "nothing at all"
            assert min(LEAST, wanted) <= value <= max(wanted * 1.001, LEAST), where
        else:
            assert value == pytest.approx(wanted, rel=1e-12 if exact else 3e-6), where


def size_of(*values: np.ndarray) -> float:
    finite = [np.abs(v[np.isfinite(v)]).max(initial=0) for v in (x.astype(np.float64) for x in values)]
    return float(max(finite))


@pytest.mark.parametrize("dtype", TYPES)
@few
@given(st.data())
def test_variables_agree_with_the_reference(dtype: str, data: st.DataObject) -> None:
    """Whatever the numbers, a variable's quantities are those of the reference in all three modes."""
    gradient, before, other = (cast(data.draw(arrays(np.float64, SHAPE, elements=ELEMENTS)), dtype) for _ in range(3))
    after = np.where(data.draw(arrays(bool, SHAPE)), before, other).astype(TYPES[dtype])
    expected = in_numpy(gradient, before, after)
    for mode in MODES:
        found = in_tensorflow(mode, gradient, before, after)
        agree(found, expected, size_of(before, after), dtype == "float64", mode)


@few
@given(*(arrays(np.float64, SHAPE, elements=CALM) for _ in range(2)))
def test_directions_agree_with_the_reference(one: np.ndarray, other: np.ndarray) -> None:
    """The cosine of successive gradients is the reference's from 1e-30 to 1e30."""
    one, other = cast(one, "float32"), cast(other, "float32")
    weight = np.ones(SHAPE, np.float32)
    expected = in_numpy(one, weight, weight, other)
    for mode in MODES:
        agree(in_tensorflow(mode, one, weight, weight, other), expected, 1.0, False, mode)


@pytest.mark.parametrize(
    ("one", "other", "cosine"),
    [
        ([1.0, 2.0], [1e-30, 2e-30], 1.0),
        ([1e30, 2e30], [-1e-30, -2e-30], -1.0),
        ([1.0, 0.0], [0.0, 1.0], 0.0),
        ([0.0, 0.0], [0.0, 1.0], math.nan),
        ([math.nan, 1.0], [0.0, 1.0], math.nan),
        ([math.inf, 1.0], [0.0, 1.0], math.nan),
    ],
)
def test_directions_that_are_known(one: list[float], other: list[float], cosine: float) -> None:
    """Cosines that can be told by hand, at any scale; there is none with zero, NaN or infinity."""
    a, b, w = (np.array(x, np.float32) for x in (one, other, [1, 1]))
    for found in (in_tensorflow("eager", a, w, w, b), in_numpy(a, w, w, b)):
        assert found["gradient_cosine"] == pytest.approx(cosine, abs=1e-6, nan_ok=True)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (0, 3), (3, 0)], ids=str)
def test_scalars_and_nothing(shape: tuple[int, ...], mode: str) -> None:
    """A scalar, a single element and an empty weight give what the reference gives; no share of nothing is NaN."""
    gradient, before = np.full(shape, 0.5, np.float32), np.full(shape, 2.0, np.float32)
    after = before - gradient
    found = in_tensorflow(mode, gradient, before, after)
    agree(found, in_numpy(gradient, before, after), 2.0, False, mode)
    assert not any(math.isnan(v) for v in found.values())
    assert found["changed_share"] == (1 if after.size else 0)


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
    dense = np.zeros((5, 2))
    with np.errstate(invalid="ignore"):
        np.add.at(dense, rows, values.astype(np.float64))
    expected = in_numpy(cast(dense, dtype), before, after)
    seen = np.unique(rows)
    expected["gradient_zero_share"] = float((dense[seen] == 0).mean())
    for mode in MODES:
        slices = tf.IndexedSlices(tf.constant(values), tf.constant(rows), tf.constant([5, 2], tf.int64))
        agree(in_tensorflow(mode, slices, before, after), expected, 2.0, False, mode)


def test_an_empty_sparse_gradient() -> None:
    """IndexedSlices without a row are a gradient of zeros, of which nothing can be told in shares."""
    w = np.ones((5, 2), np.float32)
    slices = tf.IndexedSlices(tf.zeros([0, 2]), tf.zeros([0], tf.int32), tf.constant([5, 2]))
    for mode in MODES:
        found = in_tensorflow(mode, slices, w, w)
        assert (found["gradient_norm"], found["gradient_zero_share"], found["stuck_share"]) == (0, 0, 0)


@pytest.mark.parametrize("gradient", [None, NOT_OBSERVED], ids=["none", "unseen"])
@pytest.mark.parametrize("whole", [True, False], ids=["with a before", "without"])
def test_what_is_not_known_is_left_out(gradient: Any, whole: bool) -> None:
    """No gradient, one that was not seen, and a weight whose past was not: both halves know the same."""
    w = np.arange(6, dtype=np.float32)
    before = w if whole else None
    found = named(of_variable(gradient, before, w), "variable")
    agree(found, in_numpy(gradient, before, w), 5.0, False, "")
    assert ("gradient_none" in found) == (gradient is None)
    assert ("update_norm" in found) == whole


@pytest.mark.parametrize("dtype", [np.int32, np.complex64, bool])
def test_what_is_no_float_is_not_measured(dtype: Any) -> None:
    """Integers, complex numbers and booleans have no such quantities."""
    w = np.ones(3, dtype)
    assert named(of_variable(None, w, w), "variable") == in_numpy(None, w, w) == {}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [49, 98, 103])
def test_all_is_exactly_all(size: int, mode: str) -> None:
    """A share of all is exactly 1, also where size times the rounded inverse of size is not."""
    w = np.ones(size, np.float32)
    found = in_tensorflow(mode, w, w, w * 2)
    assert (found["changed_share"], found["stuck_share"], found["gradient_zero_share"]) == (1, 0, 0)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("value", "dtype"),
    [(0.1, "float32"), (1e-30, "float32"), (-3e30, "float32"), (0.1, "bfloat16"), (0.1, "float16"), (0.1, "float64")],
)
def test_equal_elements_have_no_spread(value: float, dtype: str, mode: str) -> None:
    """A weight whose elements are all equal has a standard deviation of exactly 0, whatever the value."""
    w = np.full(1001, value, TYPES[dtype])
    for found in (in_tensorflow(mode, w, w, w), in_numpy(w, w, w)):
        assert (found["weight_std"], found["update_norm"], found["changed_share"], found["stuck_share"]) == (0, 0, 0, 1)
        exact = abs(float(w.astype(np.float64)[0]))
        assert found["weight_norm"] == pytest.approx(exact * math.sqrt(1001), rel=3e-6)


@pytest.mark.parametrize("mode", MODES)
def test_an_outlier_in_the_first_place_takes_no_spread_away(mode: str) -> None:
    """The spread is right where the first element, around which sums are taken, is far off all others."""
    w = np.random.default_rng(0).normal(0, 0.01, 300_000).astype(np.float32)
    w[0] = 1000.0
    assert in_tensorflow(mode, w, w, w)["weight_std"] == pytest.approx(w.astype(np.float64).std(), rel=1e-3)


@pytest.mark.parametrize("mode", MODES)
def test_long_sums_do_not_stall(mode: str) -> None:
    """With more than 2**24 elements, where float32 can no longer count, counts are exact and norms right."""
    n = (1 << 24) + 5
    g = np.ones(n, np.float32)
    g[7] = 0

    def numbers(gradient: Any) -> tuple[Any, Any, Any]:
        found = variables.gradient_numbers(gradient, None, None)
        return found["gradient_zero_share"], found["gradient_norm"], found["gradient_nonfinite"]

    zeros, norm, odd = (float(x) for x in compiled(numbers, mode)(tf.constant(g)))
    assert zeros == 1 / n
    assert odd == 0
    assert norm == pytest.approx(math.sqrt(n - 1), rel=1e-4)


MOVES = {
    "nothing": (1.0, 1.0, 0),
    "one unit in the last place": (1.0, float(np.nextafter(np.float32(1), np.float32(2))), 1),
    "zero's sign": (0.0, -0.0, 0),
    "NaN to NaN": (math.nan, math.nan, 0),
    "to NaN": (1.0, math.nan, 1),
    "from NaN": (math.nan, 1.0, 1),
    "to infinity": (1.0, math.inf, 1),
    "infinity stays": (math.inf, math.inf, 0),
    "infinity turns": (math.inf, -math.inf, 1),
    "the smallest number there is": (0.0, LEAST, 1),
    "between subnormal numbers": (LEAST, 2 * LEAST, 1),
    "to zero from a subnormal number": (LEAST, 0.0, 1),
}


@pytest.mark.parametrize("move", MOVES)
def test_whether_a_value_changed(move: str) -> None:
    """A value counts as changed exactly where it is another one; the smallest change has a size above 0."""
    before, after, moved = MOVES[move]
    one, other = (np.array([x, 1.0], np.float32) for x in (before, after))
    g = np.ones(2, np.float32)
    for found in (*(in_tensorflow(mode, g, one, other) for mode in MODES), in_numpy(g, one, other)):
        assert (found["changed_share"], found["stuck_share"]) == (moved / 2, 1 - moved / 2)
        if moved:
            assert not found["update_norm"] <= 0
            assert not found["update_max"] <= 0


@given(st.integers(0, 1 << 34))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_sketch_is_small_and_meets_every_row(size: int) -> None:
    """The stride keeps at most 65,536 elements and shares no divisor with the size, so no row or column is favoured."""
    step = reference.stride(size)
    assert -(-size // step) <= change.SKETCH
    assert size <= change.SKETCH or step >= size or math.gcd(step, size) == 1
    assert step <= 2 * max(1, -(-size // change.SKETCH)) + 100


# -- layers


def of_layer(output: Any, dead: Any, activation: str) -> tuple[Any, Any, Any]:
    mask = batches.dead_units(output) & dead
    values, known = variables.in_order(batches.layer_numbers(output, activation, mask), "layer")
    return values, tf.constant(known), mask


@cache
def layer_function(activation: str) -> Callable[..., Any]:
    return lambda output, dead: of_layer(output, dead, activation)


def check_layer(mode: str, output: np.ndarray, dead: np.ndarray, activation: str) -> None:
    values, known, mask = compiled(layer_function(activation), mode)(tf.constant(output), tf.constant(dead))
    expected, wanted = reference.layer_statistics(output, activation, dead)
    exact = output.dtype == np.float64
    agree(named((values, known), "layer"), expected, size_of(output), exact, f"{mode} {activation}")
    assert np.array_equal(np.asarray(mask), wanted)


ACTIVATIONS = ("", "linear", *sorted({*SATURATED, *BLOCKED}))
ENDS = sorted({b for table in (SATURATED, BLOCKED) for flat in table.values() for b in flat if not math.isnan(b)})
OUTPUTS = st.one_of(st.sampled_from((*ODD, *ENDS)), st.floats(-8, 8))


@pytest.mark.parametrize("dtype", TYPES)
@few
@given(arrays(np.float64, (6, 4), elements=OUTPUTS), arrays(bool, 4), st.sampled_from(ACTIVATIONS))
def test_layers_agree_with_the_reference(dtype: str, output: np.ndarray, dead: np.ndarray, activation: str) -> None:
    """Whatever a layer's outputs, their quantities and the mask of dead units are those of the reference."""
    check_layer("eager", cast(output, dtype), dead, activation)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "log_sigmoid"])
@few
@given(arrays(np.float64, (6, 4), elements=OUTPUTS), arrays(bool, 4))
def test_layers_agree_in_a_graph(activation: str, output: np.ndarray, dead: np.ndarray) -> None:
    """In a graph they agree as well: what TensorFlow flushes to zero is not counted as zero."""
    check_layer("graph", cast(output, "float32"), dead, activation)


def test_units_are_the_last_axis() -> None:
    """A unit of a convolution is dead where it is zero for every sample and place; once alive, never always dead."""
    output = np.zeros((2, 3, 3, 4), np.float32)
    output[1, 2, 0, 1] = 1.0
    first, mask = fast_batch.layer_statistics(output, "relu")
    second, _ = fast_batch.layer_statistics(np.zeros_like(output), "relu", mask)
    assert first["dead_share"] == 0.75
    assert second["dead_share"] == 1
    assert second["always_dead_share"] == 0.75
    dead = batches.dead_units(tf.constant(output))
    assert dead.numpy().tolist() == [True, False, True, True]
    assert reference.layer_statistics(output, "relu")[0]["always_dead_share"] == 0.75


@pytest.mark.parametrize("activation", sorted(SATURATED))
def test_saturation_is_where_the_derivative_is_small(activation: str) -> None:
    """The table of outputs agrees with the derivative that TensorFlow itself computes: under 1 % of its largest."""
    keras = pytest.importorskip("keras")
    if activation == "softmax":
        pytest.skip("several inputs: y (1 - y) is its own diagonal, as the sigmoid's")
    x = tf.constant(np.linspace(-40, 40, 8000), tf.float64)  # meets no corner
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = getattr(keras.activations, activation)(x)
    slope = np.abs(tape.gradient(y, x).numpy())
    usual = slope.max()
    low, high = SATURATED[activation]
    outside = (y.numpy() <= low) | (y.numpy() >= high)
    assert (outside >= (slope < 0.0099 * usual)).all()
    assert (outside <= (slope < 0.0101 * usual)).all()


# -- batches


def of_batch(x: Any, y: Any, p: Any) -> dict[str, Any]:
    return batches.batch_numbers(x, y, p)


def check_batch(mode: str, x: Any, y: Any, p: Any) -> None:
    found = {k: float(v) for k, v in compiled(of_batch, mode)(x, y, p).items()}
    expected = reference.batch_statistics(x, y, p)
    for name in {*found, *expected}:
        value, wanted = found.get(name, math.nan), expected.get(name, math.nan)
        if QUANTITIES[name].encoding in ("share", "count"):
            assert value == pytest.approx(wanted, rel=3e-16, abs=0, nan_ok=True), (mode, name)
            assert (value in (0, 1)) == (wanted in (0, 1)), (mode, name)
        elif not math.isfinite(wanted):
            assert not math.isfinite(value), (mode, name, value, wanted)
        else:
            # Sums of 1e38 next to 1: as exact as float64 sums in another order are.
            slack = 1e-9 * max(expected.get(f"{name.split('_')[0]}_max", 0.0), abs(wanted), 1e-30)
            assert value == pytest.approx(wanted, rel=1e-9, abs=slack), (mode, name)


ROOMY = st.one_of(st.sampled_from((0.0, np.nan, np.inf, -np.inf, 1.0, 255.0, 0.5)), st.integers(-20, 20).map(float))


@few
@given(
    arrays(np.float32, (6, 3), elements=ROOMY),
    arrays(np.float32, (6, 2), elements=ROOMY),
    arrays(np.float32, (6, 2), elements=ROOMY),
)
def test_batches_agree_with_the_reference(x: np.ndarray, y: np.ndarray, p: np.ndarray) -> None:
    """Whatever the data, the quantities of inputs, targets and predictions are those of the reference in all modes."""
    for mode in MODES:
        check_batch(mode, x, y, p)


def test_batches_of_other_kinds() -> None:
    """Token ids, pictures, class numbers, nested inputs, single samples and empty batches agree as well."""
    ids, labels = np.arange(12, dtype=np.int64).reshape(4, 3), np.array([0, 1, 2, 1])
    picture = np.arange(32, dtype=np.uint8).reshape(4, 2, 2, 2)
    probabilities = np.full((4, 3), 1 / 3, np.float32)
    cases = [
        (ids, labels, probabilities),
        (picture, labels, probabilities),
        ({"a": picture, "b": ids}, labels[:, None], probabilities),
        (np.ones((1, 3), np.float32), np.ones((1, 1), np.float32), np.ones((1, 1), np.float32)),
        (np.ones((4, 3), np.float32), np.eye(4, dtype=np.float32), np.ones(4, np.float32)),
    ]
    for case in cases:
        for mode in ("eager", "graph"):
            check_batch(mode, *(tf.nest.map_structure(tf.constant, x) if mode == "graph" else x for x in case))


def test_every_quantity_of_the_table_is_measured() -> None:
    """Both halves together know every quantity of a variable and a layer, under the names of the table."""
    w = np.ones((4, 3), np.float32)
    variable = set(in_numpy(w, w, w, w)) | {"raw_gradient_norm"}
    assert variable == set(names("variable"))
    assert set(reference.variable_statistics(w, w, w, raw_norm=2.0)) >= {"raw_gradient_norm"}
    assert set(reference.layer_statistics(w, "relu")[0] | reference.layer_statistics(w, "tanh")[0]) == set(
        names("layer")
    )
    batch = set(reference.batch_statistics(np.eye(4), np.eye(4), np.eye(4)))
    batch |= set(loss_candidates([np.eye(4)], [np.eye(4)]) | loss_candidates([np.ones(4)], [np.ones((4, 1))]))
    assert batch == set(names("run")) - {"loss", "learning_rate", "loss_scale", "iterations"}


# -- slices and rows


def sliced_numbers(mode: str, slices: int, *given: Any) -> Numbers:
    """As `in_tensorflow`, with slices of so many elements; traced anew."""
    before = chunks.SLICE
    chunks.SLICE = slices
    try:
        tensors = [x if isinstance(x, tf.IndexedSlices) else tf.constant(x) for x in given]
        function = of_variable if mode == "eager" else tf.function(of_variable)
        return named(function(*tensors), "variable")
    finally:
        chunks.SLICE = before


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", TYPES)
def test_slices_add_up(dtype: str, mode: str) -> None:
    """Measured in slices, with a rest or without, a numbers are the reference's, whatever is in which slice."""
    rng = np.random.default_rng(0)
    gradient, before, after = (cast(rng.normal(0.5, 1, SHAPE), dtype) for _ in range(3))
    odd, flat, huge = after.copy(), np.full(SHAPE, 0.1, after.dtype), after.copy()
    odd[0, 3], odd[4, 6] = np.nan, np.inf
    huge[1], huge[3] = (6e4, 1e-7) if dtype == "float16" else (1e38, 1e-30)
    after[1] = before[1]
    gradient[0], gradient[2, 2] = 0, np.inf
    for new, slices in ((after, 8), (odd, 7), (flat, 8), (huge, 8)):
        found = sliced_numbers(mode, slices, gradient, before, new, after)
        scale = size_of(before, new)
        agree(found, in_numpy(gradient, before, new, after), scale, dtype == "float64", mode)
    assert sliced_numbers(mode, 8, gradient, flat, flat)["weight_std"] == 0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rows", [[3, 0, 3, 4, 3], [2], [0, 1, 2, 3, 4, 0], []], ids=str)
def test_rows_of_a_large_table_agree_with_their_sum(rows: list[int], mode: str) -> None:
    """IndexedSlices of a variable that is larger than a slice are measured by their rows: the numbers stay the same."""
    rng = np.random.default_rng(0)
    values = rng.integers(-1, 2, (len(rows), 7)).astype(np.float32)
    before = rng.normal(size=SHAPE).astype(np.float32)
    after, dense = before.copy(), np.zeros(SHAPE, np.float32)
    np.add.at(dense, np.array(rows, int), values)
    after[3] += 1
    previous = rng.normal(size=SHAPE).astype(np.float32)
    expected = in_numpy(dense, before, after, previous)
    expected["gradient_zero_share"] = float((dense[np.unique(rows).astype(int)] == 0).mean()) if rows else 0.0
    slices = tf.IndexedSlices(tf.constant(values), tf.constant(rows, tf.int64), tf.constant([5, 7], tf.int64))
    agree(sliced_numbers(mode, 8, slices, before, after, previous), expected, 3.0, False, mode)


# -- what stands in the host's memory


def quick(gradient: Any, before: Any, after: Any, previous: Any = None) -> Numbers:
    sketch = None if previous is None else fast.sketch(previous, after)
    return fast.variable_statistics(VariableStep(gradient, before, after, NOT_OBSERVED, sketch))


def numpy_agrees(found: Numbers, expected: Numbers, *of: np.ndarray, note: str = "") -> None:
    agree(found, expected, size_of(*of), all(x.dtype == np.float64 for x in of), note)


@pytest.mark.parametrize("piece", [1 << 16, 8])
@pytest.mark.parametrize("dtype", TYPES)
@few
@given(st.data())
def test_numpy_s_variables_agree_with_the_reference(dtype: str, piece: int, data: st.DataObject) -> None:
    """Whatever the numbers, at once or piece by piece, they are the reference's; of many small ones, each one's own."""
    draw = lambda: cast(data.draw(arrays(np.float64, SHAPE, elements=ELEMENTS | CALM)), dtype)  # noqa: E731
    gradient, before, other, previous = (draw() for _ in range(4))
    after = np.where(data.draw(arrays(bool, SHAPE)), before, other).astype(TYPES[dtype])
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(fast, "PIECE", piece)
        expected = in_numpy(gradient, before, after, previous)
        numpy_agrees(quick(gradient, before, after, previous), expected, before, after)
        if dtype == "float64":
            return
        calm = VariableStep(np.ones_like(after), after, after, None, np.ones(after.size, np.float32))
        change = VariableStep(gradient, before, after, None, fast.sketch(previous, after))
        told = fast.small_statistics([calm, change, calm])
        found = {name: float(values[1]) for name, values in told.items() if name != "raw_gradient_norm"}
        numpy_agrees(found, expected, before, after)


@few
@given(arrays(np.float32, (300,), elements=st.floats(-3, 3, width=32)), st.sampled_from([1e-25, 1e-10, 1, 1e10, 1e25]))
def test_numpy_s_sizes_hold_over_the_whole_range(values: np.ndarray, scale: float) -> None:
    """Where squares leave float32, or a spread cancels, the reference takes over."""
    x = (values * np.float32(scale)).astype(np.float32)
    for moved in (x, x + np.float32(1e4 * scale)):
        with np.errstate(all="ignore"):
            numpy_agrees(quick(moved, x, moved), in_numpy(moved, x, moved), x, moved)


@few
@given(st.lists(st.integers(0, 4), max_size=9), st.data())
def test_numpy_s_rows_agree_with_their_sum(rows: list[int], data: st.DataObject) -> None:
    """Of IndexedSlices, rows that occur several times add up, and rows that do not occur say nothing."""
    values = data.draw(arrays(np.float32, (len(rows), 7), elements=st.sampled_from((0.0, 1.0, -2.0, 0.5))))
    before, previous = np.ones(SHAPE, np.float32), np.full(SHAPE, 2, np.float32)
    after = before + data.draw(arrays(np.float32, SHAPE, elements=st.sampled_from((0.0, 1.0))))
    dense = np.zeros(SHAPE, np.float32)
    np.add.at(dense, np.array(rows, int), values)
    expected = in_numpy(dense, before, after, previous)
    expected["gradient_zero_share"] = float((dense[np.unique(rows).astype(int)] == 0).mean()) if rows else 0.0
    found = quick(from_indexed_slices(values, np.array(rows, np.int64)), before, after, previous)
    numpy_agrees(found, expected, before, after)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@few
@given(arrays(np.float64, (6, 2, 4), elements=OUTPUTS), arrays(bool, 4), st.sampled_from(ACTIVATIONS))
def test_numpy_s_layers_agree_with_the_reference(
    dtype: str, output: np.ndarray, dead: np.ndarray, activation: str
) -> None:
    """Whatever a layer's outputs, piece by piece, their quantities and the mask are the reference's."""
    output = cast(output, dtype)
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(fast_batch, "PIECE", 8)
        found, mask = fast_batch.layer_statistics(output, activation, dead)
        expected, wanted = reference.layer_statistics(output, activation, dead)
    agree(found, expected, size_of(output), dtype == "float64", activation)
    assert np.array_equal(mask, wanted)


@few
@given(
    arrays(np.float32, (6, 3), elements=ROOMY),
    arrays(np.float32, (6, 2), elements=ROOMY),
    arrays(np.float32, (6, 2), elements=st.floats(-2, 2, width=32)),
    st.booleans(),
)
def test_numpy_s_batches_agree_with_the_reference(x: np.ndarray, y: np.ndarray, p: np.ndarray, bytes_: bool) -> None:
    """Large inputs, targets and predictions, pictures of bytes too, give the reference's numbers."""
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(fast_batch, "SMALL", 0)
        patch.setattr(fast_batch, "PIECE", 4)
        x = np.nan_to_num(np.abs(x)).astype(np.uint8) if bytes_ else x
        found, expected = fast_batch.batch_statistics([x], [y], [p]), reference.batch_statistics(x, y, p)
    assert set(found) == set(expected)
    for name, wanted in expected.items():
        assert found[name] == pytest.approx(wanted, rel=1e-5, abs=1e-5, nan_ok=True), name


def test_a_layer_of_very_many_units() -> None:
    """A sample of more units than a piece has elements (a large vocabulary) is measured like any other."""
    output = np.random.default_rng(0).normal(3, 1, (2, fast.PIECE + 7)).astype(np.float32)
    found, _ = fast_batch.layer_statistics(output, "relu")
    wanted, _ = reference.layer_statistics(output, "relu")
    assert found == pytest.approx(wanted, rel=1e-5)
