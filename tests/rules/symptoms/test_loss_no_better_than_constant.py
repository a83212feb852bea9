"""Tests of the symptom of a loss that is no better than a constant prediction's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis.symptoms.loss_no_better_than_constant import loss_no_better_than_constant
from tests.support.rule_runs import STEP
from tests.support.synthetic_history import synthetic_history

LEVEL = 1.0986 + 0.02 * np.sin(STEP)  # ln 3


def test_at_the_level_after_the_weights_have_moved() -> None:
    """Both losses and the way of the weights are in the sentence."""
    symptom = loss_no_better_than_constant(synthetic_history(loss=LEVEL))
    assert symptom is not None
    assert symptom.message == (
        "The model is no better than a constant answer: after 120 steps its loss is 1.1 and that of a constant "
        "prediction 1.1, while the updates add up to about 0.51 times the size of the weight that moved most"
    )
    assert symptom.first_step == 1


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({}, id="learns"),
        pytest.param({"loss": np.linspace(6, 3, 120)}, id="far above, and falls"),
        pytest.param({"loss": LEVEL, "update_norm": 1e-6}, id="has not moved"),
        pytest.param({"loss": LEVEL + 2, "cross_entropy": 0.3, "logit_cross_entropy": 0.9}, id="a large penalty"),
        pytest.param({"loss": None}, id="not recorded"),
        pytest.param({"loss": LEVEL, "facts": {"optimizers": [{"class": "Adam"}] * 2}}, id="two optimizers"),
    ],
)
def test_silent(columns: dict[str, Any]) -> None:
    """A loss that falls, penalties above a low error, and adversaries are no symptom."""
    assert loss_no_better_than_constant(synthetic_history(**columns)) is None


def test_it_resolves_when_learning_begins() -> None:
    """A long plateau is a symptom only while it lasts."""
    loss = np.where(np.arange(240) < 160, 1.0986, np.linspace(2.4, 0.2, 240)) + 0.01 * np.sin(np.arange(240))
    history = synthetic_history(240, loss=loss)
    assert loss_no_better_than_constant(history[:150]) is not None
    assert loss_no_better_than_constant(history) is None
