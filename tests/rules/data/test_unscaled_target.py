"""Tests of unscaled-target."""

from __future__ import annotations

import numpy as np
import pytest

from tb_weightwatch.diagnosis.rules.data.unscaled_target import Details, text
from tb_weightwatch.diagnosis.signals import LossCourse
from tb_weightwatch.diagnosis.statements import StepCount
from tests.support.rule_runs import REGRESSION, STEP, open_verdict
from tests.support.synthetic_history import synthetic_history


@pytest.mark.parametrize(
    ("loss", "sick"), [(np.linspace(63_800.0, 51_400.0, 120), True), (41_300 + 22_500 * np.exp(-STEP / 8), False)]
)
def test_targets_far_from_scale_keep_the_loss_above_that_of_their_mean(loss: np.ndarray, sick: bool) -> None:
    """Half of the way down to it in a hundred steps is slow; a loss that has arrived there is not reported."""
    history = synthetic_history(
        loss=loss, facts=REGRESSION, target_mean=150.0, target_std=203.0, target_fraction_share=1.0
    )
    assert (open_verdict(history, "unscaled-target") is not None) is sick


def test_large_targets_that_ruin_the_weights_are_reported_at_once() -> None:
    """SGD at a rate that would be harmless for targets of size 1: the loss becomes NaN, and nothing is waited for."""
    facts = REGRESSION | {"optimizers": [{"class": "SGD", "name": "sgd", "config": {"learning_rate": 0.001}}]}
    loss = np.where(STEP < 6, 63_800.0 * 10.0 ** np.minimum(STEP, 6), np.nan)
    columns = {"target_mean": 150.0, "target_std": 203.0, "target_fraction_share": 1.0, "learning_rate": 0.001}
    verdict = open_verdict(synthetic_history(loss=loss, facts=facts, **columns), "unscaled-target")
    assert verdict and verdict.first_step < 10 and "ruined the weights" in verdict.message


DETAILS = Details(
    mean=150.0,
    spread=20.0,
    size=151.3,
    broken=False,
    steps=StepCount(64),
    loss=LossCourse(2.3e4, 2.2e4, 1),
    peak=2.4e4,
    constant_loss=400.0,
)


def test_wording() -> None:
    """The message has the scale of the targets, and either the level of the loss or what became of the weights."""
    assert text(DETAILS).message == (
        "The targets are not scaled: their mean is about 150 and their standard deviation 20 (0 and 1 are usual), and "
        "after 64 steps the loss is still above 400, the loss of always predicting their mean (loss 23,000 -> 22,000)"
    )
    assert text(DETAILS._replace(broken=True)).message.endswith(
        ", and the large updates they cause have ruined the weights (loss 23,000 -> 22,000; it was 24,000 once)"
    )
