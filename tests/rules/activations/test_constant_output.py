"""Tests of constant-output."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis.rules.activations.constant_output import Details, text
from tests.support.rule_runs import STEP, open_verdict
from tests.support.synthetic_history import synthetic_history


@pytest.mark.parametrize(
    ("columns", "sick"),
    [
        ({"loss": 1.1}, True),
        ({"loss": 0.01}, False),  # a task whose right answer is a constant
        ({"loss": 1.1, "prediction_std": 0.01}, False),
        ({"loss": 1.1, "update_norm": 0.0}, False),  # a model that is not trained keeps its first predictions
        ({"loss": 1.1, "prediction_std": np.where(STEP % 5 == 4, 0.1, 0.0)}, False),  # never five times in a row
    ],
)
def test_equal_predictions_are_reported_in_a_training_that_is_not_done(columns: dict[str, Any], sick: bool) -> None:
    """Five recorded steps in a row, weights that move, and a loss that is not low."""
    verdict = open_verdict(synthetic_history(**({"prediction_std": 0.0} | columns)), "constant-output")
    assert (verdict is not None) is sick
    assert verdict is None or (verdict.first_step == 5 and "120 recorded steps" in verdict.message)


DETAILS = Details(mean=0.333, std=0.0, duration="12 recorded steps", loss="loss 1.1 -> 1.1", activation="", units=3)


def test_wording() -> None:
    """The message has the prediction and for how long it has been the same."""
    assert text(DETAILS).message == (
        "The output is constant: every sample has had the same prediction (mean 0.333) for 12 recorded steps in a row "
        "(loss 1.1 -> 1.1)"
    )
    assert text(DETAILS._replace(duration="3 batches", loss="")).message.endswith("for 3 batches in a row")


@pytest.mark.parametrize(
    ("activation", "units", "fix"),
    [
        ("softmax", 1, "Use a sigmoid for two classes, or one unit of the softmax for each class:"),
        ("softmax", 3, "Find the first layer whose output is the same for every sample, from the input to the output:"),
        ("relu", 1, "Make the output linear; a dead ReLU does not recover:"),
    ],
)
def test_the_fix_depends_on_the_output_layer(activation: str, units: int, fix: str) -> None:
    """A softmax of one unit and a ReLU have a remedy of their own; else the layer has to be found."""
    assert text(DETAILS._replace(activation=activation, units=units)).fix.startswith(fix)
