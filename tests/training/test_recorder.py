"""The recorder behind callback, loop and summary functions: when it records, how it ends, what it survives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tb_weightwatch as ww
from tb_weightwatch.answers import curves
from tb_weightwatch.capture.recorder import Recorder
from tb_weightwatch.capture.schedule.bursts import (
    ALWAYS_UNTIL,
    BURST,
    BURST_RESTART,
    DENSE_UNTIL,
    Budget,
    Schedule,
    burst_offset,
    scheduled,
)
from tb_weightwatch.history import Column, Rows
from tests.support import synthetic_runs


def bursts(steps: list[int]) -> list[list[int]]:
    """Splits increasing steps into runs of consecutive ones."""
    cuts = np.flatnonzero(np.diff(steps) != 1) + 1
    return [part.tolist() for part in np.split(np.array(steps), cuts)]


def recorded(schedule: Schedule, last: int) -> list[int]:
    return [step for step in range(1, last + 1) if schedule.due(step)]


# -- when


def test_rows_stay_bounded() -> None:
    """About 3,400 rows at 10,000 steps; each doubling of the steps from there adds at most 720."""
    counts = [sum(map(scheduled, range(1, n + 1))) for n in (64, 1_000, 10_000, 20_000, 40_000)]
    assert counts[0] == 64
    assert counts[2] <= 3_400
    assert all(b - a <= 720 for a, b in pairwise(counts[2:]))
    # Ten million steps are ten doublings more, and so at most 3,400 + 10 * 720 + 720 rows.


def test_bursts_are_whole_and_irregular() -> None:
    """Beyond the start, rows come in bursts of eight or more consecutive steps, and not at a fixed distance."""
    steps = [s for s in range(5_000, 60_000) if scheduled(s)]
    found = bursts(steps)[1:-1]
    assert all(len(b) % BURST == 0 for b in found)
    pauses = np.diff([b[0] for b in found])
    assert len(set(pauses.tolist())) > 50
    # Every phase of an accumulation over four steps, and of an epoch of ten, is met about equally often.
    for period in (4, 10, 13):
        share = np.bincount(np.array(steps) % period, minlength=period) / len(steps)
        np.testing.assert_allclose(share, 1 / period, rtol=0.25)


def test_the_schedule_is_private() -> None:
    """Asking what is due draws from no global random generator."""
    import random

    np.random.seed(0)
    random.seed(0)
    before = np.random.get_state()[1].tolist(), random.getstate()
    recorded(Schedule(Budget(0.02)), 5_000)
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before


class Clock:
    """A clock that training moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def trained(share: float | None, steps: int, plain: float, extra: float) -> tuple[list[int], Budget]:
    """Simulates steps of `plain` seconds, and `extra` on recorded ones."""
    clock = Clock()
    budget = Budget(share, clock)
    schedule = Schedule(budget)
    found = []
    for step in range(1, steps + 1):
        due = schedule.due(step)
        clock.now += plain + (extra if due else 0.0)
        budget.stepped(plain + (extra if due else 0.0), recorded=due)
        found += [step] if due else []
    return found, budget


@pytest.mark.parametrize(("plain", "extra"), [(0.05, 0.02), (0.05, 0.2), (0.2, 0.1)])
def test_the_budget_is_kept(plain: float, extra: float) -> None:
    """However dear a recorded step is, the measured share of a long training stays at what was granted."""
    steps, budget = trained(0.02, 60_000, plain, extra)
    truth = len(steps) * extra / budget.elapsed
    assert truth < 0.025
    assert budget.cost == pytest.approx(truth, rel=0.1)
    assert steps[:ALWAYS_UNTIL] == list(range(1, ALWAYS_UNTIL + 1))


def test_the_budget_holds_where_bursts_follow_each_other() -> None:
    """In the first thousand steps the schedule leaves no step out, so nothing but the budget holds it back."""
    steps, budget = trained(0.02, 7_000, 0.01, 0.006)
    assert budget.elapsed > 70 and len(steps) < 400
    assert budget.cost == pytest.approx(len(steps) * 0.006 / budget.elapsed, rel=0.1)
    assert budget.cost < 0.025


