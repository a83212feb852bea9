"""Records that are read together give what they give one by one: to the bit, and with the same counts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2

from tb_weightwatch.reader.third_party import AlikeRecords, TagCollector, alike_records, event_heads, tag_collector
from tb_weightwatch.reader.third_party.histograms import from_buckets
from tb_weightwatch.reader.third_party.series import BoundedSeries, Points

STEPS = [-1, 0, 1, 127, 128, 129, 16_383, 16_384, 1 << 30, (1 << 49) - 1, 1 << 49, 1 << 53, 1 << 62]
NUMBERS = [0.0, 1.0, -1.5, 1e-300, 1e300, math.nan, math.inf, -math.inf]


def tensor(values: Any, dtype: str, *, packed: bool = True) -> Any:
    with np.errstate(over="ignore"):
        array = np.asarray(values, dtype)
    dims = [tensor_shape_pb2.TensorShapeProto.Dim(size=size) for size in array.shape]
    kind = types_pb2.DT_FLOAT if dtype == "<f4" else types_pb2.DT_DOUBLE
    proto = tensor_pb2.TensorProto(dtype=kind, tensor_shape=tensor_shape_pb2.TensorShapeProto(dim=dims))
    if packed:
        proto.tensor_content = array.tobytes()
    else:
        proto.float_val.extend(array.reshape(-1).tolist())
    return proto


def event(step: int, time: float, tag: str, plugin: str = "", **value: Any) -> Any:
    metadata = summary_pb2.SummaryMetadata(plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name=plugin))
    one = summary_pb2.Summary.Value(tag=tag, metadata=metadata if plugin else None, **value)
    return event_pb2.Event(wall_time=time, step=step, summary=summary_pb2.Summary(value=[one]))


def buckets(rng: np.random.Generator, count: int, number: float = 1.0) -> np.ndarray[Any, Any]:
    edges = np.sort(rng.normal(size=count + 1)) * number
    return np.column_stack([edges[:-1], edges[1:], rng.integers(-1 if count == 2 else 0, 50, count)])


def one_of(rng: np.random.Generator, step: int, time: float) -> Any:
    """Returns an event of one of the kinds that loggers write, or of one that only a test does."""
    number = float(rng.choice(NUMBERS)) if rng.random() < 0.1 else float(rng.normal())
    plugin = "scalars" if rng.random() < 0.5 else ""
    table = buckets(rng, int(rng.choice([1, 2, 30])), number)
    kinds = [
        lambda: event(step, time, "loss", simple_value=number),
        lambda: event(step, time, str(rng.choice(["accuracy", "lr", "train/grad_norm", "gan/reward"])), simple_value=1),
        lambda: event(step, time, "epoch_loss", plugin, tensor=tensor(number, "<f4", packed=False)),
        lambda: event(step, time, "val_loss", plugin, tensor=tensor(number, str(rng.choice(["<f4", "<f8"])))),
        lambda: event(step, time, "val_loss", "scalars", tensor=tensor([number], "<f4")),
        lambda: event(step, time, "val_loss", "scalars", tensor=tensor([number, 1], "<f4")),
        lambda: event(step, time, "dense/kernel", "histograms", tensor=tensor(table, "<f8")),
        lambda: event(step, time, "dense/bias", "histograms", tensor=tensor(table, "<f4")),
        lambda: event(step, time, "dense/bias", "histograms", tensor=tensor(table[:, :2], "<f4")),
        lambda: event(step, time, "activation", "histograms", tensor=tensor(table, "<f8")),
        lambda: event(step, time, "grad/kernel", histo=summary_pb2.HistogramProto(num=3, min=-1, max=2, sum_squares=3)),
        lambda: event(step, time, "dense/kernel", histo=summary_pb2.HistogramProto(num=3, max=2, sum_squares=step)),
        lambda: event(step, time, "weightwatch/loss", "scalars", tensor=tensor(number, "<f4")),
        lambda: event(step, time, "image", "images", tensor=tensor(table, "<f8")),
        lambda: event_pb2.Event(wall_time=time, step=step, file_version="brain.Event:2"),
    ]
    first = kinds[int(rng.integers(len(kinds)))]()
    if rng.random() < 0.05:  # an event of several values, and one without a time
        first.summary.value.extend(event(step, time, "loss", simple_value=2.0).summary.value)
    if rng.random() < 0.05:
        first.wall_time = float(rng.choice([0.0, math.nan, math.inf, -1.0]))
    return first


def events(seed: int, count: int) -> Iterator[Any]:
    rng = np.random.default_rng(seed)
    for number in range(count):
        step = int(rng.choice(STEPS)) if rng.random() < 0.1 else number
        yield one_of(rng, step, 1.7e9 + number)


def content(collector: TagCollector) -> Any:
    """Returns all that a collector holds; numbers as bytes, so that NaN is NaN, and in order."""
    series = [
        (tag, one.count, one.stride, getattr(one, "exact", None), *(array.tobytes() for array in one.points()))
        for series in (collector.scalars, collector.histograms)
        for tag, one in series.items()
    ]
    counts = collector.tensors, collector.unused, collector.skipped, collector.moving_objective, collector.model
    return series, counts


@pytest.mark.parametrize("capacity", [4, 4096])
@pytest.mark.parametrize("waiting", [1, 2_000, 1 << 23])
@pytest.mark.parametrize("seed", range(2))
def test_records_read_together_are_as_those_read_singly(
    seed: int, waiting: int, capacity: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scalars and histograms of all kinds, damaged ones, odd steps, few and many waiting, thinned and not."""
    monkeypatch.setattr(alike_records, "_MAX_BYTES", waiting)
    monkeypatch.setattr(tag_collector, "MAX_POINTS", capacity)
    monkeypatch.setattr(tag_collector, "MAX_SNAPSHOTS", capacity)
    monkeypatch.setattr(tag_collector, "MAX_TAGS", 7)
    singly, together = TagCollector(), TagCollector()
    alike, taken = AlikeRecords(together), 0
    for one in events(seed, 1000):
        singly.put(one)
    records = [one.SerializeToString() for one in events(seed, 1000)]
    for record, head, step in zip(records, *event_heads(records), strict=True):
        if alike.put_record(record, head, step):
            taken += 1
        else:
            alike.put(event_pb2.Event.FromString(record))
    alike.flush()
    assert content(together) == content(singly)
    assert taken > 300
    assert together.skipped and together.unused and together.tensors


