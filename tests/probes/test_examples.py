"""Runs the confirming and the refuting example of each experiment, as its docstring prints them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import pytest

from tb_weightwatch.diagnosis import PREAMBLE
from tb_weightwatch.probes import ExperimentKind, ProbeReport, catalogue

CONFIRMS_NOTHING = {"one-batch-overfit"}  # by itself, as its docstring says
each = pytest.mark.parametrize("kind", catalogue().values(), ids=lambda kind: kind.name)


def run(kind: ExperimentKind, heading: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ProbeReport:
    """Runs an example in an empty folder and returns its report."""
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    try:
        exec(compile(f"{PREAMBLE}\n{kind.example(heading)}", heading, "exec"), names)
    finally:
        keras.config.set_dtype_policy("float32")
    report: ProbeReport = names["report"]
    assert report[kind.name].end == "completed", str(report)
    assert {cause.name for cause in report[kind.name].causes} <= set(kind.tests)  # by which experiments are chosen
    return report


@pytest.mark.filterwarnings("ignore")  # faulty programs make TensorFlow, Keras and numpy warn
@each
def test_the_confirming_example_confirms_a_cause(
    kind: ExperimentKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It confirms one of the causes that the experiment tests, and the report says so first."""
    report = run(kind, "Confirming example", tmp_path, monkeypatch)
    if kind.name in CONFIRMS_NOTHING:
        assert not report.confirmed and str(report).startswith("No experiment confirms a cause.")
        return
    assert set(report.confirmed) & set(kind.tests), str(report)
    assert str(report).startswith(f"Confirmed by an experiment: {', '.join(report.confirmed)}.")


@pytest.mark.filterwarnings("ignore")
@each
def test_the_refuting_example_refutes_a_cause_and_confirms_none(
    kind: ExperimentKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program without the fault is not accused of it."""
    report = run(kind, "Refuting example", tmp_path, monkeypatch)
    assert set(report.refuted) & set(kind.tests), str(report)
    assert not report.confirmed, str(report)
