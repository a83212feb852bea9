"""Records that differ in time, step and numbers only: parsed once, and then read together as arrays.

A training writes the same tags again and again. Parsing each record, and handing its numbers on one by one, takes ten
times as long as reading the file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .series import Points
from .tag_collector import MAX_TAGS, TagCollector
from .tensors import tensor_numbers

_MAX_LAYOUTS = 2 * MAX_TAGS
_MAX_LENGTHS = 16  # of the prefixes of records of the same length, which are tried one after the other
_MAX_CONSTANT = 1 << 12  # bytes of a record beside its numbers
_MAX_BYTES = 1 << 23  # of records that wait
_TIME, _STEP = 9, 16  # the first byte of these two fields, with which an event begins
_LONGEST_HEAD = 17  # bytes of both, for steps of less than 2**49; all of them are valid
_FILLERS = b"\x01", b"\x02"


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

    def put_record(self, record: bytes) -> bool:
        """Takes a record if it is like an earlier one."""
        if len(record) <= _LONGEST_HEAD or record[0] != _TIME:
            return False
        step, head = 0, 9
        if record[9] == _STEP:
            step, head = record[10], 11
            while record[head - 1] > 127:
                if head == _LONGEST_HEAD:
                    return False
                step += (record[head] - 1) << 7 * (head - 10)  # the mark that a byte follows counts as one there
                head += 1
        for length, layouts in self._layouts.get(len(record) - head, {}).items():
            layout = layouts.get(record[head : head + length])
            if layout is not None and record.endswith(layout.suffix):
                self._add(record, step, layout)
                return True
        return False

    def _add(self, record: bytes, step: int, layout: _Layout) -> None:
        waiting = self._waiting.get(layout.tag)
        if waiting is not layout:
            if waiting is not None:
                self._flush_tag(layout.tag)
            self._waiting[layout.tag] = layout
        layout.records.append(record)
        layout.steps.append(step)
        self._bytes += len(record)
        if self._bytes > _MAX_BYTES:
            self.flush()

    def put(self, event: Any) -> None:
        """Adds a parsed event, and takes the records that are like it from now on."""
        for value in event.summary.value:
            self._flush_tag(value.tag)
        self._collector.put(event)
        layout = self._learned(event) if len(event.summary.value) == 1 and self._count < _MAX_LAYOUTS else None
        if layout is not None and len(layout.prefix) + len(layout.suffix) <= _MAX_CONSTANT:
            by_length = self._layouts.setdefault(len(layout.prefix) + layout.size + len(layout.suffix), {})
            if len(layout.prefix) in by_length or len(by_length) < _MAX_LENGTHS:
                by_length.setdefault(len(layout.prefix), {})[layout.prefix] = layout
                self._count += 1

    def _learned(self, event: Any) -> _Layout | None:
        """Returns the layout of the records that are like an event, which is changed; None if they are read singly."""
        value = event.summary.value[0]
        numbers: tuple[Any, str, str, tuple[int, ...]]
        if value.WhichOneof("value") == "simple_value":
            plugin, numbers = "", (value, "simple_value", "<f4", ())
        else:
            plugin = self._collector.plugin_of(value.tag)
            found = tensor_numbers(value.tensor, plugin) if value.WhichOneof("value") == "tensor" else None
            if found is None:
                return None
            numbers = value.tensor, *found
        tag, (message, name, dtype, shape) = value.tag, numbers
        size = np.dtype(dtype).itemsize * math.prod(shape)
        event.ClearField("wall_time")
        event.ClearField("step")
        serialized = []
        for filler in _FILLERS:
            _fill(message, name, filler * size)
            serialized.append(event.SerializeToString())
        start = next(i for i, (one, other) in enumerate(zip(*serialized, strict=True)) if one != other)
        prefix, suffix = serialized[0][:start], serialized[0][start + size :]
        return _Layout(tag, bool(plugin), dtype, shape, size, prefix, suffix)

    def flush(self) -> None:
        """Puts all that was taken into the collector."""
        for tag in list(self._waiting):
            self._flush_tag(tag)
        self._bytes = 0

    def _flush_tag(self, tag: str) -> None:
        layout = self._waiting.pop(tag, None)
        if layout is None:
            return
        stop = -len(layout.suffix) or None
        start = -layout.size - len(layout.suffix)
        times = np.frombuffer(b"".join([record[1:9] for record in layout.records]), "<f8")
        numbers = np.frombuffer(b"".join([record[start:stop] for record in layout.records]), layout.dtype)
        values = numbers.astype(np.float64).reshape(len(times), -1)
        points = Points(np.array(layout.steps, np.int64), times.astype(np.float64), values)
        layout.records, layout.steps = [], []
        if layout.shape:
            self._collector.put_bucket_tables(tag, points, layout.shape)
        else:
            self._collector.put_scalars(tag, points, is_tensor=layout.is_tensor)


def _fill(message: Any, name: str, content: bytes) -> None:
    """Sets a field of numbers to those whose bytes these are."""
    if name == "tensor_content":
        message.tensor_content = content
    elif name == "float_val":
        message.float_val[:] = np.frombuffer(content, "<f4").tolist()
    else:
        setattr(message, name, float(np.frombuffer(content, "<f4")[0]))
