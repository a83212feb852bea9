"""Tests of nonfinite-input."""

from __future__ import annotations

import numpy as np

from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.diagnosis.rules.data.nonfinite_input import Details, text
from tests.support.rule_runs import STEP, open_verdict
from tests.support.synthetic_history import synthetic_history


def test_nan_in_a_batch_is_an_error_once_the_loss_is_nan() -> None:
    """The message counts the elements and names the step; what follows is folded under it."""
    loss = np.where(STEP < 9, 1.0, np.nan)
    nonfinite = {"input_nonfinite": (STEP == 9) * 3, "gradient_nonfinite": (STEP >= 9)[:, None] * 5}
    verdict = open_verdict(synthetic_history(loss=loss, **nonfinite), "nonfinite-input")
    assert verdict and verdict.severity == "error" and verdict.certainty == "certain"
    assert "3 elements" in verdict.message and "step 10" in verdict.message
    assert [v.name for v in verdict.explains] == ["nonfinite-loss", "nonfinite-gradient"]


def test_nan_that_the_model_masks_is_an_info() -> None:
    """While nothing after the data is affected, missing values do not make a run sick."""
    history = synthetic_history(target_nonfinite=4)
    verdict = open_verdict(history, "nonfinite-input")
    assert verdict and verdict.severity == "info" and verdict.message.startswith("The targets")
    assert diagnose(history).status == "healthy"


DETAILS = Details(
    source="inputs",
    elements=3.0,
    step=10,
    preflight=False,
    features=("age", "income"),
    bad_batches=1,
    batches=1200,
    nonfinite="the loss",
    nonfinite_step=10,
)


def test_wording() -> None:
    """The message says where the values are and what they did; without an effect it is an info."""
    verdict = text(DETAILS)
    assert verdict.severity == "error" and verdict.message == (
        "The inputs contain NaN or infinite values: 3 elements of the batch at step 10 (features 'age' and 'income'), "
        "in 1 of 1,200 recorded batches, and training breaks because of them: the loss is not finite in the same "
        "step"
    )
    later = text(DETAILS._replace(features=(), nonfinite="a gradient or weight", nonfinite_step=12))
    assert later.message.endswith("because of them: a gradient or weight is not finite at step 12")
    masked = text(DETAILS._replace(source="targets", elements=1.0, features=(), preflight=True, step=2, nonfinite=""))
    assert masked.severity == "info" and masked.message == (
        "The targets contain NaN or infinite values: 1 element of batch 2, in 1 of 1,200 recorded batches; nothing "
        "after the data is affected so far, so the model seems to mask them"
    )
