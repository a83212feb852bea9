"""A recorder that fails says so: in the diagnosis, on the console, in the event file, in the panel and the review."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch import answers, cli
from tb_weightwatch.capture.fit.step_layout import StepLayout
from tb_weightwatch.capture.loop.step_recorder import LoopStepRecorder
from tb_weightwatch.capture.loop.targets import WatchTargets
from tb_weightwatch.capture.measure.row_buffer import RowBuffer
from tb_weightwatch.capture.measure.step_measurer import StepMeasurer
from tb_weightwatch.capture.recording_fault import fault_reason
from tb_weightwatch.diagnosis import IncrementalDiagnosis
from tb_weightwatch.reader import launches
from tb_weightwatch.writer import EventWriter
from tests.support import loops

Recorder = ww.Watch | ww.WeightWatch


def fail_from_call(number: int, owner: Any, name: str, error: Exception, patch: pytest.MonkeyPatch) -> None:
    """Makes a function raise at its n-th call and at all later ones."""
    original, calls = getattr(owner, name), 0

    def faulty(*arguments: Any, **settings: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls >= number:
            raise error
        return original(*arguments, **settings)

    patch.setenv("TB_WEIGHTWATCH_STRICT", "0")
    patch.setattr(owner, name, faulty)


def loop(logs: Path, steps: int = 40) -> ww.Watch:
    made: list[ww.Watch] = []

    def watch(model: Any, optimizer: Any) -> ww.Watch:
        made.append(ww.Watch(logs, model, optimizer, overhead=None))
        return made[0]

    loops.run("dense", steps=steps, look=False, watch=watch)
    made[0].close()
    return made[0]


def fit(logs: Path, steps: int = 40) -> ww.WeightWatch:
    keras.utils.set_random_seed(3)
    model, (x, y) = loops.dense(), loops.diabetes()
    model.compile(keras.optimizers.Adam(1e-2), "mse")
    watch = ww.WeightWatch(logs, overhead=None)
    x, y = np.resize(x, (steps * 8, 10)), np.resize(y, (steps * 8, 1))
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0, callbacks=[watch])
    return watch


FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/home/someone/secret-project")
OURS = ZeroDivisionError("a value of the user: 42")
TRAININGS: list[Callable[[Path], Recorder]] = [loop, fit]


@pytest.mark.parametrize("train", TRAININGS)
def test_a_failure_while_steps_are_measured(
    train: Callable[[Path], Recorder],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Live and read back, the diagnosis says when and why recording stopped, and calls nothing after it healthy."""
    fail_from_call(12, StepMeasurer, "measure", OURS, monkeypatch)
    with pytest.warns(RuntimeWarning, match="switched itself off"):
        watch = train(tmp_path)
    diagnosis = watch.diagnosis
    assert watch.history.steps.tolist() == list(range(1, 12))
    assert diagnosis.status == "undecided"
    reason = r"ZeroDivisionError in capture/measure/\w+, \w+\(\), a failure of tb_weightwatch\."
    assert re.match(rf"Recording stopped at step 12: {reason} (Healthy up to step 11|Undecided): ", diagnosis.sentence)
    (read,) = ww.read(tmp_path)
    assert ww.diagnose(read) == diagnosis
    assert diagnosis.sentence in capsys.readouterr().err
    assert "value of the user" not in str([record.data for record in read.records])


