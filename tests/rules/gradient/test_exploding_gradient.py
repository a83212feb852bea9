"""Tests of exploding-gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis.rules.gradient.exploding_gradient import Details, text
from tb_weightwatch.diagnosis.signals import LossCourse
from tests.support.rule_runs import STEP, open_verdict
from tests.support.synthetic_history import synthetic_history

SGD = {"optimizers": [{"class": "SGD", "name": "it", "config": {"learning_rate": 1e-3}}]}
LOST = np.where(STEP < 6, 1.1 * 10.0**STEP, np.nan)


@pytest.mark.parametrize(("loss", "sick"), [(LOST, True), (1.1 * np.exp(-STEP / 30), False)])
def test_enormous_gradients_need_a_training_that_suffers(loss: Any, sick: bool) -> None:
    """Gradients a thousand times their weights are reported with a loss that becomes NaN, not with one that falls."""
    history = synthetic_history(loss=loss, facts=SGD, gradient_norm=3000.0, gradient_max=500.0)
    verdict = open_verdict(history, "exploding-gradient")
    assert (verdict is not None) is sick
    assert verdict is None or "in the first recorded step" in verdict.message


def test_gradients_that_grow_with_small_updates_are_reported() -> None:
    """A thousandfold growth under Adam, whose updates stay small, before the loss becomes NaN."""
    norm = 0.3 * np.exp(STEP / 8)[:, None] * np.ones(4)
    loss = np.where(STEP < 100, 1.1, np.nan)
    verdict = open_verdict(synthetic_history(loss=loss, gradient_norm=norm, gradient_max=norm), "exploding-gradient")
    assert verdict and verdict.first_step == 101 and "its norm grew from" in verdict.message


def test_a_learning_rate_far_above_the_typical_one_is_blamed_instead() -> None:
    """The same enormous gradients at a learning rate of 1 are not reported."""
    history = synthetic_history(loss=LOST, facts=SGD, gradient_norm=3000.0, gradient_max=500.0, learning_rate=1.0)
    assert open_verdict(history, "exploding-gradient") is None


DETAILS = Details(
    kernel="rnn/recurrent",
    kernels=("rnn/recurrent", "head/kernel"),
    ratio=412_000.0,
    enormous=True,
    initial_norm=2.5,
    largest_norm=4e6,
    nonfinite=True,
    loss=LossCourse(1.1, 9, 1),
    clip_norm=1.0,
    learning_rate=1e-3,
    optimizer="SGD",
    custom_loop=False,
)


def test_wording() -> None:
    """The message tells how large the gradient is and what came of it; the fix clips it, in the user's own terms."""
    verdict = text(DETAILS)
    assert verdict.message == (
        "The gradient explodes: in the first recorded step the gradient of 'rnn/recurrent' was 412,000 times as large "
        "as its weights (below 30 is typical), and then values became NaN or infinite"
    )
    assert "    keras.optimizers.SGD(1e-3, global_clipnorm=1)\n" in verdict.fix
    assert verdict.variables == ("rnn/recurrent", "head/kernel")
    grown = text(DETAILS._replace(enormous=False, nonfinite=False, clip_norm=2.0, custom_loop=True))
    assert grown.message == (
        "The gradient explodes: its norm grew from about 2.5 to 4e6, and the loss does not fall (loss 1.1 -> 9)"
    )
    assert "    gradients, _ = tf.clip_by_global_norm(gradients, 2)\n" in grown.fix
