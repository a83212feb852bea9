"""`weightwatch watch`: runs that train, appear, end and vanish, on a terminal and in a file."""

from __future__ import annotations

import gc
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tb_weightwatch import cli
from tb_weightwatch.cli.follow.followed_runs import FollowedRuns
from tb_weightwatch.cli.review_result import answer_line
from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.reader import GrowingRun, launches
from tests.support import synthetic_runs

COMMAND = [sys.executable, "-m", "tb_weightwatch", "watch"]
NOW = synthetic_runs.STARTED + 12.0


# -- what is known of the runs


def test_new_runs_and_new_rows_appear(tmp_path: Path) -> None:
    """A log directory that does not exist yet, a run, a second launch and another run show up one after the other."""
    runs = FollowedRuns(str(tmp_path / "logs"))
    assert runs.look(NOW) == [] and "no log directory" in runs.missing
    seen = []
    writes = (("a", 40, "a1", 0.0, None), ("a", 64, "b2", 5.0, None), ("z", 200, "a1", 0.0, 81))
    for name, steps, launch, later, nan_from in writes:
        started = synthetic_runs.STARTED + later
        path = tmp_path / "logs" / name
        synthetic_runs.write(path, steps, launch=launch, started=started, nan_from=nan_from, end=None)
        time.sleep(0.05)  # a look for new runs takes at most a tenth of the time
        deadline = time.monotonic() + 30
        while len(rows := runs.look(NOW)) == len(seen) and time.monotonic() < deadline:
            time.sleep(0.05)
        seen.append([(one.run, one.launch, one.state, one.step, one.status) for one in rows])
    assert not runs.missing
    assert seen[0] == [("a", "", "training", 40, "healthy")]
    assert [one[:4] for one in seen[1]] == [("a", "a1", "training", 40), ("a", "b2", "training", 64)]
    (sick,) = [one for one in rows if one.run == "z"]
    assert (sick.status, sick.link, sick.loss) == ("sick", "loss", "NaN")
    assert sick.answer.startswith("303 nonfinite-loss: ")


def test_a_run_without_a_sign_of_life_has_died(tmp_path: Path) -> None:
    """The state changes with time alone; one that has ended says so."""
    synthetic_runs.write(tmp_path / "ended", 40)
    synthetic_runs.write(tmp_path / "killed", 40, end=None)
    runs = FollowedRuns(str(tmp_path))
    assert [one.state for one in runs.look(NOW)] == ["ended", "training"]
    assert [one.state for one in runs.look(NOW + 86_400)] == ["ended", "died"]


def test_runs_that_ended_take_no_memory(tmp_path: Path) -> None:
    """What was read of a run is let go when it has ended, and read again if its files grow."""
    synthetic_runs.write(tmp_path / "run", 40)
    runs = FollowedRuns(str(tmp_path))
    assert runs.look(NOW)[0].step == 40
    gc.collect()
    kept = [one for one in gc.get_objects() if isinstance(one, GrowingRun)]
    assert str(tmp_path / "run") not in [one.directory for one in kept]
    synthetic_runs.write(tmp_path / "run", 64, launch="b2", started=synthetic_runs.STARTED + 5)
    assert [one.step for one in runs.look(NOW)] == [40, 64]


def test_many_runs_are_read_little_by_little(tmp_path: Path) -> None:
    """A look that has no more time reads one new run, the newest first, and says how many are left."""
    for age, name in enumerate(("new", "older", "oldest")):
        synthetic_runs.write(tmp_path / name, 16)
        for path in (tmp_path / name, tmp_path / name / "weightwatch"):
            os.utime(path, (NOW - age, NOW - age))
    runs = FollowedRuns(str(tmp_path))
    seen = [([one.run for one in runs.look(NOW, 0.0)], runs.unread) for _ in range(4)]
    everything = (["new", "older", "oldest"], 0)
    assert seen == [(["new"], 2), (["new", "older"], 1), everything, everything]


def test_the_diagnosis_is_that_of_review(tmp_path: Path) -> None:
    """After each growth, status and answer are those of the complete log."""
    synthetic_runs.write(tmp_path / "whole", 240, nan_from=161, end=None)
    (source,) = (tmp_path / "whole" / "weightwatch").iterdir()
    copy = tmp_path / "growing" / "weightwatch" / source.name
    copy.parent.mkdir(parents=True)
    runs, data = FollowedRuns(str(tmp_path), ["growing"]), source.read_bytes()
    statuses = []
    for share in (0.3, 0.6, 0.8, 1.0):
        copy.write_bytes(data[: int(share * len(data))])
        (shown,) = runs.look(NOW)
        (launch,) = launches(tmp_path / "growing")
        assert (shown.status, shown.answer) == (diagnose(launch.history).status, answer_line(diagnose(launch.history)))
        statuses.append(shown.status)
    assert (statuses[0], statuses[-1]) == ("healthy", "sick")


