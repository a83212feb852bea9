"""Tests of the symptom of weights that barely move."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis.symptoms.weights_barely_move import weights_barely_move
from tests.support.rule_runs import ROOT_SIZES, STEP
from tests.support.synthetic_history import synthetic_history

FLAT = 1.1 + 0.05 * np.sin(STEP)


def _moving(size: float) -> Any:
    return size * ROOT_SIZES


def test_a_short_path_and_a_loss_that_stands_still() -> None:
    """The path is the sum of the update ratios."""
    symptom = weights_barely_move(synthetic_history(loss=FLAT, update_norm=_moving(2e-6)))
    assert symptom is not None and symptom.link == "update"
    assert (
        "the updates of 120 steps add up to about 1e-3 times the size of the weight that moved most" in symptom.message
    )
    assert "the loss does not fall beyond its noise" in symptom.message


def test_a_tiny_path_needs_no_loss() -> None:
    """No healthy training moves its weights by less than a ten-thousandth."""
    assert weights_barely_move(synthetic_history(loss=None, update_norm=_moving(1e-8))) is not None


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"loss": np.linspace(1.1, 0.6, 120), "update_norm": _moving(2e-6)}, id="the loss falls"),
        pytest.param({"loss": 0.02, "update_norm": _moving(2e-6)}, id="fine-tuned"),
        pytest.param({"loss": FLAT, "update_norm": _moving(2e-6), "learning_rate": 1e-6 * (STEP + 1)}, id="warm-up"),
        pytest.param({"loss": FLAT}, id="usual updates"),
        pytest.param({"loss": FLAT, "update_norm": 0.0}, id="no movement at all"),
    ],
)
def test_silent(columns: dict[str, Any]) -> None:
    """A loss that falls or is low, warm-up, and updates of usual size are no symptom."""
    assert weights_barely_move(synthetic_history(**columns)) is None


def test_too_early() -> None:
    """Thirty steps show nothing."""
    assert weights_barely_move(synthetic_history(30, loss=1.1, update_norm=_moving(2e-6))) is None
