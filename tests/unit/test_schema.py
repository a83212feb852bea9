"""Decoding gives what was encoded, to the stored precision; damaged, newer and hostile data are refused."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tb_weightwatch import schema
from tb_weightwatch.history import Column, Record, Rows
from tb_weightwatch.schema import DecodeError, LaunchStatus, quantizers, row_blocks
from tb_weightwatch.schema import weightwatch_pb2 as pb
from tb_weightwatch.statistics import QUANTITIES, names
from tb_weightwatch.verdict import Diagnosis

HUGE = float(np.finfo(np.float32).max)
SPECIAL = [
    0.0,
    -0.0,
    np.nan,
    np.inf,
    -np.inf,
    1e-45,
    1e-38,
    HUGE,
    1.0,
    0.5,
    1 - 2**-24,
    0.9999,
    1e-9,
    -1.0,
    3.0,
    16777217.0,
]
numbers = st.one_of(st.sampled_from(SPECIAL), st.floats(width=32), st.floats())


def decoded(data: bytes) -> Rows:
    return schema.decode_row_block(data).rows


def block(draw_values, known, steps) -> Rows:
    rows = Rows(np.asarray(steps, np.int64), 1.7e9 + np.asarray(steps) * 0.0123456)
    for axis, columns in rows.axes():
        for place, name in enumerate(names(axis)):
            values = np.roll(draw_values, place, axis=1)
            mask = np.roll(known, place, axis=1)
            columns[name] = Column(values[:, 0], mask[:, 0]) if axis == "run" else Column(values, mask)
    return rows


@st.composite
def blocks(draw) -> Rows:
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 5)))
    values = draw(hnp.arrays(np.float64, shape, elements=numbers))
    known = draw(hnp.arrays(bool, shape))
    steps = np.cumsum(draw(hnp.arrays(np.int64, shape[0], elements=st.integers(1, 1 << 40))))
    return block(values, known, steps)


def assert_same(a: Rows, b: Rows) -> None:
    assert np.array_equal(a.steps, b.steps)
    assert a.times.tobytes() == b.times.tobytes()
    for (axis, left), (_, right) in zip(a.axes(), b.axes(), strict=True):
        assert left.keys() == right.keys()
        for name in left:
            assert np.array_equal(left[name].known, right[name].known), name
            assert left[name].values.dtype == right[name].values.dtype == (np.float64 if axis == "run" else np.float32)
            # NaN payloads are ours to choose; everything else must agree to the bit
            assert left[name].values.tobytes() == right[name].values.tobytes(), name


def some_rows(rows: Rows, start: int, stop: int) -> Rows:
    cut = Rows(rows.steps[start:stop], rows.times[start:stop])
    for (_, columns), (_, target) in zip(rows.axes(), cut.axes(), strict=True):
        for name, (values, known) in columns.items():
            target[name] = Column(values[start:stop], known[start:stop])
    return cut


@settings(deadline=None, max_examples=60)
@given(blocks())
def test_decoding_gives_the_rows_as_stored(rows: Rows) -> None:
    """decode(encode(rows)) is as_stored(rows), for raw rows and for stored ones; storing twice changes nothing."""
    with np.errstate(all="raise"):
        stored = schema.as_stored(rows)
        assert_same(decoded(schema.encode_rows(rows)), stored)
        assert_same(decoded(schema.encode_rows(stored)), stored)
        assert_same(schema.as_stored(stored), stored)


@settings(deadline=None, max_examples=40)
@given(blocks(), st.data())
def test_a_row_is_stored_alone_as_in_a_block(rows: Rows, data: st.DataObject) -> None:
    """How a row is stored does not depend on how rows were divided into blocks."""
    stored = schema.as_stored(rows)
    cut = data.draw(st.integers(1, len(rows)))
    for start, stop in ((0, cut), (cut - 1, cut), (cut, len(rows))):
        if stop > start:
            assert_same(schema.as_stored(some_rows(rows, start, stop)), some_rows(stored, start, stop))
            assert_same(decoded(schema.encode_rows(some_rows(rows, start, stop))), some_rows(stored, start, stop))


def stored_values(encoding: str, values: list[float]) -> list[float]:
    codec = quantizers.CODECS[encoding]
    return codec.decode(codec.encode(np.array(values, np.float64))).astype(np.float32).astype(np.float64).tolist()


def test_every_code_reads_back_as_itself() -> None:
    """No code changes when its value is encoded again, in float32."""
    for encoding in ("size", "share", "cosine", "flag"):
        codec = quantizers.CODECS[encoding]
        values = codec.decode(np.arange(65536, dtype=np.uint16)).astype(np.float32)
        again = codec.decode(codec.encode(values.astype(np.float64))).astype(np.float32)
        assert np.array_equal(values, again, equal_nan=True), encoding


@given(st.lists(st.floats(0, HUGE, width=32), min_size=2, max_size=50))
def test_sizes_keep_their_order_and_their_size(values: list[float]) -> None:
    """A size is off by less than half a percent and never changes places with another."""
    values = sorted(values)
    got = stored_values("size", values)
    assert got == sorted(got)
    for before, after in zip(values, got, strict=True):
        assert (before == 0) == (after == 0)
        assert after == pytest.approx(before, rel=0.004, abs=1e-45)


def test_sizes_at_the_ends() -> None:
    """Zero, subnormals, the largest float32, NaN and infinities survive; no finite size becomes infinite."""
    values = [0.0, 1e-45, 2.8e-45, 1e-38, HUGE, np.inf, -np.inf, np.nan, 1e300, 1e-300]
    got = stored_values("size", values)
    assert got[0] == 0
    assert got[1] == np.float32(1e-45)
    assert got[2] == np.float32(2.8e-45)
    assert got[4] == got[8] == pytest.approx(HUGE, rel=0.005)
    assert got[5:7] == [np.inf, -np.inf]
    assert np.isnan(got[7])
    assert got[9] == np.float32(1e-45)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=50))
def test_shares_are_none_or_all_only_when_they_were(values: list[float]) -> None:
    """An inner share never becomes 0 or 1, not even in float32, and shares keep their order."""
    values = sorted(values)
    got = stored_values("share", values)
    assert got == sorted(got)
    for before, after in zip(values, got, strict=True):
        assert (before == 0) == (after == 0)
        assert (before == 1) == (after == 1)
        if 2**-64 < before < 1 - 2**-24:
            assert after == pytest.approx(before, rel=0.004)
            assert 1 - after == pytest.approx(1 - before, rel=0.02)


def test_shares_keep_their_meaning_at_both_ends() -> None:
    """0.9999 stays 0.9999, one element in a thousand million stays one, all but one stays not all."""
    assert stored_values("share", [0.9999])[0] == pytest.approx(0.9999, abs=1e-6)
    assert stored_values("share", [1e-9])[0] == pytest.approx(1e-9, rel=0.01)
    assert stored_values("share", [1 - 1e-9, 1 - 1e-12]) == [float(np.nextafter(np.float32(1), np.float32(0)))] * 2
    assert stored_values("share", [0.5, 0.25, 0.75]) == [0.5, 0.25, 0.75]


def test_counts_flags_cosines_and_exact_numbers() -> None:
    """Counts are exact integers; losses are float32; nothing finite becomes infinite and nothing non-zero zero."""
    codec = quantizers.CODECS["count"]
    counts = np.array([0, 1, 123_456_789_012, np.nan, np.inf, -np.inf, -5])
    assert np.array_equal(codec.decode(codec.encode(counts)), counts, equal_nan=True)
    assert stored_values("flag", [0, 1, 7])[:3] == [0, 1, 1]
    assert stored_values("cosine", [-1, 0, 1, 2])[:4] == [-1, 0, 1, 1]
    got = stored_values("exact", [0.1, 1e300, -1e300, 1e-300, np.inf])
    assert got == [float(np.float32(0.1)), HUGE, -HUGE, float(np.float32(1e-45)), np.inf]


def loss_rows(n: int = 3) -> Rows:
    return Rows(np.arange(1, n + 1), np.arange(n) + 1.7e9, {}, {}, {"loss": Column(np.arange(n) / 7, np.ones(n, bool))})


def test_a_column_that_equals_another_is_written_once() -> None:
    """A gradient that was not clipped does not cost its bytes twice."""
    values = np.random.default_rng(0).lognormal(size=(50, 40))
    rows = Rows(np.arange(1, 51), np.zeros(50), {"gradient_norm": Column(values, np.ones_like(values, bool))})
    once = len(schema.encode_rows(rows))
    rows.variable["raw_gradient_norm"] = rows.variable["gradient_norm"]
    assert len(schema.encode_rows(rows)) < once + 60
    assert_same(decoded(schema.encode_rows(rows)), schema.as_stored(rows))


def test_unknown_columns_are_refused_when_written_and_named_when_read() -> None:
    """A column of a later version is left out and named; the others are read."""
    rows = loss_rows()
    rows.run["novelty"] = rows.run["loss"]
    with pytest.raises(ValueError, match="table of quantities with its axis, got 'novelty'"):
        schema.encode_rows(rows)
    with pytest.raises(ValueError, match="novelty"):
        schema.as_stored(rows)
    message = row_blocks.to_block(loss_rows(), 0)
    message.columns.add(name="novelty", axis="RUN", encoding="SIZE", width=1)
    late = message.columns.add(name="target_mean", axis="RUN", width=1)
    late.encoding = 99
    row_block = schema.decode_row_block(schema.envelope.encode_envelope("ROWS", message))
    assert row_block.unknown_columns == ("novelty", "target_mean")
    assert_same(row_block.rows, schema.as_stored(loss_rows()))


def changed_block(change) -> bytes:
    message = row_blocks.to_block(loss_rows(), 0)
    change(message)
    return schema.envelope.encode_envelope("ROWS", message)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: setattr(m, "rows", 4_000_000_000),
        lambda m: setattr(m, "rows", 0),
        lambda m: setattr(m, "first", -1),
        lambda m: setattr(m.columns[0], "width", 4_000_000_000),
        lambda m: setattr(m.columns[0], "width", 2),
        lambda m: setattr(m.columns[0], "name", "x" * 10_000),
        lambda m: setattr(m.columns[0], "same", 7),
        lambda m: setattr(m.columns[0], "known", 9),
        lambda m: setattr(m.columns[0].values, "data", b""),
        lambda m: setattr(m.columns[0].values, "delta_planes", 200),
        lambda m: setattr(m.steps, "data", b"\x05"),
        lambda m: m.columns.extend([m.columns[0]] * 2),
        lambda m: m.columns.extend([m.columns[0]] * 300),
    ],
)
def test_impossible_blocks_are_refused(change) -> None:
    """Bounds are checked before memory is taken."""
    with pytest.raises(DecodeError):
        decoded(changed_block(change))


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_a_flipped_bit_is_noticed(place: int, bit: int) -> None:
    """No single flipped bit goes unnoticed or raises anything but DecodeError."""
    data = bytearray(schema.encode_rows(loss_rows(20), started=1.7e9))
    good = schema.decode_row_block(bytes(data))
    data[place % len(data)] ^= 1 << bit
    try:
        row_block = schema.decode_row_block(bytes(data))
    except DecodeError:
        return
    assert row_block.started == good.started  # a bit that protobuf itself ignores
    assert_same(row_block.rows, good.rows)


@given(st.binary(max_size=300))
def test_noise_is_refused(data: bytes) -> None:
    """Random bytes are refused with a reason."""
    for decode in (schema.decode_row_block, schema.decode_records, schema.decode_now):
        with pytest.raises(DecodeError):
            decode(data)


def enveloped(raw: bytes, size: int, kind: str = "ROWS", version: int = 1) -> bytes:
    body = zlib.compress(raw)
    crc = zlib.crc32(body, zlib.crc32(struct.pack("<Id", size, 0.0)))
    return pb.Envelope(version=version, crc32=crc, raw_size=size, kind=kind, body=body).SerializeToString()


def test_a_bomb_is_not_unpacked() -> None:
    """A body that decompresses to more than it claims, or claims more than is allowed, is refused."""
    bomb = bytes(200_000_000)
    for size in (100, len(bomb)):
        with pytest.raises(DecodeError, match=r"large|another size"):
            decoded(enveloped(bomb, size))


@pytest.mark.parametrize(
    ("kind", "decode"),
    [
        ("ROWS", schema.decode_row_block),
        ("RECORDS", schema.decode_records),
        ("NOW", schema.decode_now),
        ("MAPS", schema.decode_maps),
    ],
)
def test_a_body_that_is_no_message_is_refused(kind: str, decode: Callable[[bytes], object]) -> None:
    """An envelope whose checksum is right and whose body is not a message of its kind is refused."""
    with pytest.raises(DecodeError, match=f"does not hold what a datum of kind {kind} holds"):
        decode(enveloped(b"\xff\xff", 2, kind))


def test_a_newer_version_says_so() -> None:
    """The message says which version wrote it, and to upgrade."""
    with pytest.raises(DecodeError, match="schema version 2; this tb_weightwatch reads up to 1: upgrade"):
        decoded(enveloped(b"", 0, version=2))


def test_records_and_status_survive() -> None:
    """Dated records and the status come back; numpy values become plain ones."""
    data = {"items": [{"name": "\ud800<img>\u202e", "shape": [3, 4], "later": 1, "trainable": "yes"}]}
    records = [
        Record(0, "variables", data, 1.5),
        Record(7, "facts", {"a": np.float32(0.5), "b": np.arange(3), "c": (1, 2), "d": float("nan")}, 2.5),
    ]
    first, second = schema.decode_records(schema.encode_records(records))
    assert first.data["items"] == [{"name": "\ud800<img>\u202e", "shape": [3, 4]}]
    assert second.data["a"] == 0.5
    assert second.data["b"] == [0, 1, 2]
    assert np.isnan(second.data["d"])
    assert schema.record_as_stored(first) == first
    now = LaunchStatus(5.0, 2.0, 9, 3, 1, 2, schema.as_stored(loss_rows(1)), Diagnosis("healthy", "All is well."), 1.0)
    again = schema.decode_now(schema.encode_now(now), latest=True)
    assert again.latest is not None
    assert_same(again.latest, schema.as_stored(loss_rows(1)))
    assert (again.time, again.due, again.step, again.rows, again.diagnosis) == (5.0, 2.0, 9, 3, now.diagnosis)


@pytest.mark.parametrize("text", ["[]", "{", "[" * 100_000, '{"items": 3}', '{"items": [{"name": 4}]}'])
def test_hostile_records_are_refused(text: str) -> None:
    """Invalid JSON, JSON that nests too deep, and values of a wrong type are left out and counted, record by record."""
    message = pb.Records()
    message.records.add(step=1, kind="variables", json=text)
    message.records.add(step=1, kind="facts", json='{"gradients": "used"}')
    reader = schema.RecordReader()
    (kept,) = reader.read(schema.envelope.encode_envelope("RECORDS", message))
    assert kept == Record(1, "facts", {"gradients": "used"}, 0.0)
    assert reader.problems.total() == 1


def test_tags_and_their_parts() -> None:
    """A tag and its parts are one to one; other tags have no parts."""
    for tag in (schema.Tag("65f-ab", "rows", 7), schema.Tag("x", "now"), schema.Tag("x", "header", 1_234_567)):
        assert schema.parse_tag(str(tag)) == tag
    for text in ("weightwatch/a/b/now", "loss", "weightwatch/a/rows/x", "weightwatch/a/now/1", "weightwatch//now"):
        assert schema.parse_tag(text) is None


def test_all_encodings_are_known() -> None:
    """Every quantity of the table has a codec and a name in the schema."""
    for quantity in QUANTITIES.values():
        assert quantity.encoding in quantizers.CODECS
        assert quantity.encoding.upper() in set(pb.Series.Encoding.keys())
