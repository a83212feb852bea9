"""Tests of nonfinite-gradient."""

from __future__ import annotations

import numpy as np
import pytest

from tb_weightwatch.diagnosis.rules.gradient.nonfinite_gradient import Details, text
from tests.support.rule_runs import STEP, open_verdict
from tests.support.synthetic_history import synthetic_history

NONFINITE = (STEP > 50)[:, None] * 7.0


def test_what_was_not_finite_before_it_is_named() -> None:
    """With a finite loss the derivative is to blame; together with a NaN loss, the forward pass."""
    backward = open_verdict(synthetic_history(gradient_nonfinite=NONFINITE), "nonfinite-gradient")
    assert backward and backward.first_step == 52 and "still finite" in backward.message and "sqrt" in backward.fix
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


DETAILS = Details(names=("dense/kernel",), elements=193.0, step=1200, loss=1.04, origin="")
START = "The gradient of 'dense/kernel' became NaN or infinite at step 1,200 (193 elements)"


@pytest.mark.parametrize(
    ("details", "rest", "code"),
    [
        (DETAILS, ", while the loss was still finite (1.04)", "tf.sqrt(x + 1e-12)"),
        (DETAILS._replace(loss_known=False, loss=np.nan), "", "tf.sqrt(x + 1e-12)"),
        (
            DETAILS._replace(origin="loss", loss=np.inf),
            ", together with the loss, which is Inf in that step",
            "from_logits=True",
        ),
        (
            DETAILS._replace(origin="output", layer="exp", origin_step=1200),
            "; the output of 'exp' is NaN or infinite at step 1,200",
            "from_logits=True",
        ),
        (
            DETAILS._replace(origin="weight", origin_step=1100),
            ", after weights had become NaN or infinite at step 1,100",
            "global_clipnorm=1.0",
        ),
    ],
)
def test_wording(details: Details, rest: str, code: str) -> None:
    """The message counts the elements and names what was not finite before; the fix suits that origin."""
    assert text(details).message == START + rest
    assert code in text(details).fix
