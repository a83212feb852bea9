"""Columns that are decoded together are, to the bit, those that an obvious decoder gives one at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tb_weightwatch import schema
from tb_weightwatch.history import Column, Rows
from tb_weightwatch.schema import DecodeError, column_decoder, quantizers, row_blocks
from tb_weightwatch.schema import weightwatch_pb2 as pb
from tb_weightwatch.schema.envelope import encode_envelope
from tb_weightwatch.statistics import QUANTITIES

DTYPES = {"variable": np.float32, "layer": np.float32, "run": np.float64}


def reference(series: Any, block: Any) -> Column:
    """Decodes one column, value by value where that says most plainly what the format means."""
    axis, shape = pb.Series.Axis.Name(series.axis).lower(), (series.width, block.rows)
    values, known = np.full(shape, np.nan, DTYPES[axis]), np.zeros(shape, bool)
    if series.known != pb.Series.NOTHING and series.width:
        codec = quantizers.CODECS[pb.Series.Encoding.Name(series.encoding).lower()]
        packed = block.columns[series.same - 1].values if series.same else series.values
        decoded = codec.decode(codes(packed, *shape, codec.dtype)).astype(values.dtype)
        bits = np.unpackbits(np.frombuffer(series.known_bits, np.uint8))[: known.size]
        known[:] = True if series.known == pb.Series.ALL else bits.reshape(shape)
        values[known] = decoded[known]
    return Column(values[0], known[0]) if axis == "run" else Column(values.T, known.T)


def codes(packed: Any, width: int, rows: int, dtype: Any) -> Any:
    """Returns `[width, rows]` integers."""
    bits = 8 * np.dtype(dtype).itemsize
    head, data = packed.head_planes * width, packed.data
    found = np.zeros((width, rows), dtype)
    for i in range(width):
        total = sum(data[plane * width + i] << (8 * plane) for plane in range(packed.head_planes))
        found[i, 0] = total
        for j in range(rows - 1):
            places = (head + (plane * width + i) * (rows - 1) + j for plane in range(packed.delta_planes))
            zigzag = sum(data[place] << (8 * plane) for plane, place in enumerate(places))
            total = (total + (zigzag >> 1) * (1 - 2 * (zigzag & 1)) - (zigzag & 1)) % (1 << bits)
            found[i, j + 1] = total
    return found


@st.composite
def messages(draw: st.DrawFn) -> pb.Block:
    """Blocks of columns of any quantity in any encoding, of any codes; some have the form of others, or their codes."""
    rows, random = draw(st.integers(1, 12)), np.random.default_rng(draw(st.integers(0, 1 << 32)))
    widths = {"variable": draw(st.sampled_from((0, 1, 3, 60, 300))), "layer": draw(st.integers(0, 4)), "run": 1}
    block = pb.Block(rows=rows)
    block.steps.CopyFrom(row_blocks.to_block(Rows(np.arange(1, rows + 1), np.zeros(rows)), 0).steps)
    block.times.SetInParent()
    for name in draw(st.lists(st.sampled_from(sorted(QUANTITIES)), unique=True, max_size=8)):
        axis, encoding = QUANTITIES[name].axis, draw(st.sampled_from(sorted(quantizers.CODECS)))
        width, most = widths[axis], quantizers.CODECS[encoding].itemsize
        series = block.columns.add(name=name, axis=axis.upper(), encoding=encoding.upper(), width=width)
        series.known = draw(st.sampled_from((pb.Series.ALL, pb.Series.ALL, pb.Series.SOME, pb.Series.NOTHING)))
        if series.known == pb.Series.SOME:
            series.known_bits = random.bytes((width * rows + 7) // 8)
        planes = [draw(st.sampled_from((0, 1, most))) for _ in range(2)]
        size = planes[0] * width + planes[1] * width * (rows - 1)
        series.values.CopyFrom(pb.Packed(head_planes=planes[0], delta_planes=planes[1], data=random.bytes(size)))
        alike = [
            i for i, other in enumerate(block.columns, 1) if (other.encoding, other.width) == (series.encoding, width)
        ]
        series.same = draw(st.sampled_from((0, *alike)))
    return block


@settings(deadline=None, max_examples=80)
@given(st.lists(messages(), min_size=1, max_size=3), st.sampled_from((1, 500, column_decoder._VALUES)))
def test_columns_are_those_of_an_obvious_decoder(blocks: list[pb.Block], together: int) -> None:
    """All codes, forms and masks, of however many blocks they are decoded together, give the same columns in order."""
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(column_decoder, "_VALUES", together)
        coded = [schema.coded_block(encode_envelope("ROWS", block)) for block in blocks]
        decoded = schema.decode_row_blocks(coded)
        expected = [{series.name: reference(series, block) for series in block.columns} for block in blocks]
    for row_block, coded_block, columns in zip(decoded, coded, expected, strict=True):
        assert not row_block.unknown_columns
        assert schema.cell_count(row_block.rows) == coded_block.cells
        check(row_block.rows, columns)


def check(rows: Rows, expected: dict[str, Column]) -> None:
    """Checks that rows have these columns, to the bit and in this order."""
    found = {name: column for _, columns in rows.axes() for name, column in columns.items()}
    for axis, columns in rows.axes():
        assert list(columns) == [name for name in expected if QUANTITIES[name].axis == axis]
    for name, (values, known) in expected.items():
        assert found[name].values.dtype == values.dtype
        assert found[name].values.shape == values.shape == found[name].known.shape
        assert found[name].values.tobytes() == values.tobytes(), name
        assert found[name].known.tobytes() == known.tobytes(), name


def test_each_code_of_a_size_is_decoded_as_the_table_says() -> None:
    """To the bit: zero, subnormal numbers, all others, infinities and NaN; alone and beside others."""
    codes = np.arange(1 << 16, dtype=np.uint16)
    decode, table = quantizers.CODECS["size"].decode, quantizers._SIZE_VALUES
    assert decode(codes).tobytes() == table.tobytes()
    for start in range(0, 1 << 16, 1000):
        assert decode(codes[start : start + 1000]).tobytes() == table[start : start + 1000].tobytes()


@settings(deadline=None, max_examples=80)
@given(messages(), st.data())
def test_a_column_of_another_size_is_refused(block: pb.Block, data: st.DataObject) -> None:
    """A byte too many or too few, or planes that no code has, are refused, whatever columns stand beside it."""
    own = [s for s in block.columns if s.known != pb.Series.NOTHING and s.width and not s.same]
    if not own:
        return
    series = data.draw(st.sampled_from(own))
    change = data.draw(st.sampled_from(("longer", "planes", "bits", "same")))
    if change == "longer":
        series.values.data += b"\0"
    elif change == "planes":
        series.values.delta_planes = 9
    elif change == "bits":
        series.known, series.known_bits = pb.Series.SOME, series.known_bits + bytes(1 + series.width * block.rows)
    else:
        series.same = len(block.columns) + 1
    with pytest.raises(DecodeError):
        row_blocks.from_block(block)
