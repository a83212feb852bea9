"""Event files that are truncated, damaged, of another kind or malicious are counted and skipped; others are read."""

from __future__ import annotations

import gzip
import json
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.compat.proto import event_pb2
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.summary.writer.record_writer import RecordWriter, masked_crc32c

from tb_weightwatch import cli, reader, schema
from tb_weightwatch.history import Column, Rows
from tb_weightwatch.reader import assembly
from tests.support import synthetic_runs
from tests.support.event_files import event_file, with_flipped_bit
from tests.support.peak_memory import PeakMemory
from tests.support.third_party_logs import RECORDED

NAME = "events.out.tfevents.1.hostile"


def framed(length: int) -> bytes:
    """Returns the head of a record that claims this length, with the right checksum."""
    head = struct.pack("<Q", length)
    return head + struct.pack("<I", masked_crc32c(head))


def bomb() -> bytes:
    """Returns an event with a block that says it holds 50 bytes and would give 100 MB."""
    body = zlib.compress(bytes(100_000_000), 9)
    crc = zlib.crc32(body, zlib.crc32(struct.pack("<Id", 50, 0.0)))
    data = schema.envelope.pb.Envelope(version=1, crc32=crc, raw_size=50, kind="ROWS", body=body)
    summary = schema.to_summary(schema.Tag("zz", "rows", 0), data.SerializeToString())
    return bytes(event_pb2.Event(wall_time=1.0, step=1, summary=summary).SerializeToString())


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good runs, and beside them all kinds of files that a disk, a network or an attacker may leave."""
    path = tmp_path_factory.mktemp("hostile")
    synthetic_runs.write(path / "good", 80)
    synthetic_runs.write(path / "cut", 80, nan_from=40)
    ours = event_file(path / "good").read_bytes()
    (torch_file,) = (RECORDED / "torch-stops").iterdir()
    torch_log = torch_file.read_bytes()
    mine = event_file(path / "cut")
    mine.write_bytes(mine.read_bytes()[:-11])
    rng = random.Random(0)
    files = {
        "torch": torch_log,
        "torch-cut": torch_log[:-7],
        "torch-flipped": with_flipped_bit(torch_log),
        "empty": b"",
        "noise": rng.randbytes(5000),
        "text": b"<html>404 not found</html>" * 50,
        "gzip": gzip.compress(torch_log),
        "zeros": bytes(4096),
        "huge": framed(1 << 60) + b"x" * 1000,
        "large": framed(1 << 35) + b"x" * 1000,
        "negative": framed((1 << 64) - 1) + b"x" * 1000,
        "late": torch_log + framed(1 << 40) + b"x" * 100,
        "ours-late": ours + framed(1 << 40),
    }
    for name, data in files.items():
        (path / name).mkdir()
        (path / name / NAME).write_bytes(data)
    (path / "bomb").mkdir()
    with (path / "bomb" / NAME).open("wb") as file:
        RecordWriter(file).write(bomb())
    (path / "directory" / NAME).mkdir(parents=True)
    (path / "nowhere").mkdir()
    (path / "nowhere" / NAME).symlink_to(path / "gone")
    (path / "loop").symlink_to(path)
    return path


GOOD = {"cut": "sick", "good": "healthy", "late": "sick", "ours-late": "healthy", "torch": "sick", "torch-cut": "sick",
        "torch-flipped": "sick"}  # fmt: skip
BAD = {"bomb", "empty", "gzip", "huge", "large", "negative", "noise", "nowhere", "text", "zeros"}


def test_review_counts_and_skips(logs: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Runs that can be read are judged, all others are named; no memory is taken for sizes that files only claim."""
    pytest.importorskip("tensorflow")  # its reader, if it were used, would end the process at a claimed length
    junit = ["--format", "junit", "--output", str(tmp_path / "out.xml")]
    memory = PeakMemory()
    assert cli.main(["review", *junit, "--format", "json", str(logs)]) == 1
    assert memory.growth() < 500  # MB; 34 GB were claimed
    shown = capsys.readouterr()
    found = {one["run"]: one for one in json.loads(shown.out)["launches"]}
    assert {run: one["status"] for run, one in found.items() if run != "torch-flipped"} == {
        run: status for run, status in GOOD.items() if run != "torch-flipped"
    }
    unreadable = shown.err.partition("could not be read: ")[2]
    assert {name for name in BAD - {"empty"} if name in unreadable} == BAD - {"empty"}
    assert "runs could not be read" in shown.err


def test_compare_and_report_go_on_too(logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A truncated run is compared, with a warning; a report has all that can be read; an unreadable run gives 2."""
    assert cli.main(["compare", str(logs / "good"), str(logs / "torch-cut")]) == 0
    assert "not all could be read" in capsys.readouterr().err
    for name in ("noise", "huge", "bomb"):
        assert cli.main(["compare", str(logs / "good"), str(logs / name)]) == 2
    assert cli.main(["report", str(logs), "-o", str(tmp_path / "report.html")]) == 0
    shown = capsys.readouterr()
    assert f"{len(GOOD)} runs" in shown.out
    assert "not all could be read" in shown.err


def test_many_launches_share_one_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The values of all launches of a run together are bounded, although each is small on disk."""
    monkeypatch.setattr(assembly, "MAX_RUN_CELLS", 100_000)
    steps = np.arange(1, 201)
    rows = Rows(steps, 1e9 + steps, {"weight_norm": Column(np.ones((200, 200)), np.ones((200, 200), bool))})
    writer = EventFileWriter(str(tmp_path / "weightwatch"))
    for number in range(5):
        data: Any = schema.to_summary(schema.Tag(f"l{number}", "rows", 0), schema.encode_rows(rows, started=1.0))
        writer.add_event(event_pb2.Event(wall_time=1.0, step=1, summary=data))
    writer.close()
    found = reader.launches(tmp_path)
    assert sum(len(one.history) for one in found) == 400
    assert sum(one.skipped["rows: more than 100,000 values in a run"] for one in found) <= 3
