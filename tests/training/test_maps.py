"""Histograms, motion maps and full tensors: right numbers, small files, read back as numpy arrays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tb_weightwatch as ww
from tb_weightwatch import schema
from tb_weightwatch.capture.schedule import map_schedule
from tb_weightwatch.history import Record
from tb_weightwatch.maps import HISTOGRAMS, MOTION, TENSORS, Map, octaves, side
from tb_weightwatch.reader import launches
from tb_weightwatch.schema import DecodeError, decode_maps, encode_maps, join_parts, map_as_stored, map_blocks
from tb_weightwatch.statistics import VariableStep, from_indexed_slices, variable_maps
from tb_weightwatch.statistics import maps as maps_module
from tb_weightwatch.writer import EventWriter
from tests.supported.distribute import mirrored
from tests.supported.observe import BATCH, Spy, diabetes, digits

layers = keras.layers
Array = np.ndarray


# -- what they are, in numpy


def histogram(x: Array) -> Array:
    """Counts of |x| by octave."""
    with np.errstate(all="ignore"):
        place = np.searchsorted(octaves()[1:-1], np.abs(x).astype(np.float32), side="right")
    return np.bincount(np.where(np.isfinite(x), place, 255).ravel(), minlength=256)


def pooled(x: Array, most: int) -> Array:
    """Largest of each part of |x|, a matrix whose last axis are the columns."""
    matrix = np.abs(x).reshape(-1, x.shape[-1] if x.ndim > 1 else 1).astype(np.float64)
    height, width = (-(-n // most) for n in matrix.shape)
    rows = range(0, matrix.shape[0], height)
    return np.array(
        [[matrix[i : i + height, j : j + width].max() for j in range(0, matrix.shape[1], width)] for i in rows]
    )


def expected(gradient: Array | None, before: Array, after: Array, most: int) -> dict[str, Array]:
    with np.errstate(all="ignore"):
        delta = np.abs(after - before)
        found = {"update_histogram": histogram(delta), "ratio_histogram": histogram(delta / np.abs(before))}
    found["update_map"] = pooled(delta, most)
    if gradient is not None:
        found |= {"gradient_histogram": histogram(gradient), "gradient_map": pooled(gradient, most)}
    return found


SHAPES = [(), (7,), (300,), (1000, 3), (3, 3, 16, 32), (200, 130), (1, 5)]


@pytest.mark.parametrize("piece", [1 << 20, 500])
def test_arrays_are_those_of_independent_code(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Maps agree with independent code, whether they are computed at once or piece by piece."""
    monkeypatch.setattr(maps_module, "PIECE", piece)
    rng = np.random.default_rng(0)
    changes = []
    for shape in SHAPES:
        before = rng.normal(size=shape).astype("float32")
        gradient = np.where(rng.random(shape) < 0.3, 0, rng.normal(size=shape) * 1e-6).astype("float32")
        changes.append((gradient, before, np.asarray(before - 0.1 * gradient, "float32")))
    found = [variable_maps(VariableStep(*change), 64) for change in changes]
    for shape, change, told in zip(SHAPES, changes, found, strict=True):
        for kind, array in expected(*change, 64).items():
            np.testing.assert_allclose(told[kind], array, rtol=1e-6, err_msg=f"{kind} {shape}")


@pytest.mark.parametrize("shape", [(500, 8), (500, 2, 8), (500,)])
def test_rows_that_occur_among_many(shape: tuple[int, ...]) -> None:
    """IndexedSlices: repeated rows add up, rows that do not occur are zero."""
    before = np.random.default_rng(0).normal(size=shape).astype("float32")
    rows = from_indexed_slices(np.ones((4, *shape[1:]), "float32"), np.array([3, 499, 3, 77]))
    dense = np.zeros_like(before)
    dense[[3, 499, 77]] = np.reshape([2, 1, 1], [3, *[1] * (len(shape) - 1)])
    found = variable_maps(VariableStep(rows, before, before), 64)
    for kind, array in expected(dense, before, before, 64).items():
        np.testing.assert_allclose(found[kind], array, rtol=1e-6, err_msg=kind)


