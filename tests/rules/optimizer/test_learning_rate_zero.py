"""Tests of learning-rate-zero."""

from __future__ import annotations

import numpy as np
import pytest

from tb_weightwatch.diagnosis.rules.optimizer.learning_rate_zero import Details, text
from tb_weightwatch.diagnosis.statements import AllSteps, Onset, StepCount
from tests.support.rule_runs import NAMES, STEP, open_verdict
from tests.support.synthetic_history import synthetic_history

ENDS_AFTER_TEN = np.where(STEP < 10, 1e-3 * (1 - STEP / 10), 0)


def test_a_rate_of_zero_has_a_value_to_set() -> None:
    """Nothing moves, and the learning rate alone is the cause."""
    verdict = open_verdict(synthetic_history(learning_rate=0.0, update_norm=0.0, loss=1.1), "learning-rate-zero")
    assert verdict and verdict.certainty == "certain" and "Adam(1e-3)" in verdict.fix
    assert "although gradients are non-zero" in verdict.message


def test_a_schedule_that_ends_too_soon_is_named_with_its_length() -> None:
    """It is reported if the weights stop with it; updates that go on contradict the recorded rate."""
    goes_on = synthetic_history(learning_rate=ENDS_AFTER_TEN, loss=1.05)
    assert open_verdict(goes_on, "learning-rate-zero") is None
    stops = synthetic_history(learning_rate=ENDS_AFTER_TEN, loss=1.05, update_norm=0.01 * (STEP < 10)[:, None])
    verdict = open_verdict(stops, "learning-rate-zero")
    assert verdict and "at step 11 of 120" in verdict.message and "decay_steps=120" in verdict.fix


DETAILS = Details(
    learning_rate=0.0,
    peak=0.0,
    new_learning_rate=1e-3,
    code="    optimizer.learning_rate = 1e-3",
    steps=AllSteps(30, StepCount(30)),
    spent=Onset(1, 0),
    floor=0.01,
    nonzero_gradients=True,
    before_training=False,
    scheduled=False,
    third_party_fix="",
    loss="loss 2.39 -> 2.36",
    names=NAMES,
)
FALLEN = DETAILS._replace(
    learning_rate=2.5e-25, peak=0.01, new_learning_rate=0.01, steps=AllSteps(114, StepCount(114)), spent=Onset(12, 11)
)


@pytest.mark.parametrize(
    ("details", "message"),
    [
        (
            DETAILS,
            "The learning rate is exactly 0: it has been so in all 30 steps, so no weight changes although gradients "
            "are non-zero",
        ),
        (
            DETAILS._replace(steps=AllSteps(30, StepCount(30, "epoch")), nonzero_gradients=False),
            "The learning rate is exactly 0: it has been so in all 30 epochs, so no weight changes",
        ),
        (DETAILS._replace(before_training=True), "The learning rate is exactly 0, so no weight can change"),
        (
            FALLEN,
            "The learning rate fell to below 1 % of its peak before the model had learned: from 0.01 to 2.5e-25 at "
            "step 12 of 114 (loss 2.39 -> 2.36), so the weights have hardly changed since",
        ),
        (
            FALLEN._replace(learning_rate=0.0, loss=""),
            "The learning rate fell to exactly 0 before the model had learned: from 0.01 at step 12 of 114, so the "
            "weights have hardly changed since",
        ),
    ],
)
def test_wording(details: Details, message: str) -> None:
    """The message tells whether the learning rate was always 0 or when it fell."""
    assert text(details).message == message


@pytest.mark.parametrize(
    ("details", "fix"),
    [
        (DETAILS, "Set a learning rate above 0, such as 1e-3:\n    optimizer.learning_rate = 1e-3"),
        (
            DETAILS._replace(scheduled=True),
            "Its schedule returns 0: check its values in the first steps, or set a learning rate above 0, such as "
            "1e-3:\n    optimizer.learning_rate = 1e-3",
        ),
        (
            FALLEN,
            "Make the schedule as long as the training (decay_steps counts batches: epochs * batches per epoch):\n"
            "    schedule = keras.optimizers.schedules.CosineDecay(0.01, decay_steps=114)\n"
            "or set a constant one:\n    optimizer.learning_rate = 1e-3",
        ),
        (FALLEN._replace(third_party_fix="Set lr."), "Set lr."),
    ],
)
def test_wording_of_the_fix(details: Details, fix: str) -> None:
    """The fix goes by the cause, and by the framework that wrote the log."""
    assert text(details).fix == fix
