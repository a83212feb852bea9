"""The writer emits the right data, at the right times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch import schema
from tb_weightwatch.history import Column, Record, Rows
from tb_weightwatch.reader import RunAssembler
from tb_weightwatch.schema import Tag
from tb_weightwatch.verdict import Diagnosis, Verdict
from tb_weightwatch.writer import EventWriter
from tests.support import synthetic_runs


class RecordingSink:
    """A sink that records what it is given: (time, tag, bytes)."""

    def __init__(self, clock: synthetic_runs.Clock) -> None:
        self.clock, self.data, self.flushed, self.closed = clock, [], 0, False

    def emit(self, summary: Any, step: int, wall_time: float) -> None:
        (value,) = summary.value
        assert value.metadata.plugin_data.plugin_name == "weightwatch"
        assert value.metadata.plugin_data.content == b"1"
        self.data.append((wall_time, schema.parse_tag(value.tag), value.tensor.string_val[0]))

    def flush(self) -> None:
        self.flushed = len(self.data)

    def close(self) -> None:
        self.closed = True

    def of(self, kind: str) -> list[tuple[float, Tag, bytes]]:
        return [d for d in self.data if d[1].kind == kind]


def loss_rows(step: int, count: int = 1) -> Rows:
    steps = np.arange(step, step + count, dtype=np.int64)
    return schema.as_stored(Rows(steps, steps * 1.0, {}, {}, {"loss": Column(steps / 3, np.ones(count, bool))}))


def new_writer() -> tuple[synthetic_runs.Clock, RecordingSink, EventWriter]:
    clock = synthetic_runs.Clock()
    sink = RecordingSink(clock)
    return clock, sink, EventWriter(sink, "a1", clock.now, clock)


@pytest.mark.parametrize(("seconds", "most"), [(100, 80), (1_000, 200), (100_000, 500), (2_000_000, 2_500)])
def test_a_run_of_any_length_has_a_few_hundred_blocks(seconds: int, most: int) -> None:
    """Blocks lag by 1.25 s or 2 % of the run, never more than 15 minutes, so tags stay few."""
    clock, sink, writer = new_writer()
    rows, pace = min(seconds, 3000), seconds / min(seconds, 3000)
    for step in range(1, rows + 1):
        clock.now = synthetic_runs.STARTED + pace * step
        writer.append(loss_rows(step))
    lag = np.diff([t for t, *_ in sink.of("rows")])
    assert lag.min() >= 1.25
    assert lag.max() <= max(1.25 + pace, min(900, 0.025 * seconds) + 2 * pace)
    writer.close()
    assert len(sink.of("rows")) <= most
    assert sink.closed
    steps = np.concatenate([schema.decode_row_block(d).rows.steps for _, _, d in sink.of("rows")])
    assert np.array_equal(steps, np.arange(1, rows + 1))


def test_the_status_is_never_older_than_it_says() -> None:
    """A status is at most 2 s old for ten minutes, 10 s for two hours, then 60 s, and says when the next is due."""
    clock, sink, writer = new_writer()
    for second in range(10_000):
        clock.now = synthetic_runs.STARTED + second
        writer.tick(second + 1)
    times = np.array([t for t, *_ in sink.of("now")]) - synthetic_runs.STARTED
    ages = np.diff(times)
    assert ages[times[1:] < 600].max() <= 2
    assert ages[times[1:] < 7200].max() <= 10
    assert ages.max() <= 60
    states = [schema.decode_now(d) for _, _, d in sink.of("now")]
    assert states[-1].due == 60
    assert states[-1].step > 9_900
    assert all(age <= state.due for age, state in zip(ages, states, strict=False))


def verdict(name: str) -> Verdict:
    return Verdict(101, name, "data", "error", "certain", (), 1, 1, False, "m", (), "f")


def test_a_new_verdict_is_written_at_once_but_at_most_once_a_second() -> None:
    """A new verdict is written with its rows; one that was open before is not written at once."""
    clock, sink, writer = new_writer()
    clock.now += 1000
    writer.append(loss_rows(1, 1000))
    clock.now += 0.5
    writer.append(loss_rows(1001))
    before = len(sink.data)
    writer.judged(Diagnosis("sick", "s", (verdict("first"),)))
    assert sink.flushed == len(sink.data) == before + 2  # rows, now
    assert schema.decode_now(sink.data[-1][2]).diagnosis.verdicts[0].name == "first"
    clock.now += 0.3
    writer.append(loss_rows(1002))
    writer.judged(Diagnosis("sick", "s", (verdict("first"), verdict("second"))))
    assert len(sink.data) == before + 2
    clock.now += 0.8
    writer.tick(1003)
    assert schema.decode_now(sink.data[-1][2]).diagnosis.verdicts[1].name == "second"
    before = len(sink.data)
    clock.now += 1.5
    writer.judged(Diagnosis("sick", "s", (verdict("first"), verdict("second"))))
    assert len(sink.data) == before


def test_records_come_before_the_rows_that_need_them() -> None:
    """Dated records are written before the next block, and their data are numbered."""
    clock, sink, writer = new_writer()
    for n in range(3):
        writer.add(Record(n, "facts", {"n": n}))
        clock.now += 3
        writer.append(loss_rows(n + 1))
    kinds = [tag.kind for _, tag, _ in sink.data]
    assert kinds.index("header") < kinds.index("rows")
    assert [tag.number for _, tag, _ in sink.of("header")] == [0, 1, 2]


def test_headers_stay_few_however_many_records_there_are() -> None:
    """Dated records wait for a block once many headers were written."""
    clock, sink, writer = new_writer()
    for n in range(1, 20_000):
        clock.now += 1
        writer.add(Record(n, "cost", {"overhead": n}))
        writer.tick(n)
        if n % 10 == 0:
            writer.append(loss_rows(n))
    writer.close()
    assert len(sink.of("header")) < 500
    assert sum(len(schema.decode_records(d)) for _, _, d in sink.of("header")) == 19_999


def test_rows_of_growing_width_become_one_block() -> None:
    """A variable that appears later, or a column that is missing in a part, was not recorded there."""
    _, sink, writer = new_writer()
    for step, width in ((1, 1), (2, 3)):
        block = loss_rows(step)
        if width > 1:
            block.run.clear()
        block.variable["update_norm"] = Column(np.full((1, width), 0.5, np.float32), np.ones((1, width), bool))
        writer.append(block)
    writer.close()
    (data,) = [d for _, _, d in sink.of("rows")]
    got = schema.decode_row_block(data).rows
    assert got.variable["update_norm"].known.tolist() == [[True, False, False], [True, True, True]]
    assert got.run["loss"].known.tolist() == [True, False]


def test_large_rows_are_split() -> None:
    """No block is larger than a reader accepts."""
    _, sink, writer = new_writer()
    width = 60_000
    shape = (100, width)
    block = Rows(np.arange(1, 101), np.zeros(100), {"gradient_none": Column(np.zeros(shape), np.ones(shape, bool))})
    writer.append(block)
    writer.close()
    blocks = [schema.decode_row_block(d) for _, _, d in sink.of("rows")]
    assert len(blocks) > 1
    assert sum(len(b.rows) for b in blocks) == 100
    assert [b.first for b in blocks] == [0, *np.cumsum([len(b.rows) for b in blocks])[:-1]]


def test_the_status_stays_small() -> None:
    """After 1.5 MB of statuses, they no longer include the latest row."""
    clock, sink, writer = new_writer()
    for n in range(600):
        clock.now += 2
        writer.append(synthetic_runs.rows(n + 1, 1, variables=400))
    assert sum(len(d) for _, _, d in sink.of("now")) < 2_000_000
    assert schema.decode_now(sink.of("now")[-1][2], latest=True).latest is None


def test_a_launch_must_fit_in_a_tag() -> None:
    """A launch with a slash, whose tags could not be parsed, is an error."""
    with pytest.raises(ValueError, match="got 'a/b'"):
        EventWriter(RecordingSink(synthetic_runs.Clock()), "a/b", 0.0)


def test_a_failing_sink_raises_to_the_caller() -> None:
    """The writer passes the sink's errors on."""

    class Full(RecordingSink):
        def emit(self, summary: Any, step: int, wall_time: float) -> None:
            raise OSError("no space left on device")

    writer = EventWriter(Full(synthetic_runs.Clock()), "a1", synthetic_runs.STARTED, synthetic_runs.Clock())
    with pytest.raises(OSError, match="no space"):
        writer.append(loss_rows(1))