def test_what_is_not_finite_is_seen() -> None:
    """NaN and infinity have an octave of their own, and are NaN on the map; their neighbours are unchanged."""
    before = np.zeros((4, 4), "float32")
    after = before.copy()
    after[0, 0], after[1, 1], after[2, 2] = np.nan, np.inf, 1
    found = variable_maps(VariableStep(None, before, after), 64)
    assert found["update_histogram"][[0, 127, 255]].tolist() == [13, 1, 2]
    assert "gradient_map" not in found
    settled = map_as_stored(Map(1, "w", "update_map", found["update_map"]))
    assert np.isnan(settled.values[[0, 1], [0, 1]]).all()
    assert settled.values[2, 2] == 1


# -- bytes

numbers = st.one_of(st.just(0.0), st.floats(2.0**-100, 2.0**100, width=32), st.just(np.nan))


@settings(deadline=None, max_examples=60)
@given(arrays.arrays(np.float32, arrays.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=9), elements=numbers))
def test_levels_keep_zero_and_nan_and_come_within_nine_percent(values: Array) -> None:
    """Zero and NaN are exact, other values within 9 % down to 2**-63 of the largest; storing twice changes nothing."""
    one = map_as_stored(Map(3, "a/b", "update_map", values, 5.0))
    assert (one.step, one.variable, one.kind, one.time) == (3, "a/b", "update_map", 5.0)
    np.testing.assert_array_equal(one.values == 0, values == 0)
    np.testing.assert_array_equal(np.isnan(one.values), np.isnan(values))
    large = values > np.nanmax(values, initial=0) * 2.0**-63
    np.testing.assert_allclose(one.values[large], values[large], rtol=0.095)
    np.testing.assert_array_equal(map_as_stored(one).values, one.values)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0, 3), (5, 7), (1000,)])
