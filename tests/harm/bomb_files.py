"""What stands in small files that would take gigabytes: each function yields tags with their data."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tb_weightwatch import schema
from tb_weightwatch.maps import HISTOGRAMS, OCTAVES, Map
from tb_weightwatch.statistics import QUANTITIES

pb = schema.envelope.pb
Data = Iterator[tuple[str, bytes]]  # tag, datum


def enveloped(kind: str, raw: bytes) -> bytes:
    """Returns a datum with a body that is compressed as well as it can be, its checksums right."""
    compressor = zlib.compressobj(9)
    body = compressor.compress(raw) + compressor.flush()
    crc = zlib.crc32(body, zlib.crc32(struct.pack("<Id", len(raw), 1e9)))
    return pb.Envelope(version=1, crc32=crc, raw_size=len(raw), kind=kind, body=body, started=1e9).SerializeToString()


def records(kind: str, json: str, number: int = 1) -> bytes:
    """Returns a datum with so many records."""
    message = pb.Records()
    message.records.extend([pb.Dated(step=1, kind=kind, json=json)] * number)
    return enveloped("RECORDS", message.SerializeToString())


def nested_lists() -> Data:
    """Facts of 30 MB that parse to millions of empty lists."""
    text = '{"model": [' + ",".join(["[]"] * 10_000_000) + "]}"
    datum = records("facts", text)
    yield from ((f"weightwatch/a1/header/{i:06d}", datum) for i in range(8))


def large_text() -> Data:
    """A fact of 60 MB of text."""
    text = '{"precision": "' + "x" * 60_000_000 + '"}'
    yield from ((f"weightwatch/a1/header/{i:06d}", records("facts", text)) for i in range(8))


def many_records() -> Data:
    """Millions of records."""
    yield from ((f"weightwatch/a1/header/{i:06d}", records("cost", "{}", 2_000_000)) for i in range(4))


def many_names() -> Data:
    """As many variables as one record may describe, again and again."""
    for i in range(30):
        items = ",".join(f'{{"name":"v{i}-{n}"}}' for n in range(100_000))
        yield f"weightwatch/a1/header/{i:06d}", records("variables", f'{{"items":[{items}]}}')


def deep() -> Data:
    """JSON that nests millions deep, and integers of a hundred thousand digits."""
    yield "weightwatch/a1/header/000000", records("facts", '{"a":' * 5_000_000)
    yield "weightwatch/a1/header/000001", records("facts", '{"released": ' + "9" * 100_000 + "}")
    yield "weightwatch/a1/header/000002", records("facts", '{"released": 1e999}')


def status() -> Data:
    """A status with a diagnosis of 60 MB."""
    text = '{"passed": [' + ",".join(['""'] * 15_000_000) + "]}"
    yield "weightwatch/a1/now", enveloped("NOW", pb.Now(time=1e9, diagnosis=text).SerializeToString())


def empty_arrays() -> Data:
    """A datum with millions of arrays."""
    message = pb.Maps(step=1)
    message.arrays.extend([pb.Array(variable="v", kind="weight", encoding="EXACT")] * 2_500_000)
    yield "weightwatch/a1/maps/000000", enveloped("MAPS", message.SerializeToString())


def zero_tensors() -> Data:
    """Tensors of zeros, a gigabyte together."""
    array = pb.Array(variable="v", kind="weight", encoding="EXACT", dtype="float32", data=bytes(1 << 24))
    array.shape.append(1 << 22)
    for i in range(60):
        message = pb.Maps(step=i, arrays=[array])
        yield f"weightwatch/a1/maps/{i:06d}", enveloped("MAPS", message.SerializeToString())


def histograms() -> Data:
    """Histograms without number."""
    array = pb.Array(kind="gradient_histogram", data=bytes(256), shape=[256])
    for i in range(8):
        message = pb.Maps(step=i, arrays=[array] * 100_000)
        for n, one in enumerate(message.arrays):
            one.variable = f"v{n}"
        yield f"weightwatch/a1/maps/{i:06d}", enveloped("MAPS", message.SerializeToString())


def honest_maps() -> Data:
    """Four steps with the histograms of 10,000 variables, and tensors of 64 MB, as a trainer writes them."""
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 1000, (10_000, OCTAVES)) * (np.abs(np.arange(OCTAVES) - 120) < 12)
    maps = [Map(i, f"v{n}", kind, row) for i in range(4) for kind in HISTOGRAMS for n, row in enumerate(counts)]
    maps += [Map(5, f"w{n}", "weight", rng.normal(size=1 << 22).astype(np.float32)) for n in range(4)]
    steps = [[one for one in maps if one.step == step] for step in range(6)]
    data = [datum for step in steps for datum in schema.encode_maps(step)]
    yield from ((f"weightwatch/a1/maps/{i:06d}", datum) for i, datum in enumerate(data))


def many_tags() -> Data:
    """A datum each for hundreds of thousands of tags."""
    datum = enveloped("ROWS", b"")
    yield from ((f"weightwatch/a1/rows/{i:06d}", datum) for i in range(400_000))


def many_launches() -> Data:
    """A hundred thousand launches."""
    datum = records("cost", '{"seconds": 1.0}')
    yield from ((f"weightwatch/l{i}/header/000000", datum) for i in range(100_000))


def empty_columns() -> Data:
    """Blocks of which nothing was recorded, of eight million values each."""
    for i in range(20):
        yield f"weightwatch/a1/rows/{i:06d}", enveloped("ROWS", block(i).SerializeToString())


def block(number: int) -> Any:
    """Returns a block of one row and as many columns as there are, each with nothing that was recorded."""
    packed = pb.Packed(head_planes=1, data=bytes([number + 1]))
    columns = [
        pb.Series(name=name, width=1 << 17, known="NOTHING", encoding=one.encoding.upper())
        for name, one in QUANTITIES.items()
        if one.axis == "variable"
    ]
    return pb.Block(first=number, rows=1, steps=packed, times=packed, columns=columns)


def long_tags() -> Data:
    """Tags of a megabyte each."""
    yield from ((f"weightwatch/{'x' * 1_000_000}{i}/now", b"") for i in range(60))


BOMBS: tuple[Callable[[], Data], ...] = (
    nested_lists, large_text, many_records, many_names, deep, status, empty_arrays, zero_tensors, histograms, many_tags,
    many_launches, long_tags, empty_columns,
)  # fmt: skip


OF_MAPS = (empty_arrays, zero_tensors, histograms)  # are compared with an honest run that has arrays
