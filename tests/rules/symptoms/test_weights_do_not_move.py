"""Tests of the symptom of weights that do not move."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis.symptoms.weights_do_not_move import weights_do_not_move
from tests.support.rule_runs import NAMES, STEP
from tests.support.synthetic_history import synthetic_history

FLAT: dict[str, Any] = {"loss": 1.1 + 0.01 * np.sin(STEP)}


def test_weights_that_never_move() -> None:
    """The sentence says for how many steps, and how many of them were recorded."""
    symptom = weights_do_not_move(synthetic_history(**FLAT, update_norm=0.0))
    assert symptom is not None and symptom.variables == NAMES
    assert symptom.message == (
        "The weights do not move: no weight has changed in any of the 120 steps recorded out of the last 120, "
        "although gradients are non-zero"
    )
    assert (symptom.first_step, symptom.last_step, symptom.severity) == (1, 120, "error")


def test_weights_that_stop_moving() -> None:
    """A pause must be long, and longer than those before."""
    stopped = np.where(STEP < 40, 0.01, 0.0)[:, None]
    symptom = weights_do_not_move(synthetic_history(**FLAT, update_norm=stopped))
    assert symptom is not None and symptom.first_step == 41
    assert "stopped moving after step 40" in symptom.message


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({**FLAT, "update_norm": np.where(STEP % 25 == 24, 0.01, 0.0)[:, None]}, id="accumulation by hand"),
        pytest.param({**FLAT, "update_norm": np.where(STEP < 80, 0.01, 0.0)[:, None]}, id="a pause of 40 steps"),
        pytest.param({"loss": np.where(STEP < 9, 1.0, 0.0), "update_norm": 0.0}, id="nothing left to learn"),
        pytest.param({**FLAT, "update_norm": None}, id="not recorded"),
        pytest.param({}, id="healthy"),
    ],
)
def test_silent(columns: dict[str, Any]) -> None:
    """Pauses between updates, a loss of zero, and weights that were not recorded are no symptom."""
    assert weights_do_not_move(synthetic_history(**columns)) is None


def test_too_early() -> None:
    """A few steps show nothing."""
    assert weights_do_not_move(synthetic_history(6, loss=1.1, update_norm=0.0)) is None
