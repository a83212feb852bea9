"""The storage of a column: what was written is read, and what was not written was not recorded."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tb_weightwatch.history import Column
from tb_weightwatch.history.rows import ColumnBuffer

SHAPES = st.tuples(st.integers(0, 20), st.integers(1, 40), st.integers(1, 6), st.sampled_from((0.0, 0.5, 1.0)))


@settings(deadline=None, max_examples=100)
@given(st.lists(SHAPES, max_size=8), st.integers(0, 1 << 32), st.booleans())
def test_a_column_is_what_was_written(blocks: list[tuple[int, int, int, float]], seed: int, read_between: bool) -> None:
    """Blocks of any height and width, with gaps of rows between them, are read as written, whenever they are read."""
    random, buffer, length, width = np.random.default_rng(seed), ColumnBuffer("variable"), 0, 6
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
