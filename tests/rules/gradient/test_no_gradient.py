"""Tests of no-gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis.rules.gradient.no_gradient import Details, text
from tests.support.rule_runs import NAMES, open_verdict
from tests.support.synthetic_history import synthetic_history


def test_all_gradients_none_is_a_broken_tape() -> None:
    """It is reported at the very first step, with the tape's code."""
    history = synthetic_history(gradient_none=1, gradient_norm=None, gradient_max=None, update_norm=0.0)
    verdict = open_verdict(history[:1], "no-gradient")
    assert verdict and verdict.severity == "error" and "GradientTape" in verdict.fix


def _without(none: Any) -> dict[str, Any]:
    """Returns columns in which these variables have no gradient and do not move."""
    return {"gradient_none": none, "update_norm": (1 - none) * 0.01, "gradient_norm": np.where(none > 0, np.nan, 0.3)}


def test_layers_before_a_cut_are_sick_and_an_unused_branch_is_a_remark() -> None:
    """The place of the missing gradients tells which of the two it is."""
    cut = open_verdict(synthetic_history(**_without(np.array([1, 1, 0, 0.0]))), "no-gradient")
    assert cut and cut.severity == "warning" and cut.variables == NAMES[:2]
    unused = open_verdict(synthetic_history(**_without(np.array([0, 0, 1, 1.0]))), "no-gradient")
    assert unused and unused.severity == "info" and "harmless" in unused.message


DETAILS = Details(
    names=("encoder/kernel", "encoder/bias"),
    trainable=4,
    with_gradient=2,
    region="input side",
    loss_falls=False,
    custom_loop=False,
    layer="encoder",
    span=(1, 30),
    rows=30,
)


@pytest.mark.parametrize(
    ("details", "message"),
    [
        (
            DETAILS,
            "2 of 4 trainable variables get no gradient (None): 'encoder/kernel' and 'encoder/bias' change in none "
            "of 30 recorded steps, because an operation after them blocks the gradient (stop_gradient, numpy, "
            "argmax, round or a cast to integers)",
        ),
        (
            DETAILS._replace(names=("scale",), region="output side", loss_falls=True),
            "1 of 4 trainable variables gets no gradient (None): 'scale' changes in none of 30 recorded steps, "
            "because the loss is computed from an earlier layer, or does not use its output; the other variables "
            "train, so this is harmless if this one is unused on purpose",
        ),
        (
            DETAILS._replace(region="inside"),
            "2 of 4 trainable variables get no gradient (None): 'encoder/kernel' and 'encoder/bias' change in none "
            "of 30 recorded steps, because the loss does not use their output, or an operation after them blocks the "
            "gradient",
        ),
        (
            DETAILS._replace(region="all"),
            "No variable gets a gradient: the gradient of all 4 trainable variables is None, because the tape recorded "
            "no path from the loss to the weights",
        ),
    ],
)
def test_wording(details: Details, message: str) -> None:
    """The message tells which variables have no gradient and, by their place, what may be the cause."""
    assert text(details).message == message


def test_a_path_that_is_cut_is_not_frozen_but_repaired() -> None:
    """Only variables that are without a gradient beside a training that learns may be meant to be unused."""
    cut = text(DETAILS).fix
    assert "trainable = False" not in cut and "tape.gradient(loss, hidden)" in cut
    unused = DETAILS._replace(region="output side", loss_falls=True)
    assert text(unused).fix == (
        "Find what blocks the path from the loss to these variables, or, if this is intended, set trainable = False:\n"
        "    model.get_layer('encoder').trainable = False   # then compile again"
    )
    assert "compile" not in text(unused._replace(custom_loop=True)).fix
