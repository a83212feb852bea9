"""Tests of zero-gradient."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.diagnosis.rules.gradient.zero_gradient import Details, text
from tests.support.rule_runs import NAMES, STEP, dense_net, first_name, open_verdict, train_by_loss_alone
from tests.support.synthetic_history import synthetic_history


def test_zero_gradients_name_the_depth() -> None:
    """Exactly zero up to a layer: the message names that layer."""
    verdict = open_verdict(synthetic_history(gradient_norm=np.array([0, 0, 0.3, 0.3]), loss=1.1), "zero-gradient")
    assert verdict and "no layer from the input to 'first' is learning" in verdict.message


def test_a_perfect_fit_and_a_bias_alone_are_healthy() -> None:
    """A loss at 0 has zero gradients by right; a bias alone is no break in the chain."""
    assert not diagnose(synthetic_history(gradient_norm=0.0, loss=0.0)).verdicts
    bias = synthetic_history(gradient_norm=np.array([0.3, 0, 0.3, 0.3]), loss=1.1)
    assert open_verdict(bias, "zero-gradient") is None


def test_a_kernel_that_no_gradient_ever_reached_is_named_though_the_loss_is_low() -> None:
    """The head alone may fit the data; gradients that became zero at a perfect fit are excused."""
    gradient = np.full((120, len(NAMES)), 0.3)
    gradient[:, :2] = 0
    loss = 1.1 * np.exp(-STEP / 10)
    never = synthetic_history(loss=loss, gradient_norm=gradient, gradient_max=gradient / 6)
    verdict = open_verdict(never, "zero-gradient")
    assert verdict and verdict.severity == "warning" and verdict.variables == NAMES[:2]
    ended = np.where(STEP[:, None] < 60, 0.3, 0.0) * np.ones(len(NAMES))
    assert diagnose(synthetic_history(loss=loss, gradient_norm=ended, gradient_max=ended / 6)).status != "sick"


@pytest.mark.filterwarnings("ignore")  # Keras warns of a loss without gradient itself
def test_the_optimizers_averages_show_gradients_that_were_not_recorded(tmp_path: Path) -> None:
    """Weights do not move and the loss alone is passed on: averages of zero show that all gradients were zero."""
    import keras
    import tensorflow as tf

    from tests.support.loops import diabetes

    diagnosis = train_by_loss_alone(
        tmp_path, dense_net(1), keras.optimizers.Adam(1e-2), lambda y, p: tf.reduce_mean(y**2 + 0.0 * p), diabetes()
    )
    assert first_name(diagnosis) == "zero-gradient" and "averages" in diagnosis.sentence


DETAILS = Details(
    names=("first/kernel", "first/bias"),
    trainable=4,
    rows=57,
    duration="57 recorded steps",
    region="input side",
    layer="first",
    learning=False,
    loss="loss 2.3 -> 2.31",
)
START = "The gradient of 2 of 4 trainable variables is exactly zero: that of 'first/kernel' and 'first/bias'"


@pytest.mark.parametrize(
    ("details", "severity", "message"),
    [
        (
            DETAILS,
            "error",
            f"{START} in 57 recorded steps in a row (loss 2.3 -> 2.31), so no layer from the input to 'first' is "
            "learning",
        ),
        (
            DETAILS._replace(region="output side", learning=True),
            "info",
            f"{START} in 57 recorded steps in a row (loss 2.3 -> 2.31), so the loss sends no gradient to these "
            "last layers of the model",
        ),
        (
            DETAILS._replace(region="inside", loss=""),
            "error",
            f"{START} in 57 recorded steps in a row, so a branch of the model is disconnected from the loss",
        ),
        (
            DETAILS._replace(region="all", duration="8 batches"),
            "error",
            "All gradients are exactly zero: those of all 4 trainable variables in 8 batches in a row (loss 2.3 -> "
            "2.31), so no weight has any effect on the loss",
        ),
    ],
)
def test_wording(details: Details, severity: str, message: str) -> None:
    """The message tells for how long and in which part of the model; a loss that falls makes it milder."""
    assert text(details).message == message
    assert text(details).severity == severity
