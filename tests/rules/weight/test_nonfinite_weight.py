"""Tests of nonfinite-weight."""

from __future__ import annotations

import numpy as np
import pytest

from tb_weightwatch.diagnosis.rules.weight.nonfinite_weight import Details, text
from tb_weightwatch.diagnosis.statements import Onset
from tests.support.rule_runs import NAMES, STEP, open_verdict
from tests.support.synthetic_history import synthetic_history

LOST = (STEP >= 20)[:, None] * 5.0


def test_what_was_lost_before_the_weights_is_told() -> None:
    """A gradient that was not finite before them, or one that was."""
    after = open_verdict(synthetic_history(weight_nonfinite=LOST, gradient_nonfinite=LOST), "nonfinite-weight")
    assert after and after.first_step == 21 and "after a gradient that was not finite" in after.message
    alone = open_verdict(synthetic_history(weight_nonfinite=LOST), "nonfinite-weight")
    assert alone and "although the gradient was finite" in alone.message
    unknown = synthetic_history(weight_nonfinite=LOST, gradient_nonfinite=None, gradient_norm=None, gradient_max=None)
    verdict = open_verdict(unknown, "nonfinite-weight")
    assert verdict and "while the loss of that step was finite" in verdict.message


def test_weights_lost_in_the_first_recorded_step_may_have_been_so_before() -> None:
    """Nothing is claimed of a time that was not recorded."""
    verdict = open_verdict(synthetic_history(weight_nonfinite=1, gradient_nonfinite=1), "nonfinite-weight")
    assert verdict and "they may have been so before" in verdict.message


DETAILS = Details(
    names=NAMES[:2],
    elements=1193.0,
    began=Onset(3200, 3199),
    before="gradient",
    snapshots=False,
    nonfinite=3,
    variables=4,
)
START = "Weights became NaN or infinite at step 3,200: 'first/kernel' and 'first/bias' (1,193 elements), "
BEFORE = {
    "unknown": "which is the first recorded step: they may have been so before",
    "gradient": "after a gradient that was not finite",
    "finite gradient": "although the gradient was finite: the optimizer's arithmetic or an assignment produced them",
    "finite loss": "while the loss of that step was finite",
    "gap": "in steps that were not recorded",
    "": "together with the loss",
}


@pytest.mark.parametrize("before", BEFORE)
def test_wording(before: str) -> None:
    """The message counts the elements and tells what was lost before them."""
    message = text(DETAILS._replace(before=before)).message
    assert message == f"{START}{BEFORE[before]}; 3 of 4 variables affected by now"


def test_what_was_lost_between_recorded_steps_is_not_claimed() -> None:
    """Where steps were left out, the gradient of the next recorded one tells nothing of the cause."""
    steps = np.r_[np.arange(1, 21), np.arange(30, 130)]
    gap = synthetic_history(weight_nonfinite=LOST, steps=steps)
    verdict = open_verdict(gap, "nonfinite-weight")
    assert verdict and verdict.certainty == "likely"
    assert "between step 20 and step 30 (steps 21 to 29 were not recorded)" in verdict.message
    assert "although" not in verdict.message


def test_wording_of_snapshots() -> None:
    """A third-party log holds no count of elements, and may count epochs."""
    assert text(DETAILS._replace(snapshots=True, began=Onset(7, 6, "epoch"), before="")).message == (
        "Weights became NaN or infinite at epoch 7: 'first/kernel' and 'first/bias' (at least one element, seen in a "
        "snapshot), together with the loss; 3 of 4 variables affected by now"
    )


def test_it_explains_what_follows() -> None:
    """Zero gradients after weights that are NaN are a consequence."""
    zero = np.where(STEP >= 20, 0.0, 0.3)[:, None]
    history = synthetic_history(weight_nonfinite=LOST, gradient_norm=zero, gradient_max=zero, loss=1.1)
    verdict = open_verdict(history, "nonfinite-weight")
    assert verdict and "zero-gradient" in [consequence.name for consequence in verdict.explains]
