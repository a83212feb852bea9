"""The recorder behind callback, loop and summary functions: what it keeps, how it ends, what it survives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tb_weightwatch as ww
from tb_weightwatch.answers import curves
from tb_weightwatch.answers.recording_cost import slowdown
from tb_weightwatch.capture.console_news import ConsoleNews
from tb_weightwatch.capture.recorder import Recorder
from tb_weightwatch.capture.schedule.budget import Budget
from tb_weightwatch.history import Column, Rows
from tests.support import synthetic_runs
from tests.support.other_recordings import close_other_recordings
from tests.support.suspected_run import suspected


def recorder_of(destination: Any, **settings: Any) -> Recorder:
    return Recorder(destination, **{"kind": "loop", "budget": Budget(0.02), "verbose": False, **settings})


# -- what it keeps


def row(step: int, **run: float) -> Rows:
    rows = Rows(np.array([step]), np.array([1e9 + step]))
    rows.run.update({k: Column(np.array([v]), np.array([True])) for k, v in run.items()})
    return rows


def test_only_what_changed_is_described(tmp_path: Path) -> None:
    """Facts and items that are already known make no record; a changed one makes a record of that one alone."""
    recorder = recorder_of(tmp_path)
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
    """The cost is recorded about a dozen times in any run, for a curve in the panel, and once more at the end."""
    recorder = recorder_of(tmp_path)
    for step in range(1, 200, 8):
        recorder.append(synthetic_runs.rows(step, 8))
    recorder.close()
    costs = recorder.history.of_kind("cost")
    assert [r.step for r in costs] == [32, 48, 72, 112, 168, 200]
    (curve,) = [c for c in curves(recorder.history, "", 300)["curves"] if c["quantity"]["name"] == "recorder_cost"]
    assert curve["last"][-1] == pytest.approx(100 * slowdown(costs[-1].data), rel=1e-3)
    assert curve["last"][0] is None  # not yet measured


def test_a_launch_has_its_own_name(tmp_path: Path) -> None:
    """Two recorders of one folder, as after a restart, are two launches."""
    for loss in (1.0, 2.0):
        recorder = recorder_of(tmp_path)
        recorder.append(row(1, loss=loss))
        recorder.close()
    read = ww.read(tmp_path)
    assert sorted(h.loss[0] for h in read) == [1.0, 2.0]
    assert len({h.launch for h in read}) == 2


def test_a_callers_own_writer_is_used(tmp_path: Path) -> None:
    """A tf.summary writer gets what would go into our own file, and stays open for its owner."""
    tf = pytest.importorskip("tensorflow")
    writer = tf.summary.create_file_writer(str(tmp_path))
    recorder = recorder_of(writer)
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
        ({"rules": {"dead-rleu": False}}, ValueError, "did you mean 'dead-relu'"),
        ({"rules": {"dead-relu": {"shar": 0.5}}}, ValueError, "has no threshold"),
    ],
)
def test_wrong_settings_fail_at_construction(
    settings: dict[str, Any], error: type[Exception], text: str, tmp_path: Path
) -> None:
    """Wrong settings are an error when the recorder is made, and leave no file."""
    with pytest.raises(error, match=text):
        recorder_of(tmp_path, **settings)
    assert not list(tmp_path.iterdir())


def test_a_destination_that_cannot_be_written(tmp_path: Path) -> None:
    """A destination that is neither a folder nor a writer is an error that says what is expected."""
    with pytest.raises(TypeError, match=r"tf.summary writer"):
        recorder_of(17)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="must be writable"):
        recorder_of(tmp_path / "file")


def test_buffered_rows_are_flushed_before_the_end(tmp_path: Path) -> None:
    """What is registered with `before_end` may append rows, which are written before the end is recorded."""
    recorder = recorder_of(tmp_path)
    buffered = [row(1, loss=1.0), row(2, loss=0.5)]
    recorder.before_end(lambda seconds: recorder.append(buffered.pop(0)) if buffered else None)
    recorder.end("completed")
    recorder.close()
    (history,) = ww.read(tmp_path)
    assert history.loss.tolist() == [1.0, 0.5]
    assert [r.data["how"] for r in history.of_kind("end")] == ["completed", "closed"]


# -- what it prints


def answer(status: str = "healthy", verdicts: tuple[str, ...] = (), resolved: tuple[str, ...] = ()) -> ww.Diagnosis:
    def verdict(name: str, holds: bool) -> ww.Verdict:
        return ww.Verdict(
            401, name, "gradient", "error", "certain", ("w",), 1, 9, not holds, f"{name} is sick", (), f"cure {name}"
        )

    return ww.Diagnosis(
        status, f"It is {status}.", tuple(verdict(n, True) for n in verdicts),
        resolved=tuple(verdict(n, False) for n in resolved), rows=3,
    )  # fmt: skip


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [text.strip() for text in capsys.readouterr().err.split("tb_weightwatch: ")[1:]]


def test_an_answer_is_printed_once_and_again_when_it_is_resolved(capsys: pytest.CaptureFixture[str]) -> None:
    """A verdict is printed with its fix when it is new, once more when it is resolved, and at the end if it is back."""
    news = ConsoleNews(verbose=True)
    for _ in range(2):
        news.update(answer("sick", ("dead",)))
    (first,) = printed(capsys)
    assert first.endswith("fix: cure dead")
    for _ in range(2):
        news.update(answer("healthy", resolved=("dead", "never-printed")))
    (second,) = printed(capsys)
    assert second.startswith("401 dead: ")
    news.update(answer("sick", ("dead",)))
    assert not printed(capsys)
    news.end(answer("sick", ("dead",)))
    (last,) = printed(capsys)
    assert last == answer("sick", ("dead",)).sentence


def test_a_final_answer_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    """The end prints an answer that is not on the console yet; a further end of the same status prints nothing."""
    news = ConsoleNews(verbose=True)
    news.end(answer("healthy"))
    assert len(printed(capsys)) == 1
    news.end(answer("healthy"))
    news.update(answer("sick", ("dead",)))
    news.end(answer("sick", ("dead",)))
    assert len(printed(capsys)) == 1
    ConsoleNews(verbose=False).end(answer("undecided"))
    assert not printed(capsys)


def suspicion(*names: str) -> ww.Diagnosis:
    """Returns an answer without a verdict, with these suspects."""
    first, *_ = suspected().suspects
    return replace(suspected(), suspects=tuple(replace(first, name=name) for name in names))


def test_a_symptom_is_printed_with_its_first_suspect(capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence, the suspect with its probability, what would settle it, its fix, and the names of the others."""
    ConsoleNews(verbose=True).update(suspected())
    (text,) = printed(capsys)
    sentence, suspect, settle, fix, *code, others = text.split("\n")
    assert sentence == suspected().sentence
    assert suspect.startswith("  probably 502 learning-rate-too-small (62 %): ")
    assert settle.startswith("    to settle it: Train 50 steps")
    assert fix.startswith("    fix: Set a learning rate") and "Adam(1e-3)" in code[-1]
    assert others == "  other suspects: 106 no-learning-signal (21 %), 403 vanishing-gradient (8 %)"