def test_what_can_not_be_measured_is_not_claimed() -> None:
    """Without plain steps nobody knows what recording took; with them even an unfinished burst is in the figure."""
    clock = Clock()
    budget = Budget(0.02, clock)
    for _ in range(6):
        clock.now += 0.03
        budget.stepped(0.03, recorded=True)
    assert budget.cost is None
    for _ in range(Budget.USUAL):
        clock.now += 0.01
        budget.stepped(0.01, recorded=False)
    assert budget.cost == pytest.approx(6 * 0.02 / budget.elapsed)
    clock.now += 0.03
    budget.stepped(0.03, recorded=True)
    assert budget.cost == pytest.approx(7 * 0.02 / budget.elapsed)


def test_no_budget_is_the_fixed_schedule() -> None:
    """With overhead=None the recorded steps are a function of the step alone."""
    steps, _ = trained(None, 5_000, 0.01, 10.0)
    assert steps == [s for s in range(1, 5_001) if scheduled(s)]


def test_a_tight_budget_leaves_out_whole_bursts() -> None:
    """Under a budget rows still come in whole bursts: a lone row aliases with accumulation and epochs."""
    steps, _ = trained(0.001, 20_000, 0.01, 0.05)
    assert len(steps) < 1_000
    found = bursts(steps)[:-1]
    early, late = [b for b in found if b[0] <= DENSE_UNTIL], [b for b in found if b[0] > DENSE_UNTIL]
    assert all(len(b) % BURST_RESTART == 0 and burst_offset(b[0]) % BURST_RESTART == 0 for b in early)
    assert all(len(b) % BURST == 0 and burst_offset(b[0]) == 0 for b in late)
    # Yet no part of the run goes unseen: something is recorded each time the step count has grown by half.
    assert max(b / a for a, b in pairwise(steps[DENSE_UNTIL:])) < 1.65


# -- what it keeps


def row(step: int, **run: float) -> Rows:
    rows = Rows(np.array([step]), np.array([1e9 + step]))
    rows.run.update({k: Column(np.array([v]), np.array([True])) for k, v in run.items()})
    return rows


def test_only_what_changed_is_described(tmp_path: Path) -> None:
    """Facts and items that are already known make no record; a changed one makes a record of that one alone."""
    recorder = Recorder(tmp_path, kind="loop", verbose=False)
    items = [{"name": "a", "shape": [2], "trainable": True}, {"name": "b", "shape": [], "trainable": True}]
    recorder.describe(0, "variables", {"items": items})
    recorder.describe(1, "facts", {"gradients": "used", "precision": "float32"})
    recorder.describe(2, "variables", {"items": items})
    recorder.describe(3, "facts", {"gradients": "used"})
    recorder.describe(4, "variables", {"items": [{**items[1], "trainable": False}]})
    recorder.describe(5, "facts", {"gradients": "raw", "precision": "float32"})
    history = recorder.history
    assert [r.step for r in history.records if r.kind in ("variables", "facts")] == [0, 0, 1, 4, 5]
    assert history.records[-1].data == {"gradients": "raw"}
    assert [v.trainable for v in history.variables] == [True, False]
    recorder.close()


def test_what_recording_costs_is_recorded_as_it_goes_on(tmp_path: Path) -> None:
    """A dozen records for any run, so that the panel draws a curve; the last one is that of the end."""
    recorder = Recorder(tmp_path, kind="loop", verbose=False)
    for step in range(1, 200, 8):
        recorder.append(synthetic_runs.rows(step, 8))
    recorder.close()
    told = recorder.history.of_kind("cost")
    assert [r.step for r in told] == [32, 48, 72, 112, 168, 200]
    (curve,) = [c for c in curves(recorder.history, "", 300)["curves"] if c["quantity"]["name"] == "recorder_cost"]
    assert curve["last"][-1] == pytest.approx(100 * told[-1].data["overhead"], rel=1e-3)
    assert curve["last"][0] is None  # not yet measured


def test_a_launch_has_its_own_name(tmp_path: Path) -> None:
    """Two recorders of one folder, as after a restart, are two launches."""
    for loss in (1.0, 2.0):
        recorder = Recorder(tmp_path, kind="loop", verbose=False)
        recorder.append(row(1, loss=loss))
        recorder.close()
    read = ww.read(tmp_path)
    assert sorted(h.loss[0] for h in read) == [1.0, 2.0]
    assert len({h.launch for h in read}) == 2


