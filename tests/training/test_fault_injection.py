"""Whatever of the recorder fails, training is unharmed: the bounded part of `python -m tests.harm.fault_injection`.

Behind each guard one function fails: without that guard, its test fails.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

import tb_weightwatch as ww
from tb_weightwatch.capture.loop.step_recorder import LoopStepRecorder
from tb_weightwatch.capture.measure.step_measurer import StepMeasurer
from tb_weightwatch.capture.observe.as_numpy import whole_number
from tests.harm import short_trainings
from tests.harm.fault_injection import FaultInjection, injecting
from tests.harm.injector import Injector

LOOP = [
    "capture/loop/loop_recording:LoopRecording._end_step",
    "capture/loop/loop_recording:LoopRecording._ending_exception",
    "capture/loop/loop_recording:LoopRecording._close",
    "capture/loop/loop_recording:LoopRecording._probe_if_due",
    "capture/loop/step_arguments:check_values",
    "capture/loop/step_recorder:LoopStepRecorder.record",
    "capture/measure/step_measurer:StepMeasurer.measure",
    "capture/observe/method_hooks:_entered",
    "capture/observe/method_hooks:_before",
    "capture/observe/method_hooks:_after",
    "capture/observe/observers:given_pairs",
    "capture/observe/observers:layer_output",
    "capture/schedule/recording_gate:RecordingGate.end_step",
    "diagnosis/engine/diagnose:IncrementalDiagnosis.__call__",
    "schema/row_blocks:encode_rows",
    "capture/measure/background_worker:BackgroundWorker._run",
    "writer/queued_sink:QueuedSink._run",
    "task_thread:TaskThread._run_tasks",
]
FIT = [
    "capture/keras_callback:WeightWatch.set_model",
    "capture/keras_callback:WeightWatch.on_train_begin",
    "capture/keras_callback:WeightWatch._end_training",
    "capture/fit/fit_recording:FitRecording._begin_execution",
    "capture/fit/fit_recording:FitRecording._end_execution",
    "capture/fit/step_recorder:FitStepRecorder.measure",
    "capture/fit/recording_train_function:RecordingTrainFunction.run",
    "capture/fit/recording_train_function:RecordingTrainFunction._recording_train_step",
    "capture/fit/recording_train_function:RecordingTrainFunction._observed",
    "capture/fit/recording_train_function:RecordingTrainFunction._pack",
    "capture/fit/hooks:fit_hooks",
]
# Of several steps in one execution: what follows the failure, too, must be trained.
EXECUTIONS = {
    "capture/fit/step_recorder:FitStepRecorder.measure": 1,
    "capture/fit/recording_train_function:RecordingTrainFunction._recording_train_step": 3,  # before the second step
}


@pytest.fixture(scope="module")
def injected() -> Iterator[tuple[Injector, Path]]:
    with injecting() as given:
        yield given


@pytest.fixture(scope="module")
def loop(injected: tuple[Injector, Path]) -> FaultInjection:
    return FaultInjection("loop", injected[1] / "loop", injected[0])


@pytest.fixture(scope="module")
def fit(injected: tuple[Injector, Path]) -> FaultInjection:
    return FaultInjection("fit-eager", injected[1] / "fit", injected[0])


@pytest.fixture(scope="module")
def fit_executions(injected: tuple[Injector, Path]) -> FaultInjection:
    return FaultInjection("fit-executions", injected[1] / "executions", injected[0])


def check(training: FaultInjection, function: str, errors: bool, call: int = 1) -> None:
    injections = list(training.inject(function, call, once=False, errors=errors))
    assert injections, f"{function} is not called"
    assert not any(item.is_bad for item in injections), injections


@pytest.mark.parametrize("function", LOOP)
def test_a_loop(function: str, loop: FaultInjection) -> None:
    """Same weights, no exception, one message, although warnings are errors."""
    check(loop, function, errors=LOOP.index(function) % 2 == 0)


@pytest.mark.parametrize("function", FIT)
def test_fit(function: str, fit: FaultInjection) -> None:
    """Same weights, no exception, one message, although warnings are errors."""
    check(fit, function, errors=FIT.index(function) % 2 == 0)


@pytest.mark.parametrize("function", EXECUTIONS)
def test_executions_of_several_steps(function: str, fit_executions: FaultInjection) -> None:
    """Same weights, no exception, one message; the steps of the execution that come after the failure are trained."""
    check(fit_executions, function, errors=False, call=EXECUTIONS[function])


def test_a_check_of_ours_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that one of our own checks raises for a mistake of ours is not raised as if it were the caller's."""
    monkeypatch.setenv("TB_WEIGHTWATCH_STRICT", "0")
    plain = short_trainings.loop(None, lambda: None)
    monkeypatch.setattr(LoopStepRecorder, "record", lambda *_: whole_number("no number"))
    with pytest.warns(RuntimeWarning, match="switched itself off"):
        assert short_trainings.loop(tmp_path, lambda: None) == plain


def test_the_summary_functions(injected: tuple[Injector, Path]) -> None:
    """Every eighth of all functions that they call fails, and those behind the guards."""
    training = FaultInjection("summary", injected[1] / "summary", injected[0])
    assert len(training.called) > 300
    bad = [item for item in training.injections(part=8, middle=False) if item.is_bad]
    assert not bad
    for name in ("update", "add_verdict", "_end"):
        check(training, f"capture/summary_writer:Writer.{name}", errors=True)
    check(training, "capture/observe/run_ending:ending_of", errors=True)


def test_all_warnings_are_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A training in which every warning is an error is recorded as a whole, and a failure goes to standard error."""
    monkeypatch.setenv("TB_WEIGHTWATCH_STRICT", "0")
    plain = short_trainings.loop(None, lambda: None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert short_trainings.loop(tmp_path / "recorded", lambda: None) == plain
        monkeypatch.setattr(StepMeasurer, "measure", None)
        assert short_trainings.loop(tmp_path / "failed", lambda: None) == plain
    assert len(ww.read(tmp_path / "recorded")[0]) >= 16
    assert capsys.readouterr().err.count("switched itself off") == 1