def test_a_symptom_is_printed_again_only_for_another_first_suspect(capsys: pytest.CaptureFixture[str]) -> None:
    """Ranks that change back and forth print nothing new; the end prints the last answer unless it stands there."""
    news = ConsoleNews(verbose=True)
    for names in (("a", "b"), ("a", "c"), ("b", "a"), ("a", "b"), ()):
        news.update(suspicion(*names))
    assert len(printed(capsys)) == 3  # a, b, and nothing suspected
    for _ in range(2):
        news.end(suspicion("a", "b"))
    assert len(printed(capsys)) == 1
    news.update(answer("sick", ("dead",)))
    news.end(suspicion("a", "b"))
    dead, last = printed(capsys)
    assert dead.endswith("fix: cure dead") and last.startswith(suspected().sentence)
    news.end(answer("sick", ("dead",)))
    assert printed(capsys) == [answer("sick", ("dead",)).sentence]  # its fix stands above


# -- how it ends


def test_the_signal_handler_is_put_back(tmp_path: Path) -> None:
    """The end of the last recording restores the handler of SIGTERM; one of another thread leaves it alone."""
    close_other_recordings()
    before = signal.getsignal(signal.SIGTERM)
    recorders = [recorder_of(tmp_path / name) for name in "abc"]
    assert signal.getsignal(signal.SIGTERM) is before  # nothing is recorded yet
    for recorder in recorders:
        recorder.append(row(1, loss=1.0))
        assert signal.getsignal(signal.SIGTERM) is not before
    for recorder in recorders:
        assert signal.getsignal(signal.SIGTERM) is not before
        recorder.end("completed")
    assert signal.getsignal(signal.SIGTERM) is before
    recorders[0].append(row(2, loss=1.0))  # training goes on
    assert signal.getsignal(signal.SIGTERM) is not before
    recorders[0].close()
    assert signal.getsignal(signal.SIGTERM) is before
    made: list[Recorder] = []

    def record() -> None:
        made.append(recorder_of(tmp_path / "t"))
        made[0].append(row(1, loss=1.0))

    thread = threading.Thread(target=record)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is before
    made[0].close()


PROGRAM = """
import os, signal, sys
import numpy as np
from tb_weightwatch.capture.recorder import Recorder
from tb_weightwatch.capture.schedule.budget import Budget
from tb_weightwatch.history import Column, Rows
def theirs(number, frame):
    print("theirs", flush=True)
    sys.exit(3)
if "handler" in sys.argv:
    signal.signal(signal.SIGTERM, theirs)
recorder = Recorder(sys.argv[1], kind="loop", budget=Budget(0.02), verbose=False)
rows = Rows(np.array([1]), np.array([1e9]))
rows.run["loss"] = Column(np.array([2.0]), np.array([True]))
recorder.append(rows)
"""
ENDINGS = [
    ("", 0, {"how": "closed", "detail": ""}),
    ("raise KeyError('x')", 1, {"how": "exception", "detail": "KeyError", "meaning": "other", "after": 1}),
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
