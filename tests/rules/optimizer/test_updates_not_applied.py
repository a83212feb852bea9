"""Tests of updates-not-applied."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis.rules.optimizer.updates_not_applied import Details, text
from tb_weightwatch.history import History
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


def loop_history(facts: dict[str, Any], **columns: Any) -> History:
    """Returns a History of a loop in which no weight moves although the optimizer counts its steps."""
    unmoved = {"update_norm": 0.0, "update_max": 0.0, "loss": 1.1, **columns}
    return synthetic_history(facts={"recorder": {"kind": "loop"}, **facts}, **unmoved)


ELSEWHERE = {"updated_variables": {"watched": 0, "trainable": 4, "other": 4, "names": ["a", "b", "c"]}}


@pytest.mark.parametrize("gradient", [None, 0.1])
def test_updates_of_other_variables(gradient: float | None) -> None:
    """The optimizer was given none of the watched variables; without gradients it takes longer to be said."""
    history = loop_history(ELSEWHERE, gradient_norm=gradient, gradient_max=gradient)
    verdict = open_verdict(history, "updates-not-applied")
    assert verdict and verdict.certainty == "certain" and verdict.first_step == (20 if gradient is None else 5)
    assert "4 variables ('a', 'b' and 'c'), none of which is watched, so in 120 training steps" in verdict.message
    assert open_verdict(history, "update-undone") is None
    assert open_verdict(loop_history(ELSEWHERE, update_norm=0.003), "updates-not-applied") is None, "they move"


def test_other_variables_while_the_loss_falls_may_be_a_stage_of_the_training() -> None:
    """Where no gradient of the watched variables is known, their turn may come later."""
    falling = loop_history(ELSEWHERE, gradient_norm=None, gradient_max=None, loss=1 / (1 + STEP))
    assert open_verdict(falling, "updates-not-applied") is None


def test_an_update_rule_of_ones_own_that_assigns_nothing() -> None:
    """Its steps would be visible under any usual update rule; Keras' own optimizers are not meant."""
    mine = {"class": "Mine", "name": "mine", "config": {}, "own": True}
    verdict = open_verdict(loop_history({"optimizers": [mine]}), "updates-not-applied")
    assert (
        verdict
        and verdict.message.startswith("The optimizer Mine assigns nothing")
        and "Mine.update_step" in verdict.fix
    )
    keras = open_verdict(loop_history({"optimizers": [{**mine, "own": False}]}), "updates-not-applied")
    assert keras is None
    tiny = loop_history({"optimizers": [mine]}, learning_rate=1e-9)
    assert open_verdict(tiny, "updates-not-applied") is None


def test_released_and_uncalled() -> None:
    """Variables that nothing refers to are certain; a model that was not called is likely."""
    released = open_verdict(loop_history({"released": 4}, iterations=None), "updates-not-applied")
    assert released and released.certainty == "certain" and "any of the 4 watched variables" in released.message
    learning = open_verdict(loop_history({"released": 4}, iterations=None, loss=1 / (1 + STEP)), "updates-not-applied")
    assert learning and learning.severity == "info", "other objects are trained, and they learn"
    assert open_verdict(loop_history({"released": 3}, iterations=None), "updates-not-applied") is None
    never = {"called": {"model": "never", "optimizer": None}}
    uncalled = open_verdict(loop_history(never, iterations=None), "updates-not-applied")
    assert uncalled and uncalled.certainty == "likely" and "not called in any recorded step" in uncalled.message
    eager = {"called": {"model": "eager", "optimizer": None}}
    assert open_verdict(loop_history(eager, iterations=None), "updates-not-applied") is None


@pytest.mark.parametrize(
    "facts", [{"called": 3}, {"called": {}}, {"released": "x"}, {"updated_variables": {"other": "y"}}]
)
def test_facts_of_other_versions_say_nothing(facts: dict[str, Any]) -> None:
    """Facts come from disk, so nothing is assumed about their types."""
    assert open_verdict(loop_history(facts, iterations=None), "updates-not-applied") is None


def test_gradients_and_updates_of_different_variables() -> None:
    """Two variables have gradients and never move, the two that move have none."""
    with_gradient = np.array([0.1, 0.1, np.nan, np.nan])
    moves = np.array([0, 0, 0.01, 0.01])
    history = synthetic_history(gradient_norm=with_gradient, update_norm=moves)
    verdict = open_verdict(history, "updates-not-applied")
    assert verdict and verdict.variables == NAMES[:2] and "while the variables that change" in verdict.message
    assert open_verdict(synthetic_history(update_norm=moves), "updates-not-applied") is None, "all have gradients"


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
            "2 of 4 trainable variables are not in the optimizer's list: 'first/kernel' and 'first/bias', so they "
            "change in no recorded step although trainable",
        ),
        (
            MISSING._replace(names=("scale",)),
            "1 of 4 trainable variables is not in the optimizer's list: 'scale', so it changes in no recorded step "
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
