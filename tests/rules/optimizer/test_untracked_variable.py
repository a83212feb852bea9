"""Tests of untracked-variable."""

from __future__ import annotations

from typing import Any

import numpy as np

from tb_weightwatch.diagnosis.rules.optimizer.untracked_variable import Details, text
from tb_weightwatch.history import History
from tests.support.rule_runs import open_verdict
from tests.support.synthetic_history import FACTS, VARIABLES, synthetic_history

BARE = {"layer": "scale", "attribute": "kernel", "name": "bare", "shape": [64, 32], "size": 2048}


def _history(**columns: Any) -> History:
    """Returns the history of a model in which a layer holds a bare variable."""
    return synthetic_history(facts={"model": {**FACTS["model"], "untracked": [BARE]}}, **columns)


def test_a_bare_variable_is_reported_before_it_could_have_moved() -> None:
    """It is a fact of the model; the size of the variable decides how bad it is."""
    verdict = open_verdict(_history()[:1], "untracked-variable")
    assert verdict and verdict.severity == "error" and verdict.variables == ()
    assert open_verdict(synthetic_history(), "untracked-variable") is None


def test_a_variable_that_is_trained_by_hand_is_silent() -> None:
    """It is watched by its own name, belongs to no layer, and moves."""
    variables = [*VARIABLES, {"name": "bare", "shape": [64, 32], "layer": ""}]
    moves = np.array([0.01, 0.01, 0.01, 0.01, 0.01])
    assert open_verdict(_history(variables=variables, update_norm=moves), "untracked-variable") is None
    stays = np.array([0.01, 0.01, 0.01, 0.01, 0.0])
    assert open_verdict(_history(variables=variables, update_norm=stays), "untracked-variable")


DETAILS = Details(attributes=("scale.kernel",), elements=2048, tracked=330, attribute="kernel", shape=(64, 32))


def test_wording() -> None:
    """The message names the attribute and counts the elements; the fix makes the variable as a weight."""
    verdict = text(DETAILS)
    assert verdict.message == (
        "Keras does not track 1 variable: 'scale.kernel' is a bare tf.Variable inside a Keras layer (2,048 elements; "
        "Keras tracks 330), so it is in none of Keras' lists of variables, and it never gets an update"
    )
    assert "    self.kernel = self.add_weight(shape=(64, 32), initializer='glorot_uniform')\n" in verdict.fix
    assert verdict.severity == "error"
    several = text(DETAILS._replace(attributes=("a.v", "b.v"), elements=20))
    assert several.message == (
        "Keras does not track 2 variables: 'a.v' and 'b.v' are bare tf.Variables inside Keras layers (20 elements; "
        "Keras tracks 330), so they are in none of Keras' lists of variables, and they never get an update"
    )
    assert several.severity == "warning"
