"""Tests of nonfinite-loss."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tb_weightwatch.diagnosis.rules.loss.nonfinite_loss import Details, text
from tests.support.rule_runs import STEP, dense_net, first_name, open_verdict, train_compiled
from tests.support.synthetic_history import synthetic_history

NAN = np.where(STEP < 20, 1.0, np.nan)


def test_a_loss_that_is_nan_before_any_weight_is() -> None:
    """It is certain from the first such loss on."""
    verdict = open_verdict(synthetic_history(loss=NAN), "nonfinite-loss")
    assert verdict and verdict.certainty == "certain" and verdict.first_step == 21


@pytest.mark.parametrize("column", ["gradient_nonfinite", "weight_nonfinite"])
def test_where_the_weights_were_lost_first_another_rule_explains_it(column: str) -> None:
    """A gradient or a weight was not finite in the step before the loss."""
    history = synthetic_history(loss=NAN, **{column: (STEP >= 19)[:, None] * 5})
    assert open_verdict(history, "nonfinite-loss") is None


@pytest.mark.filterwarnings("ignore")  # Keras itself warns of some of these programs
def test_weights_that_are_nan_were_not_set_back(tmp_path: Path) -> None:
    """They do not move either, and the optimizer's averages are not zero: but it is the loss that is not finite."""
    import keras

    from tests.support.loops import diabetes

    x, y = diabetes()
    y = y.copy()
    y[::9] = np.inf
    loss, optimizer = keras.losses.MeanSquaredError(), keras.optimizers.Adam(1e-2)
    diagnosis = train_compiled(tmp_path, dense_net(1), optimizer, loss, (x, y), loss_alone=True)
    assert first_name(diagnosis) == "nonfinite-loss"
    assert "update-undone" not in [v.name for v in diagnosis.verdicts]


DETAILS = Details(
    loss=np.nan,
    step=10,
    previous_loss=2.31,
    previous_step=9,
    bad_rows=3,
    rows=12,
    finite=("weights",),
    bad_layer="dense_2",
    bad_gradients=("dense/kernel",),
    log_of_probabilities=False,
    activation="linear",
)


def test_wording() -> None:
    """The message has the step, the loss before it, and what was and was not finite."""
    assert text(DETAILS).message == (
        "The loss became NaN at step 10, after 2.31 in the step before, while the weights were finite: the output of "
        "'dense_2' is not finite in the same step; not finite in 3 of 12 recorded steps; in the first of them the "
        "gradient of 'dense/kernel' is not finite either"
    )
    layers = DETAILS._replace(previous_step=5, finite=("weights", "layers' outputs"), bad_layer="", bad_gradients=())
    assert text(layers).message == (
        "The loss became NaN at step 10, after 2.31 at step 5, while the weights and the layers' outputs were finite: "
        "the loss itself overflows or takes the logarithm of 0; not finite in 3 of 12 recorded steps"
    )
    first = layers._replace(loss=np.inf, step=1, previous_loss=None, previous_step=None, finite=(), bad_rows=12)
    assert text(first).message == (
        "The loss became Inf at step 1, from the first step on; not finite in 12 of 12 recorded steps"
    )


@pytest.mark.parametrize(
    ("activation", "loss_class"), [("sigmoid", "BinaryCrossentropy"), ("softmax", "SparseCategoricalCrossentropy")]
)
def test_the_fix_of_probabilities_is_a_loss_on_logits(activation: str, loss_class: str) -> None:
    """The logarithm of a probability of 0 is avoided by computing the loss from raw outputs."""
    assert "enable_check_numerics" in text(DETAILS).fix
    fix = text(DETAILS._replace(log_of_probabilities=True, activation=activation)).fix
    assert f"    loss = keras.losses.{loss_class}(from_logits=True)\n" in fix
