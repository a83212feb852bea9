"""Tests of loss-disconnected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis.rules.loss.loss_disconnected import Details, text
from tests.support.rule_runs import dense_net, first_name, open_verdict, train_compiled
from tests.support.synthetic_history import synthetic_history

ZERO: dict[str, Any] = {"gradient_norm": 0.0, "gradient_max": 0.0, "update_norm": 0.0, "loss": 1.1}


@pytest.mark.parametrize(
    ("columns", "sick"),
    [
        ({}, True),
        ({"prediction_std": 0.0}, False),  # the output itself is constant
        ({"gradient_norm": np.array([0.0, 0.0, 0.3, 0.3])}, False),  # the output layer has a gradient
        ({"dead_share": 1.0, "always_dead_share": 1.0}, False),
        ({"weight_norm": np.array([3.0, 3.0, 0.0, 3.0])}, False),  # nothing passes a kernel of zeros
        ({"loss": 0.0}, False),  # a perfect fit, by these predictions
        ({"loss": 0.0, "prediction_std": 0.01}, True),  # no right and confident predictions
    ],
)
def test_zero_gradients_with_nothing_else_to_explain_them(columns: dict[str, Any], sick: bool) -> None:
    """All gradients are exactly zero from the first step on, and predictions differ."""
    verdict = open_verdict(synthetic_history(**(ZERO | columns)), "loss-disconnected")
    assert (verdict is not None) is sick
    assert verdict is None or (verdict.first_step == 3 and "all 4 gradients" in verdict.message)


@pytest.mark.filterwarnings("ignore")  # Keras itself warns of some of these programs
def test_a_loss_that_is_the_same_for_every_batch(tmp_path: Path) -> None:
    """Only the loss was recorded: it never changes, and Adam's averages of the gradients are still zero."""
    import keras
    import tensorflow as tf

    from tests.support.loops import diabetes

    def loss(y: Any, predictions: Any) -> Any:
        return 1.0 + 0.0 * tf.reduce_sum(predictions)

    optimizer = keras.optimizers.Adam(1e-2)
    diagnosis = train_compiled(tmp_path, dense_net(1), optimizer, loss, diabetes(), loss_alone=True)
    assert first_name(diagnosis) == "loss-disconnected"
    assert diagnosis.verdicts[0].message == (
        "The loss does not depend on the predictions: it is 1 for every recorded batch, and the optimizer has never "
        "received a non-zero gradient"
    )


DETAILS = Details(
    loss=1.5,
    gradients=6,
    duration="8 recorded steps",
    prediction_std=0.3,
    custom_loop=True,
    variables=("dense/kernel",),
)


def test_wording() -> None:
    """The message has the loss, where it was recorded, and the number of gradients; a loss of 0 is likely at most."""
    verdict = text(DETAILS)
    assert verdict.certainty == "certain" and verdict.variables == ("dense/kernel",)
    assert verdict.message == (
        "The loss does not depend on the predictions (it is 1.5): all 6 gradients are exactly zero in 8 recorded "
        "steps, including those of the output layer, although predictions differ from sample to sample"
    )
    assert text(DETAILS._replace(loss=np.nan)).message.startswith("The loss does not depend on the predictions: all 6")
    assert text(DETAILS._replace(loss=0.0)).certainty == "likely"


def test_the_fix_is_for_fit_or_for_a_loop() -> None:
    """Under fit the sample weights are suspected; in a loop the loss function is called by hand."""
    assert "loss_function(y, y_pred + 0.1)" in text(DETAILS).fix
    assert "sample_weight=None" in text(DETAILS._replace(custom_loop=False)).fix
