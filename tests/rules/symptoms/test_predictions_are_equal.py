"""Tests of the symptom of equal predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis.symptoms.predictions_are_equal import predictions_are_equal
from tests.support.rule_runs import STEP
from tests.support.synthetic_history import synthetic_history


def test_one_answer_for_all_samples() -> None:
    """The first step of the last streak is named."""
    symptom = predictions_are_equal(synthetic_history(loss=1.1, prediction_std=np.where(STEP < 70, 0.3, 0.0)))
    assert symptom is not None and symptom.first_step == 71
    assert "in each of the last 50 recorded steps the model gave every sample" in symptom.message


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({}, id="healthy"),
        pytest.param({"prediction_std": None}, id="not recorded"),
        pytest.param({"loss": 1.1, "prediction_std": 0.0, "target_std": 0.0}, id="all targets are equal"),
        pytest.param({"loss": 1.1, "prediction_std": 0.0, "batch_size": 1}, id="one sample a batch"),
        pytest.param({"loss": 1.1, "prediction_std": np.where(STEP < 115, 0.3, 0.0)}, id="five steps"),
    ],
)
def test_silent(columns: dict[str, Any]) -> None:
    """Predictions must be equal where several different ones were asked for."""
    assert predictions_are_equal(synthetic_history(**columns)) is None