def test_nothing_waits_in_the_collector_of_a_file_that_was_read() -> None:
    """What was taken is not in the collector before `flush`, and is once there after it."""
    collector = TagCollector()
    alike = AlikeRecords(collector)
    records = [event(step, 1.0, "loss", simple_value=float(step)).SerializeToString() for step in range(1, 9)]
    for record, head, step in zip(records, *event_heads(records), strict=True):
        if not alike.put_record(record, head, step):
            alike.put(event_pb2.Event.FromString(record))
    assert collector.scalars["loss"].count == 0
    for _ in range(2):
        alike.flush()
        assert collector.scalars["loss"].points().values[:, 0].tolist() == list(range(1, 9))


def test_a_histogram_whose_kind_is_not_known_tells_of_the_training_by_its_name() -> None:
    """A critic's activations: the loss may rise while the model learns."""
    for tag, is_moving in (("critic/activation", True), ("dense/activation", False)):
        one = event(1, 1.0, tag, "histograms", tensor=tensor(buckets(np.random.default_rng(0), 30), "<f8"))
        singly, together = TagCollector(), TagCollector()
        singly.put(one)
        alike = AlikeRecords(together)
        alike.put(one)
        alike.flush()
        assert content(together) == content(singly)
        assert together.moving_objective == is_moving
        assert together.unused == 1


@pytest.mark.parametrize("step", [*STEPS, *(2**bits + i for bits in range(7, 63, 7) for i in (-1, 0))])
def test_time_and_step_are_found_without_parsing(step: int) -> None:
    """Where they stand first, and something follows them."""
    long, other = (event(step, 1.5, "loss", simple_value=2.0).SerializeToString() for _ in range(2))
    head_only = event_pb2.Event(wall_time=1.5, step=step).SerializeToString()
    no_time = event_pb2.Event(step=step, file_version="brain.Event:2").SerializeToString()
    heads, steps = event_heads([long, head_only, no_time, b"", other])
    expected = len(head_only) if 0 <= step < 1 << 49 else 0
    assert heads == [expected, 0, 0, 0, expected]
    if expected:
        assert steps[0] == steps[-1] == step


numbers = st.floats(allow_nan=True, allow_infinity=True)


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 1 << 50), numbers, numbers), max_size=40), max_size=6))
def test_many_data_are_put_as_one_by_one(batches: list[list[tuple[int, float, float]]]) -> None:
    """A series drops and keeps the same data, however many come at once."""
    singly, together = BoundedSeries(1, 8), BoundedSeries(1, 8)
    for batch in batches:
        for step, time, number in batch:
            singly.put(step, time, (number,))
        columns = [np.array([row[i] for row in batch]) for i in range(3)]
        together.put_many(Points(columns[0].astype(np.int64), columns[1].astype(float), columns[2].reshape(-1, 1)))
    for one, other in zip(singly.points(), together.points(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (singly.count, singly.stride, singly.thinned) == (together.count, together.stride, together.thinned)


@pytest.mark.parametrize("count", [1, 2, 30, 33, 1000])
def test_statistics_of_buckets_are_those_of_the_formula(count: int) -> None:
    """To the bit: the sums are those of `np.dot`, so that a review says the same in its last digit."""
    rng = np.random.default_rng(count)
    for _ in range(20):
        table = np.abs(buckets(rng, count))
        left, right, number = np.ascontiguousarray(table.T)
        squares = np.dot(number, left * left + left * right + right * right) / 3
        mean = np.dot(number, left + right) / 2 / number.sum() if number.sum() else 0.0
        found = from_buckets(table)
        assert found is not None
        assert found[:5] == (left[0], right[-1], math.sqrt(squares), mean, number.sum())


def test_an_event_that_is_read_singly_is_not_serialized() -> None:
    """An image is as large as a file; what no layout holds goes on as it came."""

    class Event:
        def __init__(self, parsed: Any) -> None:
            self.summary, self.step, self.wall_time = parsed.summary, parsed.step, parsed.wall_time

    alike = AlikeRecords(TagCollector())
    several = event(1, 1.0, "loss", simple_value=1.0)
    several.summary.value.extend(event(1, 1.0, "lr", simple_value=0.1).summary.value)
    image = event(1, 1.0, "image", "images", tensor=tensor(np.zeros((4, 4)), "<f4"))
    for one in (several, image):
        alike.put(Event(one))  # which has neither SerializeToString nor ClearField
    assert alike._collector.scalars["loss"].count == 1
