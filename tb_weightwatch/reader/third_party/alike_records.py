"""Records that differ in time, step and numbers only: parsed once, and then read together as arrays.

A training writes the same tags again and again. Parsing each record, and handing its numbers on one by one, takes ten
times as long as reading the file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .event_heads import event_heads
from .series import Points
from .tag_collector import MAX_TAGS, TagCollector
from .tensors import tensor_numbers

_MAX_LAYOUTS = 2 * MAX_TAGS
_MAX_LENGTHS = 16  # of the prefixes of records of the same length, which are tried one after the other
_MAX_CONSTANT = 1 << 12  # bytes of a record beside its numbers
_MAX_BYTES = 1 << 23  # of records that wait
_FILLERS = b"\x01", b"\x02"
_NO_LAYOUTS: dict[int, Any] = {}


@dataclass
class _Layout:
    """How the records of a tag look behind time and step: `prefix`, numbers, `suffix`.

    Attributes:
        tag: the tag.
        is_tensor: whether it is written in the manner of tf.summary.
        dtype: of its numbers.
        shape: of its numbers; () for a scalar.
        size: bytes of its numbers.
        records: those that wait.
        steps: of these.
    """

    tag: str
    is_tensor: bool
    dtype: str
    shape: tuple[int, ...]
    size: int
    prefix: bytes
    suffix: bytes
    records: list[bytes] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)

    def taken(self) -> Points:
        """Returns the data of the records that wait, and forgets them."""
        stop = -len(self.suffix) or None
        start = -self.size - len(self.suffix)
        times = np.frombuffer(b"".join([record[1:9] for record in self.records]), "<f8")
        numbers = np.frombuffer(b"".join([record[start:stop] for record in self.records]), self.dtype)
        values = numbers.astype(np.float64).reshape(len(times), -1)
        points = Points(np.array(self.steps, np.int64), times.astype(np.float64), values)
        self.records, self.steps = [], []
        return points


class _NumberField(NamedTuple):
    """Where an event has its numbers: the field of a message, and their plugin, dtype and shape."""

    message: Any
    plugin: str
    name: str
    dtype: str
    shape: tuple[int, ...]


def _layout(event: Any, numbers: _NumberField) -> _Layout:
    """Returns the layout of the records that are like an event, which is changed."""
    message, plugin, name, dtype, shape = numbers
    tag, size = event.summary.value[0].tag, np.dtype(dtype).itemsize * math.prod(shape)
    event.ClearField("wall_time")
    event.ClearField("step")
    serialized = []
    for filler in _FILLERS:
        _fill(message, name, filler * size)
        serialized.append(event.SerializeToString())
    start = next(i for i, (one, other) in enumerate(zip(*serialized, strict=True)) if one != other)
    return _Layout(tag, bool(plugin), dtype, shape, size, serialized[0][:start], serialized[0][start + size :])


class AlikeRecords:
    """Puts the records of an event file into a collector: those that are like an earlier one together with others.

    Args:
        collector: gets the data of each tag in their order; all of them only after `flush`.
    """

    def __init__(self, collector: TagCollector) -> None:
        self._collector = collector
        self._layouts: dict[int, dict[int, dict[bytes, _Layout]]] = {}  # by length, by length of the prefix, by prefix
        self._count = 0
        self._waiting: dict[str, _Layout] = {}  # by tag
        self._bytes = 0

    def put_record(self, record: bytes, head: int, step: int) -> bool:
        """Takes a record if it is like an earlier one.

        Args:
            record: a serialized event.
            head: bytes of its time and step, from `event_heads`.
            step: its step, from there.
        """
        for length, layouts in self._layouts.get(len(record) - head, _NO_LAYOUTS).items() if head else ():
            layout = layouts.get(record[head : head + length])
            if layout is not None and record.endswith(layout.suffix):
                if self._waiting.get(layout.tag) is not layout:
                    self._put_waiting([layout.tag])
                    self._waiting[layout.tag] = layout
                layout.records.append(record)
                layout.steps.append(step)
                self._bytes += len(record)
                if self._bytes > _MAX_BYTES:
                    self.flush()
                return True
        return False

    def put(self, event: Any) -> None:
        """Takes a parsed event, which may be changed, and from now on the records that are like it."""
        self._put_waiting(value.tag for value in event.summary.value)
        self._collector.note_plugins(event)
        numbers = self._number_field(event) if len(event.summary.value) == 1 and self._count < _MAX_LAYOUTS else None
        if numbers is None or not self._learn_and_take(event, numbers):
            self._collector.put(event)

    def _number_field(self, event: Any) -> _NumberField | None:
        """Returns where an event of one value has its numbers; None if such events are read singly."""
        value = event.summary.value[0]
        kind = value.WhichOneof("value")
        if kind == "simple_value":
            return _NumberField(value, "", "simple_value", "<f4", ())
        plugin = self._collector.plugin_of(value.tag)
        found = tensor_numbers(value.tensor, plugin) if kind == "tensor" else None
        return _NumberField(value.tensor, plugin, *found) if found is not None else None

    def _learn_and_take(self, event: Any, numbers: _NumberField) -> bool:
        """Learns the layout of an event, and takes its record; False, with the event unchanged: it cannot."""
        record = event.SerializeToString()
        layout = _layout(event, numbers)
        by_length = self._layouts.setdefault(len(layout.prefix) + layout.size + len(layout.suffix), {})
        is_known = len(layout.prefix) in by_length or len(by_length) < _MAX_LENGTHS
        if is_known and len(layout.prefix) + len(layout.suffix) <= _MAX_CONSTANT:
            by_length.setdefault(len(layout.prefix), {})[layout.prefix] = layout
            self._count += 1
            (head,), (step,) = event_heads([record])
            if self.put_record(record, head, step):
                self._collector.open_series(layout.tag, is_histogram=bool(layout.shape))
                return True
        event.ParseFromString(record)
        return False

    def flush(self) -> None:
        """Puts all that was taken into the collector."""
        self._put_waiting(list(self._waiting))
        self._bytes = 0

    def _put_waiting(self, tags: Iterable[str]) -> None:
        """Puts what was taken of some tags into the collector; histograms of the same shape together."""
        tables: dict[tuple[int, ...], dict[str, Points]] = {}
        for tag in tags:
            layout = self._waiting.pop(tag, None)
            if layout is not None and layout.shape:
                tables.setdefault(layout.shape, {})[tag] = layout.taken()
            elif layout is not None:
                self._collector.put_scalars(tag, layout.taken(), is_tensor=layout.is_tensor)
        for shape, points in tables.items():
            self._collector.put_bucket_tables(points, shape)


def _fill(message: Any, name: str, content: bytes) -> None:
    """Sets a field of numbers to those whose bytes these are."""
    if name == "tensor_content":
        message.tensor_content = content
    elif name == "float_val":
        message.float_val[:] = np.frombuffer(content, "<f4").tolist()
    else:
        setattr(message, name, float(np.frombuffer(content, "<f4")[0]))
