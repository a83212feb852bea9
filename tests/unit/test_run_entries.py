"""The entries of the run list are made again when something changed, and only then."""

from __future__ import annotations

import pytest

from tb_weightwatch import answers
from tb_weightwatch.history import History, Record
from tb_weightwatch.plugin.run_entries import run_entry
from tb_weightwatch.reader import CachedRun, Launch
from tb_weightwatch.schema import LaunchStatus
from tb_weightwatch.verdict import Diagnosis

NOW = 1_790_000_000.0
HEALTHY, SICK = Diagnosis("healthy", "Healthy."), Diagnosis("sick", "Sick.")


def launch(end: str | None) -> Launch:
    """Returns a launch that has come to step 8, and ended there if so said."""
    history = History("a1", started=NOW)
    if end:
        history.add(Record(8, "end", {"how": end, "detail": ""}, NOW))
    return Launch(history, LaunchStatus(NOW, 2.0, 8, 8))


def test_the_entry_of_a_launch_that_is_over_is_made_once() -> None:
    """Another revision of the run or another diagnosis makes it anew, and its digest differs where it does."""
    run, ended = CachedRun(), launch("completed")
    first = run_entry(run, ended, HEALTHY, NOW)
    assert first.fields == answers.launch_entry(ended, HEALTHY, NOW)
    assert run_entry(run, ended, HEALTHY, NOW + 1e6) is first
    sick = run_entry(run, ended, SICK, NOW)
    assert sick.fields == answers.launch_entry(ended, SICK, NOW) and sick.digest != first.digest
    run.revision = "another"
    again = run_entry(run, ended, SICK, NOW)
    assert again is not sick and again == sick


@pytest.mark.parametrize("later", [1.0, 1e6])
def test_a_training_that_goes_on_is_looked_at_each_time(later: float) -> None:
    """It dies by doing nothing."""
    run, training = CachedRun(), launch(None)
    assert run_entry(run, training, HEALTHY, NOW).fields["state"] == "training"
    assert run_entry(run, training, HEALTHY, NOW + later).fields == answers.launch_entry(training, HEALTHY, NOW + later)
