"""Blocks of rows that are read together become the rows that they are one by one, in storage that is taken once."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from tb_weightwatch import schema
from tb_weightwatch.history import Column, History, Record, Rows
from tb_weightwatch.reader import launch_builder, launch_rows
from tb_weightwatch.reader.assembly import RunAssembler
from tb_weightwatch.reader.launch import Launch
from tb_weightwatch.schema import CodedBlock, Tag

SIZES = [3, 3, 3, 7, 20, 20, 1]
WIDTH = 4


def rows(first: int, count: int) -> Rows:
    """Returns the rows from index `first` on."""
    steps, random = np.arange(first + 1, first + count + 1), np.random.default_rng(first)
    norms = {
        name: Column(random.random((count, WIDTH)).astype(np.float32) + 1, np.ones((count, WIDTH), bool))
        for name in ("weight_norm", "update_norm")
    }
    return Rows(steps, steps / 1.0, norms, {}, {"loss": Column(random.random(count), np.ones(count, bool))})


def blocks() -> list[tuple[int, bytes]]:
    """Returns the number and the bytes of each block."""
    starts = itertools.accumulate(SIZES[:-1], initial=0)
    return [
        (i, schema.encode_rows(rows(start, size), start))
        for i, (start, size) in enumerate(zip(starts, SIZES, strict=True))
    ]


def read(data: list[tuple[int, bytes]]) -> Launch:
    """Returns the launch of a run that has these blocks and the description of its variables."""
    items = [{"name": f"v{i}", "shape": [2], "layer": "", "trainable": True} for i in range(WIDTH)]
    assembler = RunAssembler()
    assembler.put(Tag("a1", "header", 0), schema.encode_records([Record(0, "variables", {"items": items}, 1.0)]))
    for number, block in data:
        assembler.put(Tag("a1", "rows", number), block)
    (launch,) = assembler.launches()
    return launch


def content(history: History) -> list[bytes]:
    columns = [array.tobytes() for name in history.columns() for array in (history.column(name), history.known(name))]
    return [history.steps.tobytes(), history.times.tobytes(), *columns]


@pytest.mark.parametrize("lacking", [None, 0, 3, len(SIZES) - 1])
@pytest.mark.parametrize("damaged", [False, True])
def test_blocks_are_the_same_however_many_are_read_together(
    lacking: int | None, damaged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the first one, one in the middle or the last one is missing, or cannot be decoded."""
    data = [(number, b"noise" if number == lacking else block) for number, block in blocks()]
    if not damaged:
        data = [(number, block) for number, block in data if number != lacking]
    launches = []
    for together in (1, 50, 1 << 20):
        monkeypatch.setattr(launch_builder, "_CELLS_TOGETHER", together)
        launches.append(read(data))
    first = launches[0]
    assert len(first.history) == sum(size for i, size in enumerate(SIZES) if i != lacking)
    for launch in launches:
        assert content(launch.history) == content(first.history)
        assert launch.skipped == first.skipped
        assert launch.history.complete == first.history.complete


def test_storage_is_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For all rows, although the first blocks are small, and the columns share it."""
    monkeypatch.setattr(launch_builder, "_CELLS_TOGETHER", 1)
    history = read(blocks()).history
    bases = [history.column(name).base for name in ("weight_norm", "update_norm")]
    assert bases[0] is bases[1]
    assert bases[0].shape == (2, sum(SIZES), WIDTH)


def test_a_block_that_claims_to_be_far_away_takes_no_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is taken is bounded by the blocks that were read, and by the values that a launch may have."""
    monkeypatch.setattr(launch_builder, "_CELLS_TOGETHER", 1)
    far = [*blocks()[:-1], (len(SIZES) - 1, schema.encode_rows(rows(1 << 40, 1), 1 << 40))]
    launch = read(far)
    assert len(launch.history) == sum(SIZES) and not launch.history.complete
    assert launch.history.column("weight_norm").base.shape[1] <= 3 + launch_rows._LARGER * len(SIZES) * max(SIZES)
    assert len(launch.history._storage.steps) <= 4 * sum(SIZES)
    monkeypatch.setattr(launch_rows, "MAX_LAUNCH_CELLS", 9 * (2 * WIDTH + 1))
    assert launch_rows.MAX_LAUNCH_CELLS // (2 * WIDTH + 1) == 9
    assert len(read(far).history) == 9
    assert read(far).history.column("weight_norm").base.shape[1] == 9


def test_a_wide_column_in_a_few_rows_takes_no_storage_for_other_columns() -> None:
    """Columns of the same width share an array; what they may have together is bounded."""
    wide = rows(0, 1)
    known = np.ones((1, 1 << 16), bool)
    wide.variable["gradient_norm"] = Column(known.astype(np.float32), known)
    data = [(0, schema.encode_rows(wide, 0)), *((i, schema.encode_rows(rows(i, 1), i)) for i in range(1, 300))]
    history = read(data).history
    written = {name: buffer._written.values for name, buffer in history._storage.buffers["variable"].items()}
    assert written["weight_norm"].shape[1] == WIDTH
    assert written["gradient_norm"].size <= launch_rows.MAX_LAUNCH_CELLS
    assert len(history) == 300


def test_blocks_without_values_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch ends after some blocks, however little they hold."""
    lengths: list[int] = []
    append = launch_rows.LaunchRows.append

    def counted(self: launch_rows.LaunchRows, blocks: list[CodedBlock], *more: Any) -> None:
        lengths.append(len(blocks))
        append(self, blocks, *more)

    monkeypatch.setattr(launch_rows.LaunchRows, "append", counted)
    times = np.zeros(1)
    data = [(i, schema.encode_rows(Rows(np.array([i + 1]), times), i)) for i in range(600)]
    assert len(read(data).history) == 600
    assert max(lengths) == launch_builder._BLOCKS_TOGETHER
