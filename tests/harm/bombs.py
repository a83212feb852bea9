"""Small files that would take gigabytes: each is read in a process of its own, whose memory is measured.

python -m tests.harm.bombs
"""

from __future__ import annotations

import resource
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

from tb_weightwatch import schema
from tb_weightwatch.statistics import QUANTITIES

from .counts import Counts

MAX_EXTRA = 100.0  # MB more than an honest run takes
ROOT = Path(__file__).resolve().parents[2]
pb = schema.envelope.pb
_Data = Iterator[tuple[str, bytes]]  # tag, datum

# Reads a log directory as the command line and the panel do, and prints how much memory that took at most.
READ = """
import sys, resource
from tb_weightwatch import answers, reader
reader.read_without_tensorflow()
skipped = reader.SkipCounts()
for run, directory in reader.runs(sys.argv[1]):
    for launch in reader.launches(directory, skipped, maps=sys.argv[2] == "maps"):
        skipped.update(launch.skipped)
        answers.safe_diagnose(launch.history)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, skipped.total())
"""


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


def nested_lists() -> _Data:
    """Facts of 30 MB that parse to millions of empty lists."""
    text = '{"model": [' + ",".join(["[]"] * 10_000_000) + "]}"
    yield from ((f"weightwatch/a1/header/{i:06d}", records("facts", text)) for i in range(8))


def large_text() -> _Data:
    """A fact of 60 MB of text."""
    text = '{"precision": "' + "x" * 60_000_000 + '"}'
    yield from ((f"weightwatch/a1/header/{i:06d}", records("facts", text)) for i in range(8))


def many_records() -> _Data:
    """Millions of records."""
    yield from ((f"weightwatch/a1/header/{i:06d}", records("cost", "{}", 2_000_000)) for i in range(4))


def many_names() -> _Data:
    """As many variables as one record may describe, again and again."""
    for i in range(30):
        items = ",".join(f'{{"name":"v{i}-{n}"}}' for n in range(100_000))
        yield f"weightwatch/a1/header/{i:06d}", records("variables", f'{{"items":[{items}]}}')


def deep() -> _Data:
    """JSON that nests millions deep, and integers of a hundred thousand digits."""
    yield "weightwatch/a1/header/000000", records("facts", '{"a":' * 5_000_000)
    yield "weightwatch/a1/header/000001", records("facts", '{"released": ' + "9" * 100_000 + "}")
    yield "weightwatch/a1/header/000002", records("facts", '{"released": 1e999}')


def status() -> _Data:
    """A status with a diagnosis of 60 MB."""
    text = '{"passed": [' + ",".join(['""'] * 15_000_000) + "]}"
    yield "weightwatch/a1/now", enveloped("NOW", pb.Now(time=1e9, diagnosis=text).SerializeToString())


def empty_arrays() -> _Data:
    """A datum with millions of arrays."""
    message = pb.Maps(step=1)
    message.arrays.extend([pb.Array(variable="v", kind="weight", encoding="EXACT")] * 2_500_000)
    yield "weightwatch/a1/maps/000000", enveloped("MAPS", message.SerializeToString())


def zero_tensors() -> _Data:
    """Tensors of zeros, a gigabyte together."""
    array = pb.Array(variable="v", kind="weight", encoding="EXACT", dtype="float32", data=bytes(60_000_000))
    array.shape.append(15_000_000)
    for i in range(16):
        message = pb.Maps(step=i, arrays=[array])
        yield f"weightwatch/a1/maps/{i:06d}", enveloped("MAPS", message.SerializeToString())


def histograms() -> _Data:
    """Histograms without number."""
    array = pb.Array(kind="gradient_histogram", data=bytes(256), shape=[256])
    for i in range(8):
        message = pb.Maps(step=i, arrays=[array] * 100_000)
        for n, one in enumerate(message.arrays):
            one.variable = f"v{n}"
        yield f"weightwatch/a1/maps/{i:06d}", enveloped("MAPS", message.SerializeToString())


def many_tags() -> _Data:
    """A datum each for hundreds of thousands of tags."""
    datum = enveloped("ROWS", b"")
    yield from ((f"weightwatch/a1/rows/{i:06d}", datum) for i in range(400_000))


def many_launches() -> _Data:
    """A hundred thousand launches."""
    datum = records("cost", '{"seconds": 1.0}')
    yield from ((f"weightwatch/l{i}/header/000000", datum) for i in range(100_000))


def empty_columns() -> _Data:
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


def long_tags() -> _Data:
    """Tags of a megabyte each."""
    yield from ((f"weightwatch/{'x' * 1_000_000}{i}/now", b"") for i in range(60))


BOMBS: tuple[Callable[[], _Data], ...] = (
    nested_lists, large_text, many_records, many_names, deep, status, empty_arrays, zero_tensors, histograms, many_tags,
    many_launches, long_tags, empty_columns,
)  # fmt: skip


def write(folder: Path, data: _Data) -> int:
    """Writes an event file with these data and returns its size in bytes."""
    folder.mkdir(parents=True)
    path = folder / "events.out.tfevents.1.bomb"
    with path.open("wb") as file:
        writer = RecordWriter(file)
        for tag, datum in data:
            summary = summary_pb2.Summary()
            value = summary.value.add(tag=tag)
            value.metadata.plugin_data.plugin_name = schema.PLUGIN
            value.tensor.dtype = 7
            value.tensor.string_val.append(datum)
            writer.write(event_pb2.Event(wall_time=1e9, step=1, summary=summary).SerializeToString())
    return path.stat().st_size


def memory(folder: Path, *, limit: float = 0.0) -> tuple[float, int]:
    """Returns the MB that reading a log directory takes, and how much was skipped.

    Args:
        folder: the log directory.
        limit: GB of address space that the process may take; 0: as much as it likes.
    """

    def limited() -> None:
        if limit:
            resource.setrlimit(resource.RLIMIT_AS, (int(limit * 1e9),) * 2)

    command = [sys.executable, "-c", READ, str(folder), "maps"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, preexec_fn=limited)
    megabytes, skipped = done.stdout.split()
    return float(megabytes), int(skipped)


def run(*, bombs: tuple[Callable[[], _Data], ...] = BOMBS) -> list[Counts]:
    """Reads each bomb in a process of its own with 2 GB of address space, and returns how many did no harm."""
    counts, figures = Counts("bombs"), []
    with tempfile.TemporaryDirectory() as temporary:
        write(Path(temporary, "honest"), iter([("weightwatch/a1/header/000000", records("cost", '{"seconds": 1.0}'))]))
        honest, _ = memory(Path(temporary, "honest"))
        for bomb in bombs:
            folder = Path(temporary, bomb.__name__)
            size = write(folder, bomb())
            try:
                most, skipped = memory(folder, limit=2.0)
            except subprocess.CalledProcessError as error:
                counts = counts.plus(survived=False, lost=True, note=f"{bomb.__name__}: {error.stderr[-200:]}")
                continue
            figures.append(f"{bomb.__name__} {size / 1e6:.1f} MB: {most - honest:+.0f} MB")
            counts = counts.plus(survived=most - honest <= MAX_EXTRA, lost=bool(skipped), told=bool(skipped))
    return [counts._replace(note="; ".join(filter(None, (counts.note, *figures))))]


if __name__ == "__main__":
    for line in run():
        print(*line, sep="\n")
