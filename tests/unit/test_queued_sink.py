"""The queue in front of a sink: order, errors, bounds, losses, and a disk that hangs."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np
import pytest

from tb_weightwatch import schema
from tb_weightwatch.history import Column, History, Record, Rows
from tb_weightwatch.maps import Map
from tb_weightwatch.schema import Tag
from tb_weightwatch.task_thread import TaskThread
from tb_weightwatch.writer import EventWriter, QueuedSink
from tb_weightwatch.writer.event_file import RecordsLost
from tests.support import synthetic_runs


class HangingSink:
    """A sink whose writes take as long as the disk hangs; what is raised by it can be set."""

    def __init__(self) -> None:
        self.disk_works, self.error = threading.Event(), None
        self.disk_works.set()
        self.tags: list[Tag] = []
        self.data: list[bytes] = []
        self.closed = 0

    def emit(self, summary: Any, step: int, wall_time: float) -> None:
        assert self.disk_works.wait(60)
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        self.tags.append(schema.parse_tag(summary.value[0].tag))
        self.data.append(summary.value[0].tensor.string_val[0])

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed += 1


def queued() -> tuple[HangingSink, QueuedSink]:
    sink = HangingSink()
    return sink, QueuedSink(sink, TaskThread())


def summary(number: int, size: int = 1) -> Any:
    return schema.to_summary(Tag("a", "rows", number), b"x" * size)


def loss_rows(step: int, count: int = 1) -> Rows:
    steps = np.arange(step, step + count, dtype=np.int64)
    return schema.as_stored(Rows(steps, steps * 1.0, {}, {}, {"loss": Column(steps / 3, np.ones(count, bool))}))


def test_all_is_written_in_order() -> None:
    """`wait` returns when it is; closing keeps the order as well."""
    sink, queue = queued()
    for number in range(50):
        queue.emit(summary(number), 1, 1.0)
    queue.close()
    assert queue.wait(20)
    assert [tag.number for tag in sink.tags] == list(range(50)) and sink.closed == 1


def test_a_disk_that_hangs_is_never_waited_for() -> None:
    """It is told that it does not keep up, and when it has taken too many bytes, that there is no room."""
    sink, queue = queued()
    sink.disk_works.clear()
    queue.emit(summary(0), 1, 1.0)
    assert queue.keeps_up and not queue.wait(0.1)
    for number in range(1, 20):
        queue.emit(summary(number), 1, 1.0)
    assert not queue.keeps_up and queue.has_room
    queue.emit(summary(20, size=1 << 26), 1, 1.0)
    assert not queue.has_room
    sink.disk_works.set()
    assert queue.wait(20) and queue.keeps_up and len(sink.tags) == 21


def test_an_error_is_raised_once_by_the_next_call() -> None:
    """What follows it is tried again, so that a note about the error may be written."""
    sink, queue = queued()
    sink.error = OSError("no space left")
    queue.emit(summary(0), 1, 1.0)
    with pytest.raises(OSError, match="no space"):
        queue.wait(20)
    queue.emit(summary(1), 1, 1.0)
    assert queue.wait(20) and [tag.number for tag in sink.tags] == [1]


def test_a_child_of_fork_writes_nothing() -> None:
    """It neither writes nor waits, whatever is queued."""
    sink, queue = queued()
    sink.disk_works.clear()
    queue.emit(summary(0), 1, 1.0)
    child = os.fork()
    if child == 0:
        queue.emit(summary(1), 1, 1.0)
        queue.close()
        os._exit(0 if queue.wait(10) and not sink.tags and not sink.closed else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    sink.disk_works.set()
    assert queue.wait(20) and len(sink.tags) == 1


def test_while_the_disk_does_not_keep_up_blocks_become_larger() -> None:
    """Statuses are left out and rows are gathered; when the disk is back, all of them are there."""
    sink, queue = queued()
    clock = synthetic_runs.Clock()
    writer = EventWriter(queue, "a", clock.now, clock, history=History())
    sink.disk_works.clear()
    for step in range(1, 301):
        clock.now += 3
        writer.append(loss_rows(step))
    assert len(sink.tags) + queue._queued < 30  # each row would have been a block and a status
    sink.disk_works.set()
    assert queue.wait(20) and writer.finish(20)
    blocks = [schema.decode_row_block(d) for t, d in zip(sink.tags, sink.data, strict=True) if t.kind == "rows"]
    assert np.concatenate([block.rows.steps for block in blocks]).tolist() == list(range(1, 301))
    assert writer.dropped_rows == 0


def test_what_does_not_fit_into_a_block_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks stay numbered without a gap, each says where its rows begin, and the status counts what is written."""
    monkeypatch.setattr("tb_weightwatch.writer.pending_rows.MAX_CELLS", 50)
    sink, queue = queued()
    clock = synthetic_runs.Clock()
    writer = EventWriter(queue, "a", clock.now, clock, history=History())
    sink.disk_works.clear()
    for step in range(1, 301):
        clock.now += 3
        writer.append(loss_rows(step))
    assert writer.dropped_rows > 100
    sink.disk_works.set()
    assert queue.wait(20) and writer.finish(20)
    numbers = [t.number for t in sink.tags if t.kind == "rows"]
    blocks = [schema.decode_row_block(d) for t, d in zip(sink.tags, sink.data, strict=True) if t.kind == "rows"]
    assert numbers == list(range(len(numbers)))
    assert all(block.first == block.rows.steps[0] - 1 for block in blocks)
    written = sum(len(block.rows) for block in blocks)
    assert written + writer.dropped_rows == 300
    assert schema.decode_now(sink.data[-1]).rows == written


