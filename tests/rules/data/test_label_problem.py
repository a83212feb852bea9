"""Tests of label-problem."""

from __future__ import annotations

import numpy as np
import pytest

from tb_weightwatch.diagnosis.rules.data.label_problem import Details, evidence, text
from tests.support.rule_runs import BINARY, REGRESSION, STEP, open_verdict
from tests.support.synthetic_history import synthetic_history

CATEGORICAL = {
    "loss": {"name": "categorical_crossentropy"},
    "target_shape": [32, 3],
    "prediction_shape": [32, 3],
}


@pytest.mark.parametrize(("low", "high"), [(1, 2), (-1, 1), (0, 9)])
def test_targets_outside_a_sigmoid_are_certain(low: float, high: float) -> None:
    """A cross-entropy on a sigmoid needs 0 to 1; the message has both ends."""
    verdict = open_verdict(synthetic_history(target_low=low, target_high=high, facts=BINARY), "label-problem")
    assert verdict and verdict.certainty == "certain"
    assert f"between {low} and {high}" in verdict.message


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.05, 0.95), (0, 0)])
def test_labels_within_reach_are_fine(low: float, high: float) -> None:
    """Hard, smoothed and one-sided labels are not reported."""
    assert open_verdict(synthetic_history(target_low=low, target_high=high, facts=BINARY), "label-problem") is None


@pytest.mark.parametrize(("prediction", "sick"), [(0.0, True), (5.0, False)])
def test_predictions_outside_the_range_of_tanh_were_rescaled(prediction: float, sick: bool) -> None:
    """Targets up to 9 do not fit a tanh output, unless the program rescales it before the loss."""
    facts = REGRESSION | {"output_layer": {"name": "last", "activation": "tanh", "units": 1}}
    history = synthetic_history(target_low=0.0, target_high=9.0, prediction_mean=prediction, facts=facts)
    assert (open_verdict(history, "label-problem") is not None) is sick


def test_class_ids_beyond_the_units_are_certain() -> None:
    """Ids 1 to 3 do not fit three units; ids 0 to 2 do."""
    verdict = open_verdict(synthetic_history(target_low=1, target_high=3), "label-problem")
    assert verdict and verdict.certainty == "certain" and "0 to 2" in verdict.message
    assert open_verdict(synthetic_history(target_low=0, target_high=2), "label-problem") is None


def test_rows_that_do_not_sum_to_one() -> None:
    """Several classes per sample do not go with a softmax."""
    for error, sick in ((1.0, True), (1e-7, False)):
        history = synthetic_history(target_sum_error=error, facts=CATEGORICAL, target_low=0.0, target_high=1.0)
        assert (open_verdict(history, "label-problem") is not None) is sick


@pytest.mark.parametrize(
    ("loss", "shape", "message"),
    [
        ("sparse_categorical_crossentropy", [32, 3], "one-hot rows of length 3"),
        ("categorical_crossentropy", [32], "class ids up to 2"),
    ],
)
def test_the_encoding_must_be_that_of_the_loss(loss: str, shape: list[int], message: str) -> None:
    """One-hot rows given to a sparse loss, and class ids given to a categorical one."""
    history = synthetic_history(facts=CATEGORICAL | {"loss": {"name": loss}, "target_shape": shape})
    verdict = open_verdict(history, "label-problem")
    assert verdict and verdict.certainty == "certain" and message in verdict.message


def test_negative_targets_under_a_relu_output_are_likely() -> None:
    """Half of the targets cannot be reached; a few slightly negative ones are not reported."""
    facts = REGRESSION | {"output_layer": {"name": "last", "activation": "relu", "units": 1}}
    targets = {"target_low": -2, "target_high": 2, "target_mean": 0, "target_std": 1}
    verdict = open_verdict(synthetic_history(facts=facts, **targets), "label-problem")
    assert verdict and verdict.certainty == "likely"
    few = {"target_low": -0.01, "target_high": 9, "target_mean": 4, "target_std": 1}
    assert open_verdict(synthetic_history(facts=facts, **few), "label-problem") is None


