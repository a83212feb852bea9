"""Tests of updates-not-applied."""

from __future__ import annotations

import numpy as np
import pytest

from tb_weightwatch.diagnosis.rules.optimizer.updates_not_applied import Details, text
from tests.support.rule_runs import NAMES, STEP, open_verdict
from tests.support.synthetic_history import VARIABLES, synthetic_history


def test_updates_that_are_never_applied_are_certain_after_a_while() -> None:
    """The optimizer's count does not increase."""
    history = synthetic_history(iterations=0, update_norm=0.0, loss=1.1)
    verdict = open_verdict(history, "updates-not-applied")
    assert verdict and verdict.certainty == "certain" and verdict.first_step == 20 and "apply_gradients" in verdict.fix
    early = open_verdict(history[:30], "updates-not-applied")
    assert early and early.certainty == "likely"


def test_accumulation_by_hand_is_healthy() -> None:
    """One update in eight steps: a pause of that length is no halt."""
    moves = STEP % 8 == 7
    history = synthetic_history(iterations=np.cumsum(moves), update_norm=0.003 * moves[:, None])
    assert open_verdict(history, "updates-not-applied") is None


def test_variables_that_the_optimizer_lacks_are_named_unless_they_move() -> None:
    """A variable that is not in the optimizer's list never moves while the others do."""
    listed = [{**v, "optimized": v["layer"] == "last"} for v in VARIABLES]
    moves = np.array([0, 0, 0.01, 0.01])
    missing = open_verdict(synthetic_history(variables=listed, update_norm=moves), "updates-not-applied")
    assert missing and missing.variables == NAMES[:2] and "Compile again" in missing.fix
    assert open_verdict(synthetic_history(variables=listed), "updates-not-applied") is None, "they move all the same"


DETAILS = Details(
    halted=True,
    names=NAMES,
    trainable=4,
    step=1240,
    pause=40,
    last_update=0,
    optimizer_steps=0,
    exact=True,
    nonzero_gradients=True,
    custom_loop=True,
)
MISSING = DETAILS._replace(halted=False, names=NAMES[:2])


@pytest.mark.parametrize(
    ("details", "message"),
    [
        (
            DETAILS,
            "Updates are not applied: in 40 training steps with non-zero gradients the optimizer has never made a step "
            "(its step count is 0), so no weight changes",
        ),
        (
            DETAILS._replace(last_update=1200, optimizer_steps=1200, nonzero_gradients=False),
            "Updates are not applied: in 40 training steps the optimizer has made no step since step 1,200 (its step "
            "count is 1200), so no weight changes",
        ),
        (
            MISSING,
            "'first/kernel' and 'first/bias' (2 of 4 trainable variables) are not in the optimizer's list, so they "
            "change in no recorded step although trainable",
        ),
        (
            MISSING._replace(names=("scale",)),
            "'scale' (1 of 4 trainable variables) is not in the optimizer's list, so it changes in no recorded step "
            "although trainable",
        ),
    ],
)
def test_wording(details: Details, message: str) -> None:
    """The message tells whether the optimizer makes no step or lacks variables."""
    assert text(details).message == message


def test_wording_of_the_fix() -> None:
    """What to do depends on the kind of loop and on which of the two it is."""
    apply = "    optimizer.apply_gradients(zip(gradients, model.trainable_variables))"
    assert text(DETAILS).fix.endswith(apply) and text(DETAILS._replace(exact=False)).certainty == "likely"
    assert text(MISSING).fix == f"Pass these variables to the optimizer too:\n{apply}"
    assert text(MISSING._replace(custom_loop=False)).fix == (
        "Compile again after changing `trainable` (with a new optimizer object):\n"
        "    model.compile(optimizer=keras.optimizers.Adam(...), loss=...)"
    )
