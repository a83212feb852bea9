"""The storage of a column: what was written is read, and what was not written was not recorded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tb_weightwatch.history import Column, History, Record, Rows
from tb_weightwatch.history.row_storage import ColumnBuffer

SHAPES = st.tuples(st.integers(0, 20), st.integers(1, 40), st.integers(1, 6), st.sampled_from((0.0, 0.5, 1.0)))


@settings(deadline=None, max_examples=100)
@given(st.lists(SHAPES, max_size=8), st.integers(0, 1 << 32), st.booleans(), st.sampled_from([None, 10, 90]))
def test_a_column_is_what_was_written(
    blocks: list[tuple[int, int, int, float]], seed: int, read_between: bool, room: int | None
) -> None:
    """Blocks of any height and width, with gaps of rows between them, are read as written, whenever they are read."""
    random, length, width = np.random.default_rng(seed), 0, 6
    buffer = ColumnBuffer("variable", None if room is None else np.full((room, 4), 7.0, np.float32))
    values, known = np.full((1000, width), np.nan, np.float32), np.zeros((1000, width), bool)
    for gap, height, narrow, share in blocks:
        start, stop = length + gap, length + gap + height
        block = Column(random.normal(size=(height, narrow)), random.random((height, narrow)) < share)
        buffer.write(start, block)
        known[start:stop, :narrow] = block.known
        values[start:stop, :narrow] = np.where(block.known, block.values, np.nan)
        length = stop
        if read_between:
            for rows in (length, length // 2, length + gap):
                found = buffer.read(rows, narrow)
                assert found.known.tobytes() == known[:rows, :narrow].tobytes()
                assert found.values.tobytes() == values[:rows, :narrow].tobytes()
    found = buffer.read(length + 3, width)
    assert found.known.tobytes() == known[: length + 3].tobytes()
    assert found.values.tobytes() == values[: length + 3].tobytes()


def test_reading_takes_no_place_from_what_is_written_later() -> None:
    """Rows that were read before they were written, as another thread may, are those that are written then."""
    buffer = ColumnBuffer("run")
    buffer.write(0, Column(np.ones(3), np.ones(3, bool)))
    assert np.isnan(buffer.read(10, 1).values[3:]).all()
    written = buffer._written
    assert buffer.read(10, 1).known.tolist() == [True] * 3 + [False] * 7
    assert buffer._written is written  # a thread that reads changes nothing of what another one writes
    buffer.write(5, Column(np.full(2, 2.0), np.ones(2, bool)))
    assert buffer.read(8, 1).known.tolist() == [True] * 3 + [False] * 2 + [True] * 2 + [False]


def test_only_a_column_with_gaps_keeps_what_was_recorded() -> None:
    """Which values were recorded takes no memory until one was not: in a block, between blocks, or at their side."""
    ones = Column(np.ones((4, 3)), np.ones((4, 3), bool))
    some = Column(ones.values, np.eye(4, 3, dtype=bool))
    narrow = Column(np.ones((4, 2)), np.ones((4, 2), bool))
    for start, block, gap in ((4, ones, False), (5, ones, True), (4, some, True), (4, narrow, True)):
        buffer = ColumnBuffer("variable")
        buffer.write(0, ones)
        buffer.write(start, block)
        known = buffer.read(start + 4, 3).known
        assert known.all() != gap
        assert any(known.strides) == gap


def block(first: int, rows: int, widths: dict[str, int], random: np.random.Generator) -> Rows:
    """Returns rows in which the columns, by name, have these widths; 0: nothing was recorded; negative: not all."""
    steps, variable = np.arange(first, first + rows), {}
    for name, width in widths.items():
        shape = (rows, abs(width) or 2)
        known = np.broadcast_to(np.bool_(width > 0), shape) if width >= 0 else random.random(shape) < 0.5
        variable[name] = Column(np.where(known, random.normal(size=shape), np.nan).astype(np.float32), known)
    run = {"loss": Column(random.normal(size=rows), np.ones(rows, bool))}
    return Rows(steps, steps / 1.0, variable, {}, run)


@pytest.mark.parametrize("expected", [1, 60, 10_000])
def test_rows_are_the_same_however_many_are_expected(expected: int) -> None:
    """More, fewer, or as many as come: columns of several widths, and some that begin or end later."""
    histories = History("a"), History("a")
    for history, count in zip(histories, (0, expected), strict=True):
        random = np.random.default_rng(0)
        items = [{"name": str(i), "shape": (1,)} for i in range(3)]
        history.add(Record(0, "variables", {"items": items}, 1.0))
        for number, widths in enumerate([{"a": 3, "b": 0, "c": 2}, {"a": 3, "b": 3}, {"a": 2, "c": 3, "d": 3}]):
            history.extend([block(1 + 20 * number, 20, widths, random)], expected=count)
    one, other = histories
    assert one.columns() == other.columns()
    for name in one.columns():
        np.testing.assert_array_equal(one.column(name), other.column(name))
        np.testing.assert_array_equal(one.known(name), other.known(name))


def test_columns_whose_rows_are_known_to_follow_share_one_array() -> None:
    """And none is copied while they come; a column of which nothing was recorded takes no memory."""
    history, random = History("a"), np.random.default_rng(0)
    history.add(Record(0, "variables", {"items": [{"name": str(i), "shape": (1,)} for i in range(2)]}, 1.0))
    history.extend([block(1, 20, {"a": 2, "b": 2, "empty": 0}, random)], expected=60)
    a, b = history.column("a"), history.column("b")
    for number in (1, 2):
        history.append(block(1 + 20 * number, 20, {"a": 2, "b": 2, "empty": 0}, random))
    assert a.base is b.base
    assert np.shares_memory(history.column("a"), a)
    assert not any(history.column("empty").strides)


PARTS = st.lists(st.dictionaries(st.sampled_from("abcd"), st.sampled_from([0, 1, 2, 3, -3])), min_size=1, max_size=5)


@settings(deadline=None, max_examples=100)
@given(PARTS, st.integers(0, 1 << 32), st.integers(0, 5), st.sampled_from([0, 12, 100]))
def test_blocks_that_are_appended_together_are_those_that_were_appended_one_by_one(
    parts: list[dict[str, int]], seed: int, first: int, expected: int
) -> None:
    """Columns that begin, end, widen, narrow, have gaps, or of which nothing was recorded."""
    random, histories = np.random.default_rng(seed), (History("a"), History("a"))
    blocks = [block(1 + 5 * number, 5, widths, random) for number, widths in enumerate(parts)]
    for history in histories:
        items = [{"name": str(i), "shape": (1,)} for i in range(3)]
        history.add(Record(0, "variables", {"items": items}, 1.0))
    one, other = histories
    for rows in blocks:
        one.append(rows)
    other.extend(blocks[:first], expected=expected)
    other.extend(blocks[first:], expected=expected)
    assert one.columns() == other.columns()
    np.testing.assert_array_equal(one.steps, other.steps)
    np.testing.assert_array_equal(one.times, other.times)
    for name in one.columns():
        np.testing.assert_array_equal(one.known(name), other.known(name))
        np.testing.assert_array_equal(one.column(name), other.column(name))


def test_columns_may_be_lists_and_of_several_types() -> None:
    """As a program may append them by hand; together or one by one."""
    one, other = History("a"), History("a")
    values: list[Any] = [[1.5], np.array([2], np.int64), np.array([0.1]), np.array([0.25], np.float32)]
    blocks = [
        Rows(np.array([step]), np.array([1.0]), run={"loss": Column(column, [True])} if step != 3 else {})  # type: ignore[arg-type]
        for step, column in enumerate(values, 1)
    ]
    for rows in blocks:
        one.append(rows)
    other.extend(blocks)
    for history in (one, other):
        np.testing.assert_array_equal(history.column("loss"), [1.5, 2.0, np.nan, 0.25])
        assert history.column("loss").dtype == np.float64
