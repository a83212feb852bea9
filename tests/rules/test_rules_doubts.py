"""Rules at the edge of what numbers can tell: little signal, ordered targets, a part never reached, a large epsilon."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.rules.test_rules_examples import found
from tests.support.synthetic_history import VARIABLES, synthetic_history

NUMBERS: dict[str, Any] = {
    "loss": {"name": "mean_squared_error", "class": "MeanSquaredError"},
    "output_layer": {"name": "last", "activation": "linear", "units": 1},
    "target_shape": [32, 1],
    "prediction_shape": [32, 1],
}


def noisy(gained: float, rows: int = 240) -> dict[str, Any]:
    """Returns batches of standard normal targets, and the loss of a model that explains `gained` of their variance."""
    rng = np.random.default_rng(3)
    targets = rng.normal(size=(rows, 32))
    mean, deviation = targets.mean(axis=1), targets.std(axis=1)
    loss = (1 - gained) * (deviation**2 + mean**2) + 0.03 * rng.normal(size=rows)
    return {
        "loss": loss, "target_mean": mean, "target_std": deviation, "target_low": -3.0, "target_high": 3.0,
        "target_fraction_share": 1.0, "update_norm": 0.01 * np.sqrt([np.prod(v["shape"]) for v in VARIABLES]),
    }  # fmt: skip


@pytest.mark.parametrize(("gained", "sick"), [(0.0, True), (-0.01, True), (0.05, False), (0.3, False)])
def test_a_twentieth_of_the_variance_is_a_signal(gained: float, sick: bool) -> None:
    """By itself such a loss is lost in the scatter of batches; against a constant on the same batches it shows."""
    history = synthetic_history(240, facts=NUMBERS, **noisy(gained))
    assert (found(history, "no-learning-signal") is not None) is sick


@pytest.mark.parametrize(("explained", "sick"), [(0.0, True), (0.2, False), (0.5, False)])
def test_whole_numbers_from_nought_to_four_may_be_ratings(explained: float, sick: bool) -> None:
    """A squared error on them is called wrong only where nothing is gained by it."""
    history = synthetic_history(
        loss=2.0 * (1 - explained) + 6 * np.exp(-np.arange(120) / 5), facts=NUMBERS,
        target_mean=2.0, target_std=np.sqrt(2.0), target_high=4.0,
    )  # fmt: skip
    assert (found(history, "wrong-loss") is not None) is sick
