"""Tests of nonfinite-gradient."""

from __future__ import annotations

import numpy as np
import pytest

from tb_weightwatch.diagnosis.rules.gradient.nonfinite_gradient import Details, text
from tb_weightwatch.diagnosis.statements import Onset
from tests.support.rule_runs import STEP, open_verdict
from tests.support.synthetic_history import synthetic_history

NONFINITE = (STEP > 50)[:, None] * 7.0


def test_what_was_not_finite_before_it_is_named() -> None:
    """With a finite loss the derivative is to blame; together with a NaN loss, the forward pass."""
    backward = open_verdict(synthetic_history(gradient_nonfinite=NONFINITE), "nonfinite-gradient")
    assert backward and backward.first_step == 52 and "was finite" in backward.message and "sqrt" in backward.fix
    loss = np.where(STEP > 50, np.nan, 1.0)
    forward = open_verdict(synthetic_history(gradient_nonfinite=NONFINITE, loss=loss), "nonfinite-gradient")
    assert forward and "together with the loss" in forward.message
    outputs = (STEP > 40)[:, None] * 2.0
    output = open_verdict(
        synthetic_history(gradient_nonfinite=NONFINITE, output_nonfinite=outputs), "nonfinite-gradient"
    )
    assert output and "the output of 'first' is NaN or infinite at step 42" in output.message


def test_steps_that_loss_scaling_skips_now_and_then_are_healthy() -> None:
    """One step in forty is how the scale finds its level; most of them is an overflow."""
    rare = (STEP % 40 == 3)[:, None] * 5.0
    often = (STEP % 4 > 0)[:, None] * 5.0
    scale = {"loss_scale": 32768.0}
    assert open_verdict(synthetic_history(gradient_nonfinite=rare, **scale), "nonfinite-gradient") is None
    assert open_verdict(synthetic_history(gradient_nonfinite=often, **scale), "nonfinite-gradient")


DETAILS = Details(names=("dense/kernel",), elements=193.0, began=Onset(1200, 1199), loss=1.04, origin="", fix="Clip.")
START = "A gradient became NaN or infinite at step 1,200: that of 'dense/kernel' (193 elements)"


@pytest.mark.parametrize(
    ("details", "rest"),
    [
        (DETAILS, ", while the loss of step 1,200 was finite (1.04)"),
        (DETAILS._replace(loss_known=False, loss=np.nan), ""),
        (
            DETAILS._replace(origin="loss", loss=np.inf),
            ", together with the loss, which is Inf at step 1,200",
        ),
        (
            DETAILS._replace(origin="output", layer="exp", origin_step=1200),
            "; the output of 'exp' is NaN or infinite at step 1,200",
        ),
        (
            DETAILS._replace(origin="weight", origin_step=1100),
            ", after weights had become NaN or infinite at step 1,100",
        ),
    ],
)
def test_wording(details: Details, rest: str) -> None:
    """The message counts the elements and names what was not finite before."""
    verdict = text(details)
    assert (verdict.message, verdict.fix, verdict.certainty) == (START + rest, "Clip.", "certain")


def test_what_lies_between_two_recorded_steps_is_not_known() -> None:
    """A gradient that was lost in steps that were not recorded may have been lost in any of them, by any cause."""
    verdict = text(DETAILS._replace(began=Onset(1200, 1192)))
    assert "between step 1,192 and step 1,200 (steps 1,193 to 1,199 were not recorded)" in verdict.message
    assert verdict.certainty == "likely"


def test_the_fix_suits_the_origin_and_the_loss() -> None:
    """A divergence is not cured by a small constant; a cross-entropy gets its own class."""
    loss = np.where(STEP > 50, np.nan, 1.0)
    forward = open_verdict(synthetic_history(gradient_nonfinite=NONFINITE, loss=loss), "nonfinite-gradient")
    assert forward and "SparseCategoricalCrossentropy(from_logits=True)" in forward.fix
    diverged = synthetic_history(gradient_nonfinite=NONFINITE, loss=loss, learning_rate=1e25)
    verdict = open_verdict(diverged, "nonfinite-gradient")
    assert verdict and "from 1e25 to about 1e-3" in verdict.fix and "log" not in verdict.fix