def test_what_was_lost_is_written_again_under_the_same_tags() -> None:
    """After a loss all records, blocks and kept arrays come again, and nothing that was queued before."""
    sink, queue = queued()
    clock, history = synthetic_runs.Clock(), History("a")
    writer = EventWriter(queue, "a", clock.now, clock, history=history)

    def record(step: int) -> None:
        clock.now += 3
        for keep in (history.add, writer.add):
            keep(Record(step, "facts", {"n": step}))
        for append in (history.append, writer.append):
            append(loss_rows(step))

    for step in range(1, 6):
        record(step)
    assert queue.wait(20)
    before = dict(zip(sink.tags, sink.data, strict=True))
    sink.tags.clear()
    sink.data.clear()
    sink.error = RecordsLost("removed")
    record(6)
    assert queue.wait(20) and queue.lost
    record(7)
    assert queue.wait(20) and queue.lost and not sink.tags  # not at once: TensorBoard must see that the folder is gone
    assert writer.finish(20)
    after = dict(zip(sink.tags, sink.data, strict=True))
    assert len(after) == len(sink.tags) - [t.kind for t in sink.tags].count("now") + 1  # no tag came twice
    for tag, data in before.items():
        if tag.kind == "header":
            assert schema.decode_records(after[tag]) == schema.decode_records(data)
        elif tag.kind == "rows":
            got, expected = schema.decode_row_block(after[tag]), schema.decode_row_block(data)
            assert got.rows.steps.tolist() == expected.rows.steps.tolist() and got.first == expected.first
    steps = [s for t, d in after.items() if t.kind == "rows" for s in schema.decode_row_block(d).rows.steps]
    assert sorted(steps) == list(range(1, 8))


def test_what_may_be_left_out_is_the_first_to_go() -> None:
    """While a few data wait, offered ones are left out, and rows are still taken; one offer counts as one."""
    sink, queue = queued()
    assert queue.offer([(summary(i), i, 0.0) for i in range(100)])
    assert queue.wait(10)
    assert len(sink.tags) == 100
    sink.disk_works.clear()
    taken = [queue.offer([(summary(0), 0, 0.0)]) for _ in range(20)]
    assert taken.count(True) == taken.index(False) < 20
    assert queue.keeps_up
    queue.emit(summary(1), 1, 0.0)
    sink.disk_works.set()
    assert queue.wait(10)
    assert len(sink.tags) == 100 + taken.count(True) + 1
    assert queue.offer([])


def test_large_offers_are_left_out_while_a_large_one_waits() -> None:
    """Half of the bytes that may wait are left to rows."""
    sink, queue = queued()
    sink.disk_works.clear()
    assert queue.offer([(summary(0, 1 << 23), 0, 0.0)] * 3)
    assert not queue.offer([(summary(0), 0, 0.0)])
    assert queue.has_room
    sink.disk_works.set()
    assert queue.wait(10)


def test_arrays_recorded_while_the_folder_is_gone_are_written_later() -> None:
    """Those that the History keeps are not counted as dropped; a tensor, which it does not keep, is."""
    sink, queue = queued()
    clock, history = synthetic_runs.Clock(), History("a")
    writer = EventWriter(queue, "a", clock.now, clock, history=history)
    sink.error = RecordsLost("removed")
    history.append(loss_rows(1))
    writer.append(loss_rows(1))
    writer.flush()
    assert queue.wait(20) and queue.lost
    maps = [Map(1, "w", kind, np.zeros((2, 2), np.float32), clock.now) for kind in ("update_map", "weight")]
    history.keep(maps[0])
    writer.maps(maps)
    assert writer.dropped_maps == 1
    assert writer.finish(20)
    (data,) = [d for t, d in zip(sink.tags, sink.data, strict=True) if t.kind == "maps"]
    assert [part.map.kind for part in schema.decode_maps(data)] == ["update_map"]
