"""Small files that would take gigabytes: each is read in a process of its own, whose memory is measured.

python -m tests.harm.bombs
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

from tb_weightwatch import schema

from .bomb_files import BOMBS, OF_MAPS, Data, honest_maps, records
from .counts import Counts

MAX_EXTRA = 100.0  # MB more than an honest run takes, for a bomb of arrays one that has arrays
ROOT = Path(__file__).resolve().parents[2]

# Reads a log directory as the command line and the panel do, and prints how much memory that took at most.
READ = """
import re, sys
from tb_weightwatch import answers, reader
reader.read_without_tensorflow()
skipped = reader.SkipCounts()
for run, directory in reader.runs(sys.argv[1]):
    for launch in reader.launches(directory, skipped, maps=sys.argv[2] == "maps"):
        skipped.update(launch.skipped)
        answers.safe_diagnose(launch.history)
# Not ru_maxrss, which counts what the process that started this one took.
status = open("/proc/self/status").read()
print(int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) / 1e3, skipped.total())
"""


def write(folder: Path, data: Data) -> int:
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


def run(*, bombs: tuple[Callable[[], Data], ...] = BOMBS) -> list[Counts]:
    """Reads each bomb in a process of its own with 2 GB of address space, and returns how many did no harm."""
    counts, figures = Counts("bombs"), []
    with tempfile.TemporaryDirectory() as temporary:
        write(Path(temporary, "honest"), iter([("weightwatch/a1/header/000000", records("cost", '{"seconds": 1.0}'))]))
        honest, _ = memory(Path(temporary, "honest"))
        with_maps = 0.0
        if set(bombs) & set(OF_MAPS):
            write(Path(temporary, "with-maps"), honest_maps())
            with_maps, skipped = memory(Path(temporary, "with-maps"))
            assert not skipped
        for bomb in bombs:
            needed = with_maps if bomb in OF_MAPS else honest
            folder = Path(temporary, bomb.__name__)
            size = write(folder, bomb())
            try:
                most, skipped = memory(folder, limit=2.0)
            except subprocess.CalledProcessError as error:
                counts = counts.plus(survived=False, lost=True, note=f"{bomb.__name__}: {error.stderr[-200:]}")
                continue
            figures.append(f"{bomb.__name__} {size / 1e6:.1f} MB: {most - needed:+.0f} MB")
            counts = counts.plus(survived=most - needed <= MAX_EXTRA, lost=bool(skipped), told=bool(skipped))
    return [counts._replace(note="; ".join(filter(None, (counts.note, *figures))))]


if __name__ == "__main__":
    for line in run():
        print(*line, sep="\n")
