"""Each rule with sick and healthy examples, and what its sentence and its fix say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.history import History
from tb_weightwatch.verdict import Verdict
from tests.support.synthetic_history import synthetic_history

T = np.arange(120)
BINARY: dict[str, Any] = {
    "loss": {"name": "binary_crossentropy", "class": "", "from_logits": False},
    "output_layer": {"name": "last", "activation": "sigmoid", "units": 1},
    "target_shape": [32, 1],
    "prediction_shape": [32, 1],
}


def found(history: History, name: str) -> Verdict | None:
    """Returns the open verdict of that name, folded or not."""

    def search(verdicts: Any) -> Verdict | None:
        for verdict in verdicts:
            inner = verdict if verdict.name == name else search(verdict.explains)
            if inner is not None:
                return inner
        return None

    return search(diagnose(history).verdicts)


# -- 101


def test_nan_in_a_batch_is_an_error_once_the_loss_is_lost() -> None:
    """The sentence counts the elements and names the step; what follows is folded under it."""
    nan = np.where(T < 9, 1.0, np.nan)
    verdict = found(
        synthetic_history(loss=nan, input_nonfinite=(T == 9) * 3, gradient_nonfinite=(T >= 9)[:, None] * 5),
        "nonfinite-input",
    )
    assert verdict and verdict.severity == "error" and verdict.certainty == "certain"
    assert "3 elements" in verdict.message and "step 10" in verdict.message
    assert [v.name for v in verdict.explains] == ["nonfinite-loss", "nonfinite-gradient"]


def test_nan_that_the_model_masks_is_a_remark() -> None:
    """While nothing after the data is affected, missing values are no sickness."""
    history = synthetic_history(target_nonfinite=4)
    verdict = found(history, "nonfinite-input")
    assert verdict and verdict.severity == "info"
    assert diagnose(history).status == "healthy"


# -- 102


def test_inputs_far_from_scale_need_an_effect() -> None:
    """The same inputs are sick where the loss stays up and silent where it falls."""
    raw = {"input_mean": 400.0, "input_std": 300.0, "input_scale_ratio": 5e4}
    verdict = found(synthetic_history(loss=20 * np.exp(-T / 60) + 2, **raw), "unscaled-input")
    assert verdict and "500 in size" in verdict.message and "Normalization" in verdict.fix
    assert found(synthetic_history(**raw), "unscaled-input") is None


@pytest.mark.parametrize(
    "first", ["Normalization", "Rescaling", "BatchNormalization", "Embedding", "Lambda", "MyScaling"]
)
def test_a_layer_that_may_scale_keeps_it_silent(first: str) -> None:
    """What comes before the first weights may bring the inputs to scale."""
    layers = [{"name": "pre", "class": first, "weights": 0}, {"name": "first", "class": "Dense", "weights": 336}]
    history = synthetic_history(loss=20.0, input_mean=400.0, input_std=300.0, facts={"model": {"layers": layers}})
    assert found(history, "unscaled-input") is None


# -- 105


@pytest.mark.parametrize(("low", "high"), [(1, 2), (-1, 1), (0, 9)])
def test_targets_outside_a_sigmoid_are_certain(low: float, high: float) -> None:
    """A cross-entropy on a sigmoid takes 0 to 1; the sentence has both ends."""
    verdict = found(synthetic_history(target_low=low, target_high=high, facts=BINARY), "label-problem")
    assert verdict and verdict.certainty == "certain"
    assert f"between {low} and {high}" in verdict.message


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.05, 0.95), (0, 0)])
def test_labels_within_reach_are_fine(low: float, high: float) -> None:
    """Hard, smoothed and one-sided labels are silent."""
    assert found(synthetic_history(target_low=low, target_high=high, facts=BINARY), "label-problem") is None


def test_class_ids_beyond_the_units_are_certain() -> None:
    """Ids 1 to 3 do not fit three units; ids 0 to 2 do."""
    verdict = found(synthetic_history(target_low=1, target_high=3), "label-problem")
    assert verdict and verdict.certainty == "certain" and "0 to 2" in verdict.message
    assert found(synthetic_history(target_low=0, target_high=2), "label-problem") is None


def test_rows_that_do_not_sum_to_one() -> None:
    """Several classes a sample do not go with a softmax."""
    facts = {"loss": {"name": "categorical_crossentropy"}, "target_shape": [32, 3], "prediction_shape": [32, 3]}
    columns = {"target_low": 0.0, "target_high": 1.0}
    assert found(synthetic_history(target_sum_error=1.0, facts=facts, **columns), "label-problem")
    assert found(synthetic_history(target_sum_error=1e-7, facts=facts, **columns), "label-problem") is None


def test_negative_targets_under_a_relu_output_are_likely() -> None:
    """Half of the targets can not be reached; a few slightly negative ones are let pass."""
    facts = {"loss": {"name": "mse"}, "output_layer": {"name": "last", "activation": "relu", "units": 1}}
    verdict = found(
        synthetic_history(target_low=-2, target_high=2, target_mean=0, target_std=1, facts=facts), "label-problem"
    )
    assert verdict and verdict.certainty == "likely"
    assert (
        found(
            synthetic_history(target_low=-0.01, target_high=9, target_mean=4, target_std=1, facts=facts),
            "label-problem",
        )
        is None
    )


def test_regression_with_a_linear_output_is_fine() -> None:
    """Any number goes with a linear output and mean squared error."""
    facts = {"loss": {"name": "mse"}, "output_layer": {"name": "last", "activation": "", "units": 1}}
    history = synthetic_history(
        target_low=-300, target_high=900, target_mean=200, target_std=200, loss=4e4 - 200 * T, facts=facts
    )
    assert found(history, "label-problem") is None


# -- 201, 202


def test_a_dead_layer_explains_the_zero_gradients() -> None:
    """A wholly dead ReLU layer is certain; the gradients before it are its consequence."""
    gradient = np.array([0.0, 0.0, 0.3, 0.3])
    history = synthetic_history(
        dead_share=1.0, always_dead_share=1.0, gradient_norm=gradient, gradient_max=gradient, loss=1.1
    )
    verdict = diagnose(history).verdicts[0]
    assert verdict.name == "dead-relu" and verdict.certainty == "certain" and "'first'" in verdict.message
    # The loss of 1.1 is ln 3, that of no skill: 106 says so, and is a consequence as well.
    assert [v.name for v in verdict.explains] == ["no-learning-signal", "zero-gradient"]
    assert verdict.variables == ("first/kernel", "first/bias")


def test_many_dead_units_in_a_net_that_trains_are_healthy() -> None:
    """Without an effect on the loss a partly dead layer is silent."""
    assert found(synthetic_history(dead_share=0.7, always_dead_share=0.7), "dead-relu") is None
    assert found(synthetic_history(dead_share=0.7, always_dead_share=0.7, loss=1.1), "dead-relu")


def test_saturation_with_exact_zeros_is_certain() -> None:
    """A sigmoid that is flat to the last bit explains gradients that are exactly zero."""
    layers = [{"name": "last", "kind": "Dense", "activation": "sigmoid"}]
    columns: dict[str, Any] = {"layers": layers, "saturated_share": 1.0, "blocked_share": 1.0, "facts": BINARY,
                               "target_low": 0, "target_high": 1, "target_mean": 0.5}  # fmt: skip
    still = {"gradient_norm": 0.0, "gradient_max": 0.0, "update_norm": 0.0}
    verdict = diagnose(synthetic_history(loss=8.0, **columns, **still)).verdicts[0]
    assert verdict.name == "saturated-activation" and verdict.certainty == "certain"
    assert [v.name for v in verdict.explains] == ["zero-gradient"]
    assert "from_logits=True" in verdict.fix
    assert not diagnose(synthetic_history(loss=1e-6, **columns, **still)).verdicts, (
        "a sure and right classifier is healthy"
    )
