"""A launch never has more values than a reader takes, however many variables it has and however long it goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tb_weightwatch as ww
from tb_weightwatch import reader, schema
from tb_weightwatch.capture import recorder
from tb_weightwatch.capture.schedule.budget import Budget
from tb_weightwatch.capture.schedule.bursts import BURST, DENSE_UNTIL, Schedule

VARIABLES, STEPS = 50, 600
MANY = 50 * VARIABLES * 14  # values of about 50 rows


def test_rows_become_rare_when_they_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They go on to the end, live and for a reader with a bound that the fixed schedule would exceed."""
    monkeypatch.setattr(recorder, "MANY_CELLS", MANY)
    monkeypatch.setattr(reader.launch_rows, "MAX_LAUNCH_CELLS", 3 * MANY)
    w, g = np.ones((VARIABLES, 4), np.float32), np.ones((VARIABLES, 4), np.float32)
    with ww.summary.create_file_writer(str(tmp_path), overhead=None, verbose=False) as writer:
        for step in range(1, STEPS + 1):
            ww.summary.update(step, {f"w{i}": (g[i], w[i], w[i] + step) for i in range(VARIABLES)}, loss=1.0)
    steps = writer.history.steps
    assert 50 < len(steps) < 50 + 8 * BURST and steps[-1] > STEPS / Schedule.GROWTH
    (launch,) = reader.launches(tmp_path)
    assert np.array_equal(launch.history.steps, steps) and launch.history.complete and not launch.skipped
    assert 3 * MANY > schema.cell_count(launch.history.rows(0, len(steps))) > MANY


def test_the_schedule_of_steps_becomes_rare_as_well() -> None:
    """In each octave at least one burst is recorded."""
    schedule = Schedule(Budget(None))
    schedule.budget.rows_fill_memory = True
    recorded = [step for step in range(1, 64 * DENSE_UNTIL + 1) if schedule.due(step)]
    for octave in range(6):
        start = DENSE_UNTIL << octave
        assert BURST <= sum(start < step <= 2 * start for step in recorded) <= 3 * BURST
