"""Tests of signals that several rules read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis.signals import constant_prediction_loss
from tests.support.rule_runs import REGRESSION
from tests.support.synthetic_history import synthetic_history

CLASSES: dict[str, Any] = {
    "loss": None,
    "output_layer": {"name": "last", "activation": "linear", "units": 3},
    "target_shape": [32],
    "prediction_shape": [32, 3],
}
SOFTMAX: dict[str, Any] = CLASSES | {"output_layer": {"name": "last", "activation": "softmax", "units": 3}}
UNNAMED: dict[str, Any] = REGRESSION | {"loss": None}


@pytest.mark.parametrize(
    ("facts", "loss_candidates", "level"),
    [
        (CLASSES, {"logit_cross_entropy": 1.0}, np.log(3)),  # class ids are no numbers
        (UNNAMED, {"squared_error": 1.0}, 4.0),  # the variance of the targets
        (UNNAMED, {"squared_error": 2.0}, 0.8 * 2.0),  # less than the squared error: an absolute error
        (UNNAMED, {}, 4.0),
        (UNNAMED, {"squared_error": 0.9}, 4.0),  # with regularization
        (SOFTMAX, {"cross_entropy": 3.0, "logit_cross_entropy": 1.5}, np.nan),
        (REGRESSION | {"loss": {"name": "huber", "class": "Huber"}}, {}, 1.6),
    ],
)
def test_the_value_of_a_loss_tells_its_constant_loss(
    facts: dict[str, Any], loss_candidates: dict[str, float], level: float
) -> None:
    """The constant loss of an unnamed loss of 1 follows from what common losses give for the same batch."""
    history = synthetic_history(loss=1.0, target_mean=0.0, target_std=2.0, facts=facts, **loss_candidates)
    assert constant_prediction_loss(history)[-1] == pytest.approx(level, nan_ok=True)
