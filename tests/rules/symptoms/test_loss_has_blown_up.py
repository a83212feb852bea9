"""Tests of the symptom of a loss that has blown up."""

from __future__ import annotations

import numpy as np

from tb_weightwatch.diagnosis.symptoms.loss_has_blown_up import loss_has_blown_up
from tests.support.rule_runs import STEP
from tests.support.synthetic_history import synthetic_history


def test_a_hundred_times_the_first_loss() -> None:
    """The first and the last loss are in the sentence."""
    symptom = loss_has_blown_up(synthetic_history(loss=np.where(STEP < 60, 1.0, 5e4)))
    assert symptom is not None and symptom.name == "loss-has-blown-up" and symptom.first_step == 61
    assert symptom.message.startswith("The loss has blown up: from 1 at first to 50,000 now")


def test_not_finite_until_the_end() -> None:
    """The first step without a finite loss is named, and the last finite loss."""
    symptom = loss_has_blown_up(synthetic_history(loss=np.where(STEP < 60, 1.5, np.nan)))
    assert symptom is not None and symptom.name == "loss-is-not-finite" and symptom.first_step == 61
    assert symptom.message == (
        "The loss is not finite: it is NaN at step 61 and in all 60 recorded steps since; the last finite one was 1.5"
    )


def test_silent() -> None:
    """A single NaN between finite losses, a peak that is over, and a loss that was not recorded are no symptom."""
    assert loss_has_blown_up(synthetic_history(loss=np.where(STEP == 60, np.nan, 1.0))) is None
    assert loss_has_blown_up(synthetic_history(loss=np.where(STEP == 60, 1e6, 1.0))) is None
    assert loss_has_blown_up(synthetic_history(loss=None)) is None
    assert loss_has_blown_up(synthetic_history()) is None


def test_a_loss_that_runs_away_below_zero() -> None:
    """It is told from the step on at which it is enormous; that it was a little below zero before is no fault."""
    loss = np.where(STEP < 60, -1.0 - 0.01 * STEP, -1e6)
    symptom = loss_has_blown_up(synthetic_history(loss=loss))
    assert symptom is not None and symptom.first_step == 61
    assert symptom.message.startswith("The loss runs away below zero: from -1 at first to -1e6 now")
    assert loss_has_blown_up(synthetic_history(loss=np.where(STEP < 60, -1.0, -100.0))) is None
