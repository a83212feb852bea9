"""Tests of learning-rate-too-small."""

from __future__ import annotations

import pytest

from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.diagnosis.rules.optimizer.learning_rate_too_small import Details, text
from tb_weightwatch.diagnosis.signals import LossCourse
from tb_weightwatch.diagnosis.statements import StepCount
from tests.support.rule_runs import NAMES
from tests.support.synthetic_history import synthetic_history


@pytest.mark.parametrize("kind", ["fit", "loop"])
def test_a_tiny_rate_is_named_with_a_better_one_in_the_users_own_terms(kind: str) -> None:
    """The fix has the old value, the new value and code for `fit` or for a loop."""
    history = synthetic_history(learning_rate=1e-10, update_norm=1e-10, loss=1.1, facts={"recorder": {"kind": kind}})
    verdict = diagnose(history).verdicts[0]
    assert verdict.name == "learning-rate-too-small"
    assert "from 1e-10 to about 1e-3" in verdict.fix
    assert ("model.compile" in verdict.fix) == (kind == "fit")
    assert ("optimizer.learning_rate = 1e-3" in verdict.fix) == (kind == "loop")


def test_a_tiny_rate_explains_that_nothing_is_stored() -> None:
    """Adam with 1e-10: no float32 weight changes at all, and the learning rate is why."""
    history = synthetic_history(learning_rate=1e-10, update_norm=0.0, stuck_share=1.0, changed_share=0.0, loss=1.1)
    assert [v.name for v in diagnose(history).verdicts] == ["learning-rate-too-small"]


def test_small_updates_with_progress_or_a_converged_loss_are_healthy() -> None:
    """Fine-tuning, long trainings that fall, converged models."""
    small = {"learning_rate": 1e-5, "update_norm": 1e-5}
    assert not diagnose(synthetic_history(**small)).verdicts
    assert not diagnose(synthetic_history(loss=0.01, **small)).verdicts


DETAILS = Details(
    learning_rate=1e-8,
    usual_learning_rate=1e-3,
    new_learning_rate=1e-3,
    code="    optimizer.learning_rate = 1e-3",
    ratio=3.72e-8,
    kernel="first/kernel",
    steps=StepCount(57),
    span=(1, 57),
    rows=57,
    exact=True,
    loss=LossCourse(2.39, 2.38, 1),
    names=NAMES,
    still=NAMES,
)


def test_wording() -> None:
    """The message compares the learning rate and the update with typical ones; the fix has the value to set."""
    verdict = text(DETAILS)
    assert verdict.message == (
        "The learning rate of 1e-8 is too small, 100,000 times below the typical one: on average a recorded step "
        "changes no kernel by more than 3.72e-8 of its norm (1e-3 is typical), loss 2.39 -> 2.38 over 57 steps"
    )
    assert verdict.fix == (
        "Raise the learning rate from 1e-8 to about 1e-3 (the update ratio is 3.72e-8 now, 1e-3 is typical):\n"
        "    optimizer.learning_rate = 1e-3"
    )
    assert (verdict.certainty, verdict.variables) == ("certain", NAMES)


def test_wording_without_loss_and_motion() -> None:
    """A learning rate not far below the typical one is not called so; a loss that is not known is left out."""
    near = text(DETAILS._replace(learning_rate=3e-4, ratio=0.0, exact=False, loss=LossCourse(), rows=45))
    assert near.message == (
        "The learning rate of 3e-4 is too small: the weights stand still in all 45 recorded steps (of 57), in 57 steps"
    )
    assert near.certainty == "likely"