def test_tensors_are_exact_also_in_parts(dtype: str, shape: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Full tensors are read back bit for bit; large ones are divided, and one with a missing part is only counted."""
    monkeypatch.setattr(map_blocks, "PART", 256)
    values = np.asarray(np.random.default_rng(1).normal(size=shape), dtype)
    data = list(encode_maps([Map(2, "w", "weight", values), Map(2, "v", "weight", values)]))
    whole, lacking = join_parts(part for one in data[::-1] for part in decode_maps(one))
    assert lacking == 0
    assert {one.variable for one in whole} == {"v", "w"}
    assert all(one.values.tobytes() == values.tobytes() and one.values.shape == values.shape for one in whole)
    if len(data) > 3:
        whole, lacking = join_parts(part for one in data[1:] for part in decode_maps(one))
        assert (len(whole), lacking) == (1, 1)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 10_000), st.integers(0, 255))
def test_damaged_bytes_are_refused(place: int, byte: int) -> None:
    """A changed byte gives a DecodeError or the same arrays, never other arrays."""
    (data,) = encode_maps([Map(1, "w", "weight", np.arange(6.0)), Map(1, "w", "update_map", np.ones((2, 3)))])
    broken = bytearray(data)
    broken[place % len(data)] = byte
    try:
        parts = decode_maps(bytes(broken))
    except DecodeError:
        return
    assert [part.map.values.tolist() for part in parts] == [part.map.values.tolist() for part in decode_maps(data)]


def test_hostile_shapes_are_refused() -> None:
    """An array that claims to be too large, or holds more than it claims, is refused."""
    from tb_weightwatch.schema import weightwatch_pb2 as pb
    from tb_weightwatch.schema.envelope import encode_envelope

    for shape, first, data in (([1 << 40], 0, b""), ([2, 2], 0, b"12345"), ([4], 3, b"12"), ([1] * 40, 0, b"1")):
        message = pb.Maps(arrays=[pb.Array(variable="w", kind="update_map", shape=shape, first=first, data=data)])
        with pytest.raises(DecodeError, match=r"out of bounds|more elements"):
            decode_maps(encode_envelope("MAPS", message))


class Counting:
    """A sink that adds up sizes."""

    def __init__(self) -> None:
        self.bytes = 0

    def emit(self, summary: Any, step: int, wall_time: float) -> None:
        assert "/maps/" in summary.value[0].tag
        self.bytes += summary.ByteSize()

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


def test_two_hundred_variables_take_a_megabyte() -> None:
    """Histograms and maps of 200 variables (half kernels, half biases) over 10,000 steps: at most 1 MB."""
    rng, sink = np.random.default_rng(0), Counting()
    writer = EventWriter(sink, "launch", 0.0)
    steps = [64 << i for i in range(8)]
    for step in steps:
        found = []
        for i in range(200):
            shape = (256, 64) if i % 2 else (64,)
            weight, gradient = rng.normal(size=shape), rng.normal(size=shape) * rng.lognormal(sigma=2, size=shape)
            parts = (x.astype("float32") for x in (gradient, weight, weight - 1e-3 * gradient))
            told = variable_maps(VariableStep(*parts), side(200))
            found += [Map(step, f"v{i}", kind, told[kind]) for kind in (*HISTOGRAMS, *MOTION)]
        writer.maps(found)
    assert 1e5 < sink.bytes < 1e6


# -- from training


def watched(logs: Path, model: Any, data: Any, **fit: Any) -> tuple[ww.History, Spy]:
    """Trains for 80 steps; returns the History that was read back, and the weights as copied between steps."""
    spy = Spy()
    tensors = {"*kernel": [3, 8], "*bias": 80}
    watch = ww.WeightWatch(logs, verbose=False, overhead=None, tensors=tensors)
    model.fit(*data, batch_size=BATCH, epochs=20, shuffle=False, verbose=0, callbacks=[watch, spy], **fit)
    (history,) = ww.read(logs)
    live = watch.history.maps()
    assert [(m.step, m.variable, m.kind) for m in live] == [
        (m.step, m.variable, m.kind) for m in history.maps() if m.kind not in TENSORS
    ]
    for one, other in zip(live, (m for m in history.maps() if m.kind not in TENSORS), strict=True):
        np.testing.assert_array_equal(one.values, other.values)
    return history, spy


def small(optimizer: Any = "sgd", **options: Any) -> keras.Model:
    keras.utils.set_random_seed(4)
    model = keras.Sequential([keras.Input((10,)), layers.Dense(8, activation="tanh"), layers.Dense(1)])
    model.compile(optimizer, "mse", **options)
    return model


def loss_scaled() -> Any:
    return keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.01))


MODELS: dict[str, Callable[[], keras.Model]] = {
    "graph": small,
    "xla": lambda: small(jit_compile=True),
    "eager": lambda: small(run_eagerly=True),
    "branch": lambda: small(loss_scaled()),
}


@pytest.mark.parametrize("mode", [*MODELS, "mirrored"])
def test_arrays_of_a_training(mode: str, tmp_path: Path) -> None:
    """Tensors are the weights of the step, bit for bit, and its gradients; maps are computed from them."""
    if mode == "mirrored":
        with mirrored().scope():
            model = small()
    else:
        model = MODELS[mode]()
    history, spy = watched(tmp_path, model, diabetes())
    assert {(m.step, m.variable.rpartition("/")[2]) for m in history.maps("weight")} == {
        (3, "kernel"), (8, "kernel"), (80, "bias"),
    }  # fmt: skip
    places = {v.name: i for i, v in enumerate(history.variables)}
    for one in history.maps():
        seen, place = spy.steps[one.step - 1], places[one.variable]
        before, after = seen.before[one.variable], seen.after[one.variable]
        if one.kind in ("weight", "weight_before"):
            np.testing.assert_array_equal(one.values, before if one.kind == "weight_before" else after)
        elif one.kind == "gradient":
            norm = history.column("gradient_norm")[history.at(one.step), place]
            np.testing.assert_allclose(np.linalg.norm(one.values), norm, rtol=5e-3)
            np.testing.assert_allclose(one.values, (before - after) / 0.01, atol=2e-4)
        elif not one.kind.startswith("gradient"):
            wanted = expected(None, before.astype("float32"), after.astype("float32"), side(4))[one.kind]
            np.testing.assert_allclose(one.values, wanted, rtol=0.095, atol=1e-12, err_msg=one.kind)
        elif one.kind == "gradient_map":
            largest = history.column("gradient_max")[history.at(one.step), place]
            np.testing.assert_allclose(one.values.max(), largest, rtol=5e-3)
    assert {m.step for m in history.maps("gradient_map")} == {64}
    assert len(history.maps("gradient_map")) == 4
    for one in history.maps("gradient_histogram"):
        np.testing.assert_allclose(one.values.sum(), history.variables[places[one.variable]].size, rtol=0.095)


@pytest.mark.parametrize("way", ["fit", "loop"])
def test_a_sparse_gradient_is_given_whole(way: str, tmp_path: Path) -> None:
    """The full tensor of IndexedSlices has all its rows; those that do not occur are zero."""
    ids, y = np.array([[1, 3], [3, 5]]), np.ones((2, 1), "float32")
    model = keras.Sequential([keras.Input((2,)), layers.Embedding(9, 4), layers.Flatten(), layers.Dense(1)])
    optimizer = keras.optimizers.SGD(0.1)
    told = {"verbose": False, "overhead": None, "tensors": {"*embeddings": [1]}}
    if way == "fit":
        model.compile(optimizer, "mse")
        model.fit(ids, y, verbose=0, callbacks=[ww.WeightWatch(tmp_path, **told)])
    else:
        with ww.Watch(tmp_path, model, optimizer, **told) as watch:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(model(ids) - y))
            variables = model.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            watch.step(loss)
    (history,) = ww.read(tmp_path)
    (gradient,), (before,), (after,) = (history.maps(kind) for kind in TENSORS)
    np.testing.assert_allclose(gradient.values, (before.values - after.values) / 0.1, atol=1e-6)
    assert np.flatnonzero(gradient.values.any(axis=1)).tolist() == [1, 3, 5]


def test_executions_of_several_steps(tmp_path: Path) -> None:
    """With `steps_per_execution`, too, arrays belong to the steps under which they are recorded."""
    model = small(steps_per_execution=4)
    watch = ww.WeightWatch(tmp_path, verbose=False, overhead=None, tensors={"*kernel": [2]})
    model.fit(*diabetes(), batch_size=BATCH, epochs=20, shuffle=False, verbose=0, callbacks=[watch])
    (history,) = ww.read(tmp_path)
    assert {m.step for m in history.maps("weight")} == {2}
    assert {m.step for m in history.maps("update_map")} == {64}
    norm = np.linalg.norm(history.maps("weight")[0].values)
    np.testing.assert_allclose(norm, history.column("weight_norm")[1, 0], rtol=5e-3)


@pytest.mark.parametrize("traced", [False, True])
def test_arrays_of_a_loop(traced: bool, tmp_path: Path) -> None:
    """A hand-written loop gives the same arrays, from hooks or from gradients passed to `step`."""
    keras.utils.set_random_seed(4)
    x, y = (tf.constant(part) for part in diabetes())
    model, optimizer = small(), keras.optimizers.SGD(0.01)
    watch = ww.Watch(tmp_path, model, optimizer, verbose=False, overhead=None, tensors=["*kernel"])

    def train() -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x) - y))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss, gradients

    step = tf.function(train) if traced else train
    for number in range(65):
        before = [v.numpy() for v in model.trainable_variables]
        loss, gradients = step()
        if number == 63:
            seen = before, [v.numpy() for v in model.trainable_variables], [g.numpy() for g in gradients]
        watch.step(loss, gradients=gradients if traced else None)
    watch.close()
    (history,) = ww.read(tmp_path)
    assert {m.step for m in history.maps()} == {64}
    assert len(history.maps("weight")) == 2
    for name, *known in zip([v.name for v in history.variables], *seen, strict=True):
        old, new, gradient = known
        for kind, array in expected(gradient, old, new, 64).items():
            (one,) = history.maps(kind, name)
            np.testing.assert_allclose(one.values, array, rtol=0.095, atol=1e-12, err_msg=kind)
        for kind, array in (("gradient", gradient), ("weight_before", old), ("weight", new)):
            for one in history.maps(kind, name):
                np.testing.assert_array_equal(one.values, array)


OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "Adam": lambda: keras.optimizers.Adam(0.01),
    "momentum": lambda: keras.optimizers.SGD(0.01, momentum=0.9),
}


def bits(optimizer: str, jit: bool, recorders: list[Any]) -> dict[str, Array]:
    """Trains for 12 steps; returns all variables of model and optimizer."""
    keras.backend.clear_session()  # the same names each time
    keras.utils.set_random_seed(4)
    parts = [layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization(), layers.Flatten(), layers.Dense(10)]
    model = keras.Sequential([keras.Input((8, 8, 1)), *parts])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(OPTIMIZERS[optimizer](), loss, jit_compile=jit)
    model.fit(*digits(), batch_size=BATCH, epochs=4, shuffle=False, verbose=0, callbacks=recorders)
    return {f"{i} {v.name}": v.numpy() for i, v in enumerate([*model.variables, *model.optimizer.variables])}


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_weights_are_bit_identical(optimizer: str, jit: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps whose arrays are recorded leave the same bits as without the recorder."""
    monkeypatch.setattr(map_schedule, "DENSE_UNTIL", 2)
    plain = bits(optimizer, jit, [])
    for tensors in ({}, {"*": range(1, 13)}):
        watch = ww.WeightWatch(tmp_path, verbose=False, overhead=None, tensors=tensors)
        recorded = bits(optimizer, jit, [watch])
        for name, value in plain.items():
            assert recorded[name].tobytes() == value.tobytes(), name
    first, second = ww.read(tmp_path)
    assert {m.step for m in first.maps()} == {2, 4, 8, 16}
    assert {m.step for m in second.maps("gradient")} == set(range(1, 13))


def test_broken_ones_are_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    """A datum that cannot be read loses its own arrays only; a reader that needs no arrays does not load them."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    file = EventFileWriter(str(tmp_path))
    good = next(iter(encode_maps([Map(1, "w", "weight", np.ones(3))])))
    data = {0: good, 1: good[:-3] + b"xyz", 3: next(iter(encode_maps([Map(9, "w", "weight", np.zeros(3))])))}
    for number, one in data.items():
        file.add_event(Event(step=1, summary=schema.to_summary(schema.Tag("a", "maps", number), one)))
    record = schema.encode_records([Record(0, "facts", {})])
    file.add_event(Event(step=1, summary=schema.to_summary(schema.Tag("a", "header", 0), record)))
    file.close()
    with pytest.warns(RuntimeWarning, match=r"maps: damaged.*maps: missing"):
        (history,) = ww.read(tmp_path)
    assert [m.step for m in history.maps()] == [1, 9]
    (launch,) = launches(tmp_path)
    assert not launch.history.maps()
    assert not launch.skipped


@pytest.mark.parametrize(
    ("tensors", "error", "text"),
    [
        ([3], TypeError, "names of variables"),
        ({"w": [0]}, ValueError, "from 1 on"),
        ({"w": ["x"]}, ValueError, "from 1 on"),
    ],
)
def test_invalid_settings(tensors: Any, error: type[Exception], text: str, tmp_path: Path) -> None:
    """Invalid `tensors` are an error when callback or Watch is made, and nothing is written."""
    with pytest.raises(error, match=text):
        ww.WeightWatch(tmp_path / "run", tensors=tensors)
    with pytest.raises(error, match=text):
        ww.Watch(tmp_path / "run", small(), tensors=tensors)
    assert not (tmp_path / "run").exists()


def test_a_name_that_matches_no_variable_is_warned_of_once(tmp_path: Path) -> None:
    """A misspelt name is a warning that lists the names there are."""
    watch = ww.WeightWatch(tmp_path, verbose=False, tensors=["dense/kernle"])
    with pytest.warns(RuntimeWarning, match=r"dense/kernle.*the variables are .*kernel") as warned:
        small().fit(*diabetes(), batch_size=BATCH, epochs=2, verbose=0, callbacks=[watch])
    assert len([w for w in warned if "tensors=" in str(w.message)]) == 1


def test_maps_can_be_left_out(tmp_path: Path) -> None:
    """With `maps=False` no histograms and no motion maps are recorded."""
    watch = ww.WeightWatch(tmp_path, verbose=False, overhead=None, maps=False)
    small().fit(*diabetes(), batch_size=BATCH, epochs=20, verbose=0, callbacks=[watch])
    assert len(watch.history) == 80
    assert not ww.read(tmp_path)[0].maps()