def test_a_callers_own_writer_is_used(tmp_path: Path) -> None:
    """A tf.summary writer gets what would go into a file of our own, and stays open for its owner."""
    tf = pytest.importorskip("tensorflow")
    writer = tf.summary.create_file_writer(str(tmp_path))
    recorder = Recorder(writer, kind="loop", verbose=False)
    recorder.append(row(1, loss=3.0))
    recorder.close()
    with writer.as_default():
        tf.summary.scalar("mine", 1.0, step=1)
    writer.close()
    assert len(list(tmp_path.glob("events*"))) == 1
    assert not (tmp_path / "weightwatch").exists()
    assert [h.loss[0] for h in ww.read(tmp_path)] == [3.0]


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"overhead": 0.0}, ValueError, "between 0 and 1"),
        ({"overhead": 1.5}, ValueError, "between 0 and 1"),
        ({"overhead": float("nan")}, ValueError, "between 0 and 1"),
        ({"rules": {"dead-rleu": False}}, ValueError, "did you mean 'dead-relu'"),
        ({"rules": {"dead-relu": {"shar": 0.5}}}, ValueError, "has no threshold"),
    ],
)
def test_wrong_settings_fail_at_construction(
    settings: dict[str, Any], error: type[Exception], text: str, tmp_path: Path
) -> None:
    """Wrong settings are told when the recorder is made, and leave no file."""
    with pytest.raises(error, match=text):
        Recorder(tmp_path, kind="loop", **settings)
    assert not list(tmp_path.iterdir())


def test_a_destination_that_is_none(tmp_path: Path) -> None:
    """Neither a folder nor a writer: the error says what is expected."""
    with pytest.raises(TypeError, match=r"tf.summary writer"):
        Recorder(17, kind="loop")
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="must be writable"):
        Recorder(tmp_path / "file", kind="loop")


# -- how it ends


def test_the_signal_handler_is_put_back(tmp_path: Path) -> None:
    """After close SIGTERM is handled by whoever handled it before; another thread's recorder touches no handler."""
    before = signal.getsignal(signal.SIGTERM)
    recorder = Recorder(tmp_path, kind="loop", verbose=False)
    assert signal.getsignal(signal.SIGTERM) is not before
    recorder.close()
    assert signal.getsignal(signal.SIGTERM) is before
    made: list[Recorder] = []
    thread = threading.Thread(target=lambda: made.append(Recorder(tmp_path / "t", kind="loop", verbose=False)))
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is before
    made[0].close()


PROGRAM = """
import os, signal, sys
import numpy as np
from tb_weightwatch.capture.recorder import Recorder
from tb_weightwatch.history import Column, Rows
def theirs(number, frame):
    print("theirs", flush=True)
    sys.exit(3)
if "handler" in sys.argv:
    signal.signal(signal.SIGTERM, theirs)
recorder = Recorder(sys.argv[1], kind="loop", verbose=False)
rows = Rows(np.array([1]), np.array([1e9]))
rows.run["loss"] = Column(np.array([2.0]), np.array([True]))
recorder.append(rows)
"""
ENDINGS = [
    ("", 0, {"how": "closed", "detail": ""}),
    ("raise KeyError('x')", 1, {"how": "exception", "detail": "KeyError"}),
    ("os.kill(os.getpid(), signal.SIGTERM)", -15, {"how": "signal", "detail": "SIGTERM"}),
    ("recorder.close('completed'); os.kill(os.getpid(), signal.SIGTERM)", -15, {"how": "completed", "detail": ""}),
    ("if os.fork() == 0: os.kill(os.getpid(), signal.SIGTERM)\nos.wait()", 0, {"how": "closed", "detail": ""}),
    ("if os.fork() == 0: sys.exit()\nos.wait()", 0, {"how": "closed", "detail": ""}),
]


def ended(program: str, logs: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], ww.History]:
    script = PROGRAM + textwrap.dedent(program)
    done = subprocess.run(
        [sys.executable, "-c", script, str(logs), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    (history,) = ww.read(logs)
    return done, history


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(("program", "status", "end"), ENDINGS)
def test_every_end_is_recorded(program: str, status: int, end: dict[str, str], tmp_path: Path) -> None:
    """However a process ends, its rows are written and the end is recorded once, with the exit status unchanged."""
    done, history = ended(program, tmp_path)
    assert done.returncode == status, done.stderr
    assert history.loss.tolist() == [2.0]
    assert [dict(r.data) for r in history.of_kind("end")] == [end]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_the_callers_signal_handler_runs_too(tmp_path: Path) -> None:
    """A handler that was there before is called after ours."""
    done, history = ended("os.kill(os.getpid(), signal.SIGTERM)", tmp_path, "handler")
    assert (done.returncode, done.stdout) == (3, "theirs\n")
    assert history.ended is not None
    assert history.ended.data["how"] == "signal"
