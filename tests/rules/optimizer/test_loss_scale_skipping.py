"""Tests of loss-scale-skipping."""

from __future__ import annotations

import numpy as np
import pytest

from tb_weightwatch.diagnosis.rules.optimizer.loss_scale_skipping import Details, text
from tests.support.rule_runs import NAMES, STEP, open_verdict
from tests.support.synthetic_history import synthetic_history


@pytest.mark.parametrize(("every", "sick"), [(1, True), (40, False)])
def test_only_steps_that_are_skipped_again_and_again_are_reported(every: int, sick: bool) -> None:
    """A skipped step now and then is how the scale finds its level."""
    skipped = STEP % every == 0
    history = synthetic_history(
        loss_scale=32768.0 * 0.5 ** np.cumsum(skipped), iterations=np.cumsum(~skipped),
        gradient_nonfinite=skipped[:, None] * 5.0, update_norm=0.01 * ~skipped[:, None], loss=1.1,
    )  # fmt: skip
    verdict = open_verdict(history, "loss-scale-skipping")
    assert (verdict is not None) is sick
    assert verdict is None or (verdict.first_step == 10 and verdict.variables == NAMES)


def test_a_loss_that_was_lost_before_is_to_blame() -> None:
    """No loss scale repairs a loss that is NaN from the first step on."""
    history = synthetic_history(
        loss_scale=32768.0 * 0.5**STEP, iterations=0, gradient_nonfinite=5.0, update_norm=0.0, loss=np.nan
    )
    assert open_verdict(history, "loss-scale-skipping") is None


DETAILS = Details(skipped=40, rows=42, initial_scale=32768.0, scale=2.98e-8, names=NAMES)


def test_wording() -> None:
    """The message counts the skipped steps and those that are left until the weights become NaN."""
    verdict = text(DETAILS)
    assert verdict.message == (
        "Mixed precision skips its steps: in 40 of 42 recorded steps a gradient overflowed and no update was applied, "
        "and the loss scale fell from 32,768 to 2.98e-8; about 124 more skipped steps will bring the scale to 0, and "
        "the next applied step will turn the weights into NaN"
    )
    assert "mixed_bfloat16" in verdict.fix and verdict.certainty == "certain"
    assert text(DETAILS._replace(scale=0.0)).message.endswith("and the loss scale fell from 32,768 to 0")
