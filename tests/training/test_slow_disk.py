"""A disk that is slow, hangs, is full or read-only: training goes on, what is missing is told, and the program ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tb_weightwatch as ww
from tb_weightwatch import answers, cli
from tb_weightwatch.capture import recorder, recording_end
from tb_weightwatch.reader import launches
from tb_weightwatch.task_thread import TaskThread
from tb_weightwatch.writer import QueuedSink, directory_sink
from tests.support import hanging_disk

ROOT = Path(__file__).resolve().parents[2]
needs_mounts = pytest.mark.skipif(not hanging_disk.is_possible(), reason="needs root and /dev/fuse")

PROGRAM = """
import os, signal, sys, time, warnings
import numpy as np
import tb_weightwatch as ww
from tests.support import hanging_disk
warnings.simplefilter("always")
assert hanging_disk.enter_own_mounts()
logs, w = sys.argv[1], {}

def train(writer, first, count):
    for step in range(first, first + count):
        before = w.setdefault(writer, np.ones(3))
        w[writer] = before * 0.99
        ww.summary.update(step, {"w": (before, before, w[writer])}, loss=1 / step, writer=writer)
"""


def start(program: str, logs: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM + textwrap.dedent(program), str(logs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


HANGS = """
    writers = [ww.summary.create_file_writer(f"{logs}/{i}", verbose=False) for i in range(15)]
    for writer in writers:
        train(writer, 1, 5)
        writer._recorder.flush()
    hanging_disk.hang(logs)
    for writer in writers:
        train(writer, 6, 10)
    print("trained", writers[0].diagnosis.rows, flush=True)
    """


@needs_mounts
def test_a_disk_that_hangs_for_ever(tmp_path: Path) -> None:
    """Training goes on, 15 recordings wait for it together as long as one, and exit and SIGTERM end the program.

    If each of them waited, each program would take longer than is allowed here.
    """
    endings = {"": 0, "os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)": -signal.SIGTERM}
    programs = [start(HANGS + ending, tmp_path) for ending in endings]
    for program, status in zip(programs, endings.values(), strict=True):
        out, err = program.communicate(timeout=60)
        assert (program.returncode, out) == (status, "trained 15\n"), err
        assert "the disk has not taken all that was recorded" in err


@needs_mounts
def test_a_disk_that_is_read_only_or_hangs_at_the_beginning(tmp_path: Path) -> None:
    """Read-only is an error at once, which names the folder; one that hangs is not waited for for long."""
    program = start(
        """
        from tb_weightwatch.writer import sinks
        sinks.CHECKING = 0.5
        os.makedirs(f"{logs}/read-only"), os.makedirs(f"{logs}/hanging")
        hanging_disk.make_read_only(f"{logs}/read-only")
        try:
            ww.summary.create_file_writer(f"{logs}/read-only/run")
        except OSError as error:
            print(error)
        hanging_disk.hang(f"{logs}/hanging")
        train(ww.summary.create_file_writer(f"{logs}/hanging/run", verbose=False), 1, 50)
        print("trained")
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        tmp_path,
    )
    out, err = program.communicate(timeout=60)
    assert out.splitlines()[-1:] == ["trained"], err
    assert "the log directory must be writable, but" in out and "read-only" in out


# -- a disk that is slow for a while


