"""The diagnosis that a panel shows of a run that has ended: the trainer's, where ours would be the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tb_weightwatch import reader
from tb_weightwatch.answers import safe_diagnose
from tb_weightwatch.history import Record
from tb_weightwatch.plugin.answer_cache import diagnosis_of
from tb_weightwatch.reader import Launch
from tests.support import synthetic_runs


def launch_of(path: Path, nan_from: int | None = None, end: str | None = "completed") -> Launch:
    synthetic_runs.write(path, 80, nan_from=nan_from, end=end)
    (launch,) = reader.launches(path)
    assert launch.now is not None and launch.now.diagnosis is not None
    return launch


def with_another_answer(launch: Launch) -> Launch:
    """Replaces the logged diagnosis by one that differs from ours in its sentence."""
    assert launch.now is not None and launch.now.diagnosis is not None
    launch.now = replace(launch.now, diagnosis=replace(launch.now.diagnosis, sentence="As logged."))
    return launch


@pytest.mark.parametrize("nan_from", (None, 40))
def test_what_the_trainer_logged_at_the_end_is_shown_and_is_what_we_would_say(
    nan_from: int | None, tmp_path: Path
) -> None:
    """It is not computed again, in a healthy and in a sick run."""
    launch = launch_of(tmp_path, nan_from)
    assert diagnosis_of(launch) == safe_diagnose(launch.history)
    assert diagnosis_of(with_another_answer(launch_of(tmp_path / "again", nan_from))).sentence == "As logged."


def test_a_launch_that_goes_on_after_what_was_logged_is_diagnosed(tmp_path: Path) -> None:
    """A run without an end, with records that are missing, with further rows, or of other rules gets our diagnosis."""

    def lose_a_record(launch: Launch) -> None:
        launch.skipped.note("header: missing")

    def add_rows(launch: Launch) -> None:
        launch.history.append(synthetic_runs.rows(81, 8))
        launch.history.add(Record(88, "end", {"how": "completed"}, synthetic_runs.STARTED))

    def change_the_rules(launch: Launch) -> None:
        assert launch.now is not None and launch.now.diagnosis is not None
        launch.now = replace(launch.now, diagnosis=replace(launch.now.diagnosis, rules="of-last-year"))

    def describe_variables_anew(launch: Launch) -> None:
        launch.history.add(Record(80, "variables", {"items": [{"name": "dense_0/kernel", "trainable": False}]}))

    changes: tuple[Callable[[Launch], None], ...] = (
        lose_a_record,
        add_rows,
        change_the_rules,
        describe_variables_anew,
    )
    for number, change in enumerate(changes):
        launch = with_another_answer(launch_of(tmp_path / str(number)))
        change(launch)
        assert diagnosis_of(launch) == safe_diagnose(launch.history)
    unended = with_another_answer(launch_of(tmp_path / "unended", end=None))
    assert diagnosis_of(unended) == safe_diagnose(unended.history)