@pytest.mark.parametrize("train", TRAININGS)
def test_a_failure_at_the_first_step(
    train: Callable[[Path], Recorder],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without any recorded step the answer is why, and not that no step has been recorded yet."""
    fail_from_call(1, StepMeasurer, "measure", OURS, monkeypatch)
    with pytest.warns(RuntimeWarning, match="switched itself off"):
        watch = train(tmp_path)
    diagnosis = watch.diagnosis
    assert (diagnosis.status, diagnosis.rows) == ("undecided", 0)
    assert re.match(r"Recording stopped at step 1: ZeroDivisionError .*\. No step was recorded\.", diagnosis.sentence)
    assert {unknown.lacked for unknown in diagnosis.unknown} == {"recording stopped before a step was recorded"}
    assert ww.diagnose(ww.read(tmp_path)[0]).sentence == diagnosis.sentence
    assert diagnosis.sentence in capsys.readouterr().err


@pytest.mark.parametrize("train", TRAININGS)
def test_a_disk_that_is_full(
    train: Callable[[Path], Recorder],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where the event file cannot be written any more, diagnosis and console say so, without a path."""
    fail_from_call(3, EventWriter, "flush", FULL, monkeypatch)
    fail_from_call(10, EventWriter, "tick", FULL, monkeypatch)
    with pytest.warns(RuntimeWarning, match="No space left"):
        watch = train(tmp_path)
    expected = r"Recording stopped at step \d+: the event file could not be written \(No space left on device\)\. "
    assert re.match(expected, watch.diagnosis.sentence)
    assert watch.diagnosis.status == "undecided"
    assert "secret" not in watch.diagnosis.sentence
    assert watch.diagnosis.sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (LoopStepRecorder, "begin_step"),
        (LoopStepRecorder, "record"),
        (WatchTargets, "describe"),
        (RowBuffer, "drain"),
        (IncrementalDiagnosis, "__call__"),
        (EventWriter, "append"),
        (EventWriter, "judged"),
        (EventWriter, "add"),
    ],
)
def test_whatever_of_a_loop_fails_is_told(
    owner: Any, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part of the recorder may fail; reading the diagnosis says so, and raises nothing."""
    fail_from_call(2, owner, name, OURS, monkeypatch)
    with pytest.warns(RuntimeWarning, match="switched itself off"):
        watch = loop(tmp_path)
    assert watch.diagnosis.status == "undecided"
    assert watch.diagnosis.sentence.startswith("Recording stopped ")
    monkeypatch.undo()
    for history in ww.read(tmp_path):
        assert ww.diagnose(history).status == "undecided"


@pytest.mark.parametrize(("owner", "name"), [(StepLayout, "pack"), (StepLayout, "unpack"), (RowBuffer, "drain")])
def test_whatever_of_fit_fails_is_told(owner: Any, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where tracing the recorded step fails, the callback says so."""
    fail_from_call(1, owner, name, OURS, monkeypatch)
    with pytest.warns(RuntimeWarning, match="switched itself off"):
        watch = fit(tmp_path)
    assert watch.diagnosis.sentence.startswith("Recording stopped ")
    assert ww.diagnose(ww.read(tmp_path)[0]) == watch.diagnosis


def test_a_diagnosis_that_fails_when_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If no diagnosis can be made, reading it gives one that says so."""
    watch = ww.Watch(tmp_path, variables=[tf.Variable(1.0)], verbose=False)
    watch.step(1.0)
    fail_from_call(1, IncrementalDiagnosis, "__call__", OURS, monkeypatch)
    monkeypatch.setattr("tb_weightwatch.capture.live_diagnosis.diagnose", None)
    with pytest.warns(RuntimeWarning, match="switched itself off"):
        diagnosis = watch.diagnosis
    assert diagnosis.status == "undecided"
    assert diagnosis.sentence.startswith("Recording stopped, and what was recorded cannot be diagnosed: ")
    assert watch.diagnosis == diagnosis
    watch.close()


def test_a_sick_training_stays_sick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was certain before the failure is still the answer; the failure follows it."""
    fail_from_call(30, StepMeasurer, "measure", OURS, monkeypatch)
    w = tf.Variable([1.0, 2.0], trainable=False)
    with pytest.warns(RuntimeWarning, match="switched itself off"), ww.Watch(tmp_path, variables=[w]) as watch:
        for _ in range(40):
            watch.step(1.0)
    assert watch.diagnosis.status == "sick"
    assert watch.diagnosis.verdicts[0].name == "frozen-weights"
    assert re.search(r"\. Recording stopped at step 3\d: ", watch.diagnosis.sentence)


def summary(logs: Path, steps: int = 40) -> Any:
    writer, weight = ww.summary.create_file_writer(logs), np.ones(3)
    for step in range(1, steps + 1):
        before, weight = weight, weight * 0.9
        ww.summary.update(step, {"w": (before, before, weight)}, loss=1 / step, writer=writer)
    writer.close()
    return writer


FAILING = [
    (EventWriter, "append"),
    (IncrementalDiagnosis, "__call__"),
    ("tb_weightwatch.capture.record_keeper", "record_as_stored"),
    ("tb_weightwatch.capture.recorder", "as_stored"),
]


@pytest.mark.parametrize("train", [loop, fit, summary])
@pytest.mark.parametrize(("owner", "name"), FAILING)
def test_whatever_is_asked_after_a_failure_answers(
    owner: Any, name: str, train: Callable[[Path], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Diagnosis, History, repr and panel say what was recorded and that recording stopped; nothing raises."""
    recorded = import_module(owner) if isinstance(owner, str) else owner
    number = 3 if name != "record_as_stored" else 5 if train is summary else 12  # summary makes fewer records
    fail_from_call(number, recorded, name, OURS, monkeypatch)
    with pytest.warns(RuntimeWarning, match="switched itself off") as warned:
        watch = train(tmp_path)
    assert len(warned) == 1
    assert re.match(r"Recording stopped at step \d+: ZeroDivisionError in ", str(watch.diagnosis.sentence))
    assert watch.diagnosis.sentence in str(watch.diagnosis) and watch.diagnosis.rows == len(watch.history)
    assert "recording has ended" in repr(watch) and repr(watch.history)
    if hasattr(watch, "show"):
        shown: list[str] = []
        monkeypatch.setattr("tb_weightwatch.capture.recording.show", lambda folder, **_: shown.append(folder))
        watch.show()
        assert shown == [str(tmp_path)]


def test_summary_functions_say_so_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer of the summary functions that failed returns False, and its diagnosis says why."""
    fail_from_call(3, EventWriter, "append", FULL, monkeypatch)
    writer, weight = ww.summary.create_file_writer(tmp_path, verbose=False), np.ones(3)
    recorded = []
    with pytest.warns(RuntimeWarning, match="No space left"):
        for step in range(1, 30):
            before, weight = weight, weight * 0.9
            recorded.append(ww.summary.update(step, {"w": (before, before, weight)}, loss=1 / step, writer=writer))
        writer.close()
    assert recorded[0] and not recorded[-1]
    assert "the event file could not be written (No space left on device)" in writer.diagnosis.sentence
    assert writer.diagnosis.status == "undecided"


def test_run_list_overview_and_review_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run does not count as dead or in training; sentence and state say that recording stopped."""
    fail_from_call(20, StepMeasurer, "measure", OURS, monkeypatch)
    with pytest.warns(RuntimeWarning, match="switched itself off"):
        loop(tmp_path / "run")
    (launch,) = launches(tmp_path / "run")
    diagnosis = answers.safe_diagnose(launch.history)
    entry = answers.launch_entry(launch, diagnosis, launch.history.started + 1e6)
    assert (entry["status"], entry["state"]) == ("undecided", "stopped")
    assert re.fullmatch(r"recording stopped at step 2\d; training went on unrecorded", entry["state_text"])
    overview = answers.overview("run", launch, diagnosis, launch.history.started + 1e6)
    assert overview["sentence"].startswith("Recording stopped at step 2")
    capsys.readouterr()
    assert cli.main(["review", str(tmp_path / "run")]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "UNDECIDED" in shown and "Recording stopped at step 2" in shown


def test_a_fault_is_named_by_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only errors of files and storage below the writer are "could not be written"; memory is named before that."""

    def reason(error: Exception) -> str:
        def flush() -> None:
            raise error

        writer = EventWriter.__new__(EventWriter)
        monkeypatch.setattr(writer, "flush", flush, raising=False)
        with pytest.raises(type(error)) as raised:
            writer.close()
        return fault_reason(raised.value)

    assert reason(FULL).startswith("the event file could not be written (No space")
    assert "memory ran out" in reason(MemoryError())
    assert "a failure of tb_weightwatch" in reason(TypeError("not bytes"))