def test_damaged_and_vanishing_files_end_nothing(tmp_path: Path) -> None:
    """Noise is named, and a run whose directory vanishes keeps its row."""
    synthetic_runs.write(tmp_path / "good", 40, end=None)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "events.out.tfevents.1.x").symlink_to(tmp_path / "nowhere")
    runs = FollowedRuns(str(tmp_path))
    first = {one.run: one for one in runs.look(NOW)}
    assert (first["good"].step, first["broken"].state) == (40, "unreadable")
    shutil.rmtree(tmp_path)
    time.sleep(0.2)
    assert {one.run: one.step for one in runs.look(NOW)} == {"good": 40, "broken": 0}


def test_only_some_runs(tmp_path: Path) -> None:
    """Patterns choose runs by name, as in `review`."""
    for name in ("a/x", "a/y", "b"):
        synthetic_runs.write(tmp_path / name, 16)
    assert [one.run for one in FollowedRuns(str(tmp_path), ["a/*"]).look(NOW)] == ["a/x", "a/y"]


# -- the command


def test_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--once prints what there is, with exit code 0 whatever the answer; 2 if there is no log directory."""
    synthetic_runs.write(tmp_path / "sick", 160, nan_from=81)
    assert cli.main(["watch", str(tmp_path), "--once"]) == 0
    assert "sick: ended after 160 steps, loss NaN; SICK (loss): 303 nonfinite-loss" in capsys.readouterr().out
    assert cli.main(["watch", str(tmp_path / "nowhere"), "--once"]) == 2
    assert "no log directory" in capsys.readouterr().err


def test_until_ended(tmp_path: Path) -> None:
    """--until-ended waits for the first run, and ends when none trains any more."""
    command = [*COMMAND, str(tmp_path / "logs"), "--until-ended", "--interval", "0.1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())
    assert process.stdout is not None
    assert "waiting" in process.stdout.readline()
    started = time.time() - 3
    synthetic_runs.write(tmp_path / "logs" / "run", 40, end=None, started=started)
    assert "found" in process.stdout.readline()
    line = process.stdout.readline()
    while "run: training, at step 40" not in line:  # it may look while the run is written
        assert "run: training, at step" in line
        line = process.stdout.readline()
    assert process.poll() is None
    synthetic_runs.write(tmp_path / "logs" / "run", 40, started=started)
    output, _ = process.communicate(timeout=60)
    assert "ended after 40 steps" in output and process.returncode == 0


@pytest.mark.parametrize("terminal", [False, True])
def test_an_interrupt_ends_it_cleanly(tmp_path: Path, terminal: bool) -> None:
    """Ctrl+C ends it with exit code 0 and without a traceback, and leaves the terminal as it was."""
    synthetic_runs.write(tmp_path / "run", 40)
    ours, theirs = pty.openpty() if terminal else os.pipe()
    command = [*COMMAND, str(tmp_path), "--interval", "600"]
    process = subprocess.Popen(command, stdout=theirs, stderr=subprocess.STDOUT, env=environment())
    os.close(theirs)
    shown = read_until(ours, b"run")
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    shown += read_until(ours, None)
    assert process.wait(timeout=60) == 0
    assert b"Traceback" not in shown
    if terminal:
        assert b"\x1b[?25h" in shown  # the cursor is visible again
    else:
        assert b"\x1b" not in shown


def environment() -> dict[str, str]:
    return {**os.environ, "TERM": "xterm", "COLUMNS": "100", "PYTHONUNBUFFERED": "1"}


def read_until(file: int, expected: bytes | None) -> bytes:
    """Reads from a pipe or terminal until the text was seen; None: until its end."""
    shown, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline and (expected is None or expected not in shown):
        if not select.select([file], [], [], 1.0)[0]:
            continue
        try:
            data = os.read(file, 1 << 16)
        except OSError:  # a terminal whose other side is closed
            break
        if not data:
            break
        shown += data
    assert expected is None or expected in shown
    return shown
