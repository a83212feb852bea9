"""The attackers see harm where it is done: each is given a victim that fails."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.harm import document, fuzzing, registry
from tests.harm.attacks.situations import faults_of
from tests.harm.mutation import mutated
from tests.harm.outcome import Outcome, merged
from tests.harm.readback import read_back
from tests.harm.training_process import Ended
from tests.support import synthetic_runs
from tests.support.event_files import event_file

FINE = Outcome("an attack", "fit", 2, 2)


def test_the_page_has_a_table_for_every_attack() -> None:
    """`python -m tests.harm --write` finds a place in docs/harm.md for each attack's table."""
    page = document.PAGE.read_text(encoding="utf-8")
    missing = [name for name in registry.names() if f"<!-- table of {name}: begin -->" not in page]
    assert missing == []


@pytest.mark.parametrize(
    ("tried", "survived", "lost", "told", "passed"),
    [(2, 2, 0, 0, True), (2, 1, 0, 0, False), (2, 2, 1, 1, True), (2, 2, 1, 0, False)],
)
def test_harm_is_what_was_not_survived_or_not_told(
    tried: int, survived: int, lost: int, told: int, passed: bool
) -> None:
    """A loss that was told is no harm; an attempt that was not survived is."""
    assert Outcome("an attack", "fit", tried, survived, lost, told).passed is passed


def test_equal_outcomes_are_one_line() -> None:
    """Places with equal outcomes are joined; a failure keeps its own line, and is bold."""
    loop = Outcome("an attack", "loop", 3, 3)
    assert merged([FINE, loop]) == [Outcome("an attack", "fit, loop", 5, 5)]
    failed = Outcome("an attack", "summary", 1, 0)
    assert merged([FINE, failed]) == [FINE, failed]
    assert "**an attack**" in document.table([failed])


def progress(steps: int, begin: float = 0.0) -> list[tuple[int, float]]:
    return [(step, begin + 0.1 * step) for step in range(1, steps + 1)]


def test_missing_and_repeated_rows_are_counted(tmp_path: Path) -> None:
    """Rows that were trained but cannot be read are lost; rows that were read but never trained are surplus."""
    synthetic_runs.write(tmp_path, 40)
    assert read_back(tmp_path, [progress(40)]).lost == 0
    assert read_back(tmp_path, [progress(60)]).lost == 20
    assert read_back(tmp_path, [progress(30)]).surplus == 9  # step 31 may have been under way
    assert read_back(tmp_path / "none", [progress(30)]).lost == 30


def test_a_killed_training_may_lack_two_seconds(tmp_path: Path) -> None:
    """Rows that are missing count as lost if one of them was older than two seconds."""
    synthetic_runs.write(tmp_path, 40)
    assert read_back(tmp_path, [progress(60)], ended=6.1).lost == 0
    assert read_back(tmp_path, [progress(60)], ended=6.3).lost == 20
    assert read_back(tmp_path, [progress(80)], ended=8.1).lost == 40


def test_a_table_keeps_the_lines_of_what_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done again has one line, that of the last time; without `keep` the table is that of the last time."""
    page = tmp_path / "harm.md"
    page.write_text("<!-- table of kills: begin -->\n<!-- table of kills: end -->\n", encoding="utf-8")
    monkeypatch.setattr(document, "PAGE", page)
    document.write({"kills": [Outcome("one", "fit", 1, 0), Outcome("two", "fit", 3, 3)]})
    document.write({"kills": [Outcome("one", "fit", 5, 5)]}, keep=True)
    lines = [line for line in page.read_text(encoding="utf-8").split("\n") if line.startswith("| ")]
    assert [line.split("|")[1:4] for line in lines[1:]] == [[" two ", " fit ", " 3 "], [" one ", " fit ", " 5 "]]
    document.write({"kills": [Outcome("one", "fit", 6, 6)]})
    assert "two" not in page.read_text(encoding="utf-8")


def test_a_damaged_file_is_unreadable(tmp_path: Path) -> None:
    """A file that was cut may be that of a killed process; one that is damaged within is unreadable."""
    synthetic_runs.write(tmp_path, 40)
    file = event_file(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[:-9])
    assert read_back(tmp_path, [progress(40)]).unreadable == ""
    file.unlink()
    file.mkdir()
    assert read_back(tmp_path, [progress(40)]).lost == 40


def ended(code: int = 0, **report: Any) -> Ended:
    usual = {"weights": "a", "error": "", "seconds": 2.0, "warned": [], "notes": []}
    return Ended(code, False, 3.0, usual | report, "")


@pytest.mark.parametrize(
    ("watched", "fault"),
    [
        (ended(weights="b"), "other weights"),
        (ended(error="OSError"), "another exception (OSError)"),
        (ended(code=1), "it ends with 1 in place of 0"),
        (ended(seconds=59.0), "it takes 59 s in place of 2 s"),
        (ended(warned=["a", "b"]), "it is told 2 times: a / b"),
        (ended(notes=["a forked child hangs"]), "a forked child hangs"),
        (Ended(-9, True, 40.0, {}, ""), "it hangs"),
    ],
)
def test_a_training_that_was_changed_is_seen(watched: Ended, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever differs from the training without a monitor is a fault; one warning, and some seconds, are none."""
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))  # a busy machine has more time
    assert list(faults_of([ended()], [ended(seconds=5.0, warned=["once"])])) == []
    assert list(faults_of([ended()], [watched])) == [fault]


def test_a_failing_target_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutations that raise, or take more than a second, are counted."""

    def feed(data: bytes) -> None:
        if data.startswith(b"ab") and data != b"abcd":
            raise ZeroDivisionError("by the victim")

    victim: Any = SimpleNamespace(feed=feed, seeds=lambda: iter([b"abcd"]))
    monkeypatch.setitem(sys.modules, "tests.harm.victim_targets", victim)
    outcome = fuzzing.mutate("victim", "an attack", "file", 0.05, seed=1)
    assert 0 < outcome.survived < outcome.tried
    assert "ZeroDivisionError: by the victim" in outcome.note


def test_mutations_repeat_with_their_seed() -> None:
    """Equal seeds give equal mutations, which differ from the input but for the byte that names the target."""
    data = bytes(range(64))
    first, second = ([mutated(data, [data], random.Random(seed)) for seed in range(50)] for _ in range(2))
    assert first == second
    assert sum(one != data for one in first) > 40
    assert {one[0] for one in first} == {0}
