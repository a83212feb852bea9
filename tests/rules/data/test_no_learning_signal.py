"""Tests of no-learning-signal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis.rules.data.no_learning_signal import Details, text
from tb_weightwatch.diagnosis.signals import LossCourse
from tb_weightwatch.diagnosis.statements import StepCount
from tests.support.rule_runs import BINARY, REGRESSION, STEP, open_verdict
from tests.support.synthetic_history import VARIABLES, synthetic_history


def _noisy_regression(gained: float, rows: int = 240) -> dict[str, Any]:
    """Returns batches of standard normal targets, and the loss of a model that explains `gained` of their variance."""
    rng = np.random.default_rng(3)
    targets = rng.normal(size=(rows, 32))
    mean, std = targets.mean(axis=1), targets.std(axis=1)
    loss = (1 - gained) * (std**2 + mean**2) + 0.03 * rng.normal(size=rows)
    return {
        "loss": loss, "target_mean": mean, "target_std": std, "target_low": -3.0, "target_high": 3.0,
        "target_fraction_share": 1.0, "update_norm": 0.01 * np.sqrt([np.prod(v["shape"]) for v in VARIABLES]),
    }  # fmt: skip


@pytest.mark.parametrize(("gained", "sick"), [(0.0, True), (-0.01, True), (0.05, False), (0.3, False)])
def test_a_twentieth_of_the_variance_is_a_signal(gained: float, sick: bool) -> None:
    """The loss alone scatters by more; against a constant prediction on the same batches the gain shows."""
    history = synthetic_history(240, facts=REGRESSION, **_noisy_regression(gained))
    assert (open_verdict(history, "no-learning-signal") is not None) is sick


@pytest.mark.parametrize(("label", "sick"), [(STEP // 20 % 2, True), (np.zeros(120), False)])
def test_batches_of_one_class_each_are_sorted_unless_it_is_the_same_class(label: np.ndarray, sick: bool) -> None:
    """Twenty batches of one class, then twenty of the other; a single class throughout is not sorted."""
    history = synthetic_history(
        facts=BINARY, loss=0.7 + 0.1 * np.sin(STEP), target_mean=label, target_std=0.0, target_low=label,
        target_high=label, prediction_mean=0.5,
    )  # fmt: skip
    verdict = open_verdict(history, "no-learning-signal")
    assert (verdict is not None and "sorted by class" in verdict.message) is sick


DETAILS = Details(
    sorted_by_class=False, steps=StepCount(1200), loss=LossCourse(0.7, 0.694, 1), constant_loss=0.693, distance=2.14
)


def test_wording() -> None:
    """The message has how far the weights moved and the level at which the loss stays, or the order of the batches."""
    assert text(DETAILS).message == (
        "There is no learning signal: the updates of 1,200 steps add up to about 2.1 times the size of the weight "
        "that moved most, but the loss is not clearly better than 0.693, that of a constant prediction "
        "(loss 0.7 -> 0.694)"
    )
    assert text(DETAILS._replace(sorted_by_class=True)).message == (
        "The batches are sorted by class: nearly every recorded one holds a single class (loss 0.7 -> 0.694 over "
        "1,200 steps), so each undoes what the previous one taught"
    )
