"""Tests of nonfinite-loss."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tb_weightwatch.diagnosis.rules.loss.nonfinite_loss import Details, text
from tb_weightwatch.diagnosis.statements import Onset
from tests.support.rule_runs import BINARY, REGRESSION, STEP, dense_net, first_name, open_verdict, train_compiled
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
    began=Onset(10, 9),
    previous_loss=2.31,
    bad_rows=3,
    rows=12,
    weights_finite=True,
    outputs_finite=False,
    bad_layer="dense_2",
    bad_gradients=("dense/kernel",),
    fix="Clip.",
)


def test_wording() -> None:
    """The message has the step, the loss before it, and what was and was not finite."""
    assert text(DETAILS).message == (
        "The loss became NaN at step 10: it was 2.31 at step 9 with finite weights; the output of 'dense_2' is not "
        "finite at step 10; it is not finite in 3 of 12 recorded steps; at step 10 the gradient of 'dense/kernel' is "
        "not finite either"
    )
    layers = DETAILS._replace(began=Onset(10, 5), outputs_finite=True, bad_layer="", bad_gradients=())
    assert text(layers).message == (
        "The loss became NaN between step 5 and step 10 (steps 6 to 9 were not recorded): it was 2.31 at step 5 with "
        "finite weights; the layers' outputs are finite at step 10, so the loss itself overflows or takes log(0); it "
        "is not finite in 3 of 12 recorded steps"
    )
    assert (text(DETAILS).certainty, text(layers).certainty) == ("certain", "likely")
    first = layers._replace(loss=np.inf, began=Onset(1, 0), previous_loss=None, outputs_finite=False, bad_rows=12)
    assert text(first).message == "The loss became Inf at step 1: it is not finite in 12 of 12 recorded steps"


@pytest.mark.parametrize(("units", "loss_class"), [(1, "BinaryCrossentropy"), (3, "SparseCategoricalCrossentropy")])
def test_the_fix_of_probabilities_is_a_loss_on_logits(units: int, loss_class: str) -> None:
    """The logarithm of a probability of 0 is avoided by computing the loss from raw outputs."""
    verdict = open_verdict(synthetic_history(loss=NAN, facts=BINARY if units == 1 else {}), "nonfinite-loss")
    assert verdict and f"    loss = keras.losses.{loss_class}(from_logits=True)\n" in verdict.fix
    regression = open_verdict(synthetic_history(loss=NAN, facts=REGRESSION), "nonfinite-loss")
    assert regression and "enable_check_numerics" in regression.fix


def test_a_rate_that_is_far_too_large_is_not_cured_by_a_small_constant() -> None:
    """A learning rate far above the usual one points to a divergence."""
    verdict = open_verdict(synthetic_history(loss=NAN, learning_rate=1e25), "nonfinite-loss")
    assert verdict and "from 1e25 to about 1e-3" in verdict.fix and "1e-7" not in verdict.fix