def test_regression_with_a_linear_output_is_fine() -> None:
    """Any number goes with a linear output and mean squared error."""
    targets = {"target_low": -300, "target_high": 900, "target_mean": 200, "target_std": 200}
    assert open_verdict(synthetic_history(loss=4e4 - 200 * STEP, facts=REGRESSION, **targets), "label-problem") is None


def test_a_cross_entropy_below_zero_is_reported_without_targets() -> None:
    """Only targets outside [0, 1] can cause it, so the targets need not have been recorded."""
    history = synthetic_history(loss=0.5 - STEP / 50, facts=BINARY, target_low=None, target_high=None)
    verdict = open_verdict(history, "label-problem")
    assert (
        verdict
        and verdict.certainty == "certain"
        and verdict.message.startswith("The cross-entropy was below zero (-1.88 at step 120)")
    )
    assert not verdict.evidence


SIGMOID = Details("out of range", low=1, high=2, activation="sigmoid", units=1)


@pytest.mark.parametrize(
    ("details", "message"),
    [
        (
            SIGMOID._replace(lowest_loss=-0.2, lowest_step=30),
            "The targets lie outside the output's range: they lie between 1 and 2, but a sigmoid reaches only 0 to "
            "1, so the loss fell below zero (-0.2 at step 30) and the labels cannot be fitted",
        ),
        (
            SIGMOID._replace(binary=True),
            "The targets lie outside the loss's range: they lie between 1 and 2, but binary cross-entropy has a "
            "minimum only for 0 to 1, so the labels cannot be fitted",
        ),
        (
            SIGMOID._replace(activation="tanh"),
            "The targets lie outside the output's range: they lie between 1 and 2, but tanh reaches only -1 to 1",
        ),
        (
            SIGMOID._replace(low=-3, activation="softplus"),
            "The targets lie outside the output's range: they go down to -3, but softplus is never below 0, so "
            "negative targets cannot be predicted",
        ),
        (
            Details("class ids", low=1, high=3, units=3),
            "The class ids range from 1 to 3, but the output has 3 units, for the ids 0 to 2",
        ),
        (
            Details("one-hot for sparse", row_length=10),
            "The targets are one-hot rows of length 10, but a sparse loss expects one class id per sample",
        ),
        (
            Details("ids for one-hot", high=9, units=10),
            "The targets are class ids up to 9, but categorical cross-entropy expects one-hot rows of length 10",
        ),
        (
            Details("row sums", low=0, high=1),
            "The rows of the targets do not sum to 1 (targets from 0 to 1), but those of a softmax output always do",
        ),
        (
            Details("negative loss", lowest_loss=-1.8, lowest_step=7),
            "The cross-entropy was below zero (-1.8 at step 7), which only targets outside [0, 1] can cause",
        ),
    ],
)
def test_wording(details: Details, message: str) -> None:
    """Each problem has a message of its own; the certainty is that of the details."""
    assert text(details).message == message
    assert text(details._replace(certainty="likely")).certainty == "likely"


def test_evidence_needs_recorded_targets() -> None:
    """The smallest and the largest target, where they were recorded."""
    assert [e.value for e in evidence(SIGMOID)] == [1, 2]
    assert not evidence(SIGMOID._replace(low=np.nan, high=np.nan))


@pytest.mark.parametrize(("share", "sick"), [(0.9, True), (0.0, False)])
def test_fractions_for_a_loss_that_expects_class_ids(share: float, sick: bool) -> None:
    """Labels that were divided by 255 all become class 0."""
    history = synthetic_history(target_fraction_share=share, target_low=0.0, target_high=0.9)
    verdict = open_verdict(history, "label-problem")
    assert (verdict is not None) is sick
    assert verdict is None or (verdict.certainty == "certain" and "fractions from 0 to 0.9" in verdict.message)
