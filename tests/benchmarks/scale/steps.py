"""Recording for long: a run that goes on for so many steps, on the writer's own schedule of rows, blocks and statuses.

The steps between bursts do nothing, so they are not taken: the fixed schedule says where bursts begin, and a clock that
is set by hand says what time it is, at 50 ms a step.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tb_weightwatch import answers, reader, schema
from tb_weightwatch.capture.schedule.bursts import BURST, next_burst_start, scheduled
from tb_weightwatch.diagnosis import IncrementalDiagnosis
from tb_weightwatch.history import History, Record
from tb_weightwatch.writer import EventWriter, directory_sink
from tests.support import synthetic_runs

from .meter import median_worked, written

SECONDS = 0.05  # of a step
JUDGED = 1.1  # growth of rows after which the trainer judges again


def recorded_steps(last: int) -> Iterator[tuple[int, int]]:
    """Yields the first step and the number of steps of each burst that the fixed schedule records."""
    step = 1
    while step <= last:
        count = 0
        while count < BURST and step + count <= last and scheduled(step + count):
            count += 1
        yield step, count
        step += count
        if not scheduled(step):
            step = next_burst_start(step)


def steps(last: int) -> dict[str, float]:
    """Writes a run of six variables and opens it."""
    with tempfile.TemporaryDirectory() as folder:
        rows = _write(Path(folder), last)
        data = written(Path(folder))
        (launch,) = reader.launches(folder)  # the first time imports much
        diagnosis, now = answers.safe_diagnose(launch.history), launch.history.started
        assert len(launch.history) == rows and not launch.skipped, launch.skipped
        return {
            "rows": rows,
            "tags": sum(tags for tags, _ in data.values()),
            "disk_bytes": sum(size for _, size in data.values()),
            "status_bytes": data["now"][1],
            "decode_ms": median_worked(lambda: reader.launches(folder), 3),
            "diagnose_ms": median_worked(lambda: answers.safe_diagnose(launch.history), 3),
            "overview_ms": median_worked(lambda: answers.overview("run", launch, diagnosis, now), 3),
        }


def _write(logdir: Path, last: int) -> int:
    """Writes the run as the recorder does, with its diagnoses; returns the number of rows."""
    clock = synthetic_runs.Clock()
    history = History("a1", started=synthetic_runs.STARTED)
    writer = EventWriter(directory_sink(logdir), "a1", synthetic_runs.STARTED, clock, history=history)
    for record in synthetic_runs.facts():
        history.add(record)
        writer.add(record)
    judge, next_judged = IncrementalDiagnosis(history), 1
    for start, count in recorded_steps(last):
        block = synthetic_runs.rows(start, count)
        clock.now = synthetic_runs.STARTED + SECONDS * float(block.steps[-1])
        history.append(block)
        writer.append(block)
        if len(history) >= next_judged:
            next_judged = max(len(history) + 4, int(JUDGED * len(history)))
            writer.judged(judge())
    end = schema.record_as_stored(Record(last, "end", {"how": "completed", "detail": ""}, clock.now))
    history.add(end)
    writer.add(end)
    writer.judged(judge())
    writer.close()
    return len(history)