class Slow:
    """A sink that waits for an event before each write."""

    def __init__(self, sink: Any, works: threading.Event) -> None:
        self._sink, self._works = sink, works

    def emit(self, *arguments: Any) -> None:
        assert self._works.wait(60)
        self._sink.emit(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sink, name)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Lets all that is written wait until the returned event is set."""
    works = threading.Event()
    monkeypatch.setattr(recorder, "sink_of", lambda logs: QueuedSink(Slow(directory_sink(logs), works), TaskThread()))
    monkeypatch.setattr("tb_weightwatch.writer.pending_rows.MAX_CELLS", 300)
    monkeypatch.setattr(recording_end, "DISK_WAIT", 0.2)
    return works


def train(writer: Any, first: int, last: int) -> None:
    rng = np.random.default_rng(first)
    for step in range(first, last + 1):
        before, update = rng.normal(size=8), rng.normal(size=8)
        ww.summary.update(step, {"w": (update, before, before - 1e-3 * update)}, loss=2.0**-step, writer=writer)


def test_rows_that_a_slow_disk_did_not_take_are_counted_and_told_everywhere(
    disk: threading.Event, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After one warning, live and read diagnosis, panel and review say how many are missing and why."""
    writer = ww.summary.create_file_writer(tmp_path, overhead=None, verbose=False)
    with pytest.warns(RuntimeWarning, match="not written, because the disk was too slow") as warned:
        train(writer, 1, 400)
    assert len(warned) == 1
    disk.set()
    train(writer, 401, 420)
    writer.close()
    (launch,) = launches(tmp_path)
    missing = 420 - len(launch.history)
    told = f"{missing} recorded rows were not written, because the disk was too slow."
    assert missing > 100
    for history in (launch.history, writer.history):
        diagnosis = ww.diagnose(history)
        assert diagnosis.sentence.endswith(told) and not diagnosis.complete
    assert writer.diagnosis == ww.diagnose(writer.history)
    assert not launch.skipped
    overview = answers.overview("run", launch, answers.safe_diagnose(launch.history), 0.0)
    assert (
        overview["sentence"].endswith(told) and f"{missing} were not written and are missing here" in overview["detail"]
    )
    capsys.readouterr()
    cli.main(["review", str(tmp_path)])
    assert told in " ".join(capsys.readouterr().out.split())
    assert launch.now.diagnosis.rows != launch.now.rows  # so the panel makes its own diagnosis, of what it has


def test_a_disk_that_comes_back_loses_nothing(disk: threading.Event, tmp_path: Path) -> None:
    """As long as what waits fits into memory, all of it is written; that the end did not wait is told once."""
    writer = ww.summary.create_file_writer(tmp_path, verbose=False)
    train(writer, 1, 20)
    with pytest.warns(RuntimeWarning, match=r"has not taken all that was recorded") as warned:
        writer.close()
        writer.close()
    assert len(warned) == 1
    assert not (tmp_path / "weightwatch").exists()
    disk.set()
    assert writer._recorder._sink.wait(20)
    (history,) = ww.read(tmp_path)
    assert len(history) == 20 and history.ended is not None and ww.diagnose(history) == writer.diagnosis


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    """Recording stops and says why; what was written until then can be read, and exit and status are unchanged."""
    program = f"""
import resource, warnings
import numpy as np
import tb_weightwatch as ww
warnings.simplefilter("always")
writer, w = ww.summary.create_file_writer({str(tmp_path)!r}, verbose=False), np.ones(300)
for step in range(1, 801):
    before, w = w, w * 0.999
    ww.summary.update(step, {{f"w{{i}}": (before, before, w) for i in range(3)}}, loss=1 / step, writer=writer)
    if step % 100 == 0:
        with writer._recorder.guarded():
            writer._recorder.flush()
    if step == 200:
        resource.setrlimit(resource.RLIMIT_FSIZE, (15_000, 15_000))
writer.close()
print(writer.diagnosis.sentence)
"""
    environment = {**os.environ, "TB_WEIGHTWATCH_STRICT": "0"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=100, env=environment
    )
    assert done.returncode == 0 and done.stderr.count("has switched itself off") == 1, done.stderr
    assert "Recording stopped at step" in done.stdout and "could not be written (File too large)" in done.stdout
    (history,) = ww.read(tmp_path)
    assert len(history) >= 100


def test_a_step_that_would_wait_too_long_is_left_out_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where measuring hangs, training goes on without it, within its budget; it says how many steps are missing."""
    tf = pytest.importorskip("tensorflow")
    from tb_weightwatch.capture.measure.step_measurer import StepMeasurer
    from tb_weightwatch.capture.schedule import budget

    goes_on, measure = threading.Event(), StepMeasurer.measure

    def hang(self: Any, data: Any) -> Any:
        assert goes_on.wait(60)
        return measure(self, data)

    monkeypatch.setattr(StepMeasurer, "measure", hang)
    monkeypatch.setattr(budget, "HANGS_AFTER", 0.2)
    w = tf.Variable([1.0, 2.0])
    watch = ww.Watch(tmp_path, variables=[w], verbose=False, overhead=None)
    for step in range(40):
        w.assign_sub([0.5, 0.5])
        watch.step(2.0**-step)
    goes_on.set()
    with pytest.warns(RuntimeWarning, match="could not keep up") as warned:
        watch.close()
    assert len(warned) == 1
    left_out = 40 - len(watch.history)
    assert left_out > 30
    for history in (watch.history, *ww.read(tmp_path)):
        assert ww.diagnose(history).sentence.endswith(
            f"{left_out} steps were not measured, because measuring could not keep up."
        )
        assert ww.diagnose(history).complete