def test_a_signal_during_a_write_does_not_write_in_between() -> None:
    """A flush from a signal handler that interrupts a write is postponed."""
    clock = synthetic_runs.Clock()

    class Interrupted(RecordingSink):
        def emit(self, summary: Any, step: int, wall_time: float) -> None:
            writer.flush()
            super().emit(summary, step, wall_time)

    sink = Interrupted(clock)
    writer = EventWriter(sink, "a1", clock.now, clock)
    writer.append(loss_rows(1))
    writer.close()
    assert [tag.number for _, tag, _ in sink.of("rows")] == [0]


def test_the_last_status_counts_also_if_the_clock_was_set_back() -> None:
    """Its time is what the clock says, but a reader of all statuses, in any order, takes it for the last one."""
    clock, sink, writer = new_writer()
    for step, hours in ((1, 0), (2, 90_000), (3, -90_000), (4, 0)):
        clock.now = synthetic_runs.STARTED + 3600 * hours + step
        writer.append(loss_rows(step))
        writer.flush()
    assembler = RunAssembler()
    for _, tag, data in reversed(sink.data):
        assembler.put(tag, data)
    (launch,) = assembler.launches(settled=True)
    assert (launch.now.step, launch.now.time) == (4, synthetic_runs.STARTED + 4)
    assert not launch.skipped
