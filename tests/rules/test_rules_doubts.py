"""Rules at the edge of what numbers can tell: little signal, ordered targets, a part never reached, a large epsilon."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis import diagnose
from tests.rules.test_rules_examples import found
from tests.support.synthetic_history import VARIABLES, synthetic_history

NUMBERS: dict[str, Any] = {
    "loss": {"name": "mean_squared_error", "class": "MeanSquaredError"},
    "output_layer": {"name": "last", "activation": "linear", "units": 1},
    "target_shape": [32, 1],
    "prediction_shape": [32, 1],
}


def test_a_kernel_that_no_gradient_ever_reached_is_named_though_the_loss_is_low() -> None:
    """The head alone may fit the data; what ended at a perfect fit is excused."""
    gradient = np.full((120, len(VARIABLES)), 0.3)
    gradient[:, :2] = 0
    low = 1.1 * np.exp(-np.arange(120) / 10)
    verdict = found(synthetic_history(loss=low, gradient_norm=gradient, gradient_max=gradient / 6), "zero-gradient")
    assert verdict and verdict.severity == "warning" and verdict.variables == tuple(v["name"] for v in VARIABLES[:2])
    ended = np.where(np.arange(120)[:, None] < 60, 0.3, 0.0) * np.ones(len(VARIABLES))
    assert diagnose(synthetic_history(loss=low, gradient_norm=ended, gradient_max=ended / 6)).status != "sick"


@pytest.mark.parametrize(("epsilon", "sick"), [(1e-7, False), (1e-3, False), (1.0, True)])
def test_epsilon_is_held_against_a_usual_element_of_the_gradient(epsilon: float, sick: bool) -> None:
    """One element may be near epsilon while the step shrinks fiftyfold."""
    size = np.sqrt([np.prod(v["shape"]) for v in VARIABLES])
    adam = {"class": "Adam", "name": "adam", "config": {"learning_rate": 1e-4, "epsilon": epsilon}}
    history = synthetic_history(
        loss=1.09, facts={"optimizers": [adam]}, learning_rate=1e-4, gradient_norm=0.02 * size, gradient_max=0.3,
        update_norm=2e-6 * size,
    )  # fmt: skip
    assert (found(history, "optimizer-misconfigured") is not None) is sick


@pytest.mark.parametrize(("optimizer", "sick"), [("Lion", False), ("SGD", True)])
def test_steps_of_one_size_come_back_to_one_step_from_zero(optimizer: str, sick: bool) -> None:
    """Lion moves each element by the rate, there and back; with any other optimizer such weights were put back."""
    size = np.sqrt([np.prod(v["shape"]) for v in VARIABLES])
    facts = {"optimizers": [{"class": optimizer, "name": "it", "config": {"learning_rate": 1e-3}}]}
    history = synthetic_history(
        loss=1.09, facts=facts, weight_norm=1e-3 * size, update_norm=1e-3 * size, gradient_norm=1e-9
    )
    assert (found(history, "update-undone") is not None) is sick
