"""Tests of saturated-activation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.diagnosis.rules.activations.saturated_activation import Details, evidence, text
from tests.support.rule_runs import BINARY, open_verdict
from tests.support.synthetic_history import synthetic_history

SATURATED: dict[str, Any] = {
    "layers": [{"name": "last", "kind": "Dense", "activation": "sigmoid"}],
    "saturated_share": 1.0,
    "blocked_share": 1.0,
    "facts": BINARY,
    "target_low": 0,
    "target_high": 1,
    "target_mean": 0.5,
    "gradient_norm": 0.0,
    "gradient_max": 0.0,
    "update_norm": 0.0,
}


def test_saturation_with_exact_zeros_is_certain() -> None:
    """A sigmoid that is flat to the last bit explains gradients that are exactly zero."""
    verdict = diagnose(synthetic_history(loss=8.0, **SATURATED)).verdicts[0]
    assert verdict.name == "saturated-activation" and verdict.certainty == "certain"
    assert [v.name for v in verdict.explains] == ["zero-gradient"]
    assert "from_logits=True" in verdict.fix


def test_a_confident_and_right_classifier_is_healthy() -> None:
    """The same saturated outputs at a low loss are what a trained classifier has."""
    assert not diagnose(synthetic_history(loss=1e-6, **SATURATED)).verdicts


@pytest.mark.parametrize(("loss", "sick"), [(1.1, True), (1.1 * np.exp(-np.arange(120) / 60), False)])
def test_a_saturated_hidden_layer_needs_a_loss_that_does_not_decrease(loss: Any, sick: bool) -> None:
    """A tanh layer of which most outputs are flat, with gradients that are not zero: likely at most."""
    layers = [{"name": "first", "kind": "Dense", "activation": "tanh"}]
    history = synthetic_history(layers=layers, saturated_share=0.99, blocked_share=0.0, loss=loss)
    verdict = open_verdict(history, "saturated-activation")
    assert (verdict is not None) is sick
    assert verdict is None or (verdict.certainty == "likely" and "activation='relu'" in verdict.fix)


def test_the_share_is_that_of_the_last_row_that_has_it() -> None:
    """A row without the layers' outputs neither resolves the verdict nor makes its number NaN."""
    share = np.where(np.arange(120) < 118, 1.0, np.nan)[:, None]
    history = synthetic_history(loss=8.0, **{**SATURATED, "saturated_share": share})
    verdict = diagnose(history).verdicts[0]
    assert verdict.name == "saturated-activation"
    assert "100 %" in verdict.message and "at step 118" in verdict.message
    assert verdict.evidence[0].value == 1.0


DETAILS = Details(
    layers=("dense_13",),
    activations=("sigmoid",),
    shares=(1.0,),
    mean_share=1.0,
    blocked=True,
    loss="loss 8 -> 8",
    is_output=True,
    variables=("dense_13/kernel",),
)


def test_wording() -> None:
    """An exact zero is certain, and the output layer is told to leave the sigmoid to the loss."""
    verdict = text(DETAILS)
    assert verdict.message == (
        "The sigmoid outputs are saturated: 100 % of those of 'dense_13' at step 0; the derivative there is exactly "
        "0, so no gradient reaches the weights before them (loss 8 -> 8)"
    )
    assert verdict.certainty == "certain" and "BinaryCrossentropy(from_logits=True)" in verdict.fix
    hidden = DETAILS._replace(layers=("a", "b"), activations=("sigmoid", "tanh"), mean_share=0.954, blocked=False)
    verdict = text(hidden._replace(is_output=False, loss=""))
    assert verdict.message == (
        "The sigmoid and tanh outputs are saturated: 95.4 % of those of 'a' and 'b' at step 0; the derivative there "
        "is below 1 % of its maximum, so the gradient is lost"
    )
    assert verdict.certainty == "likely" and "activation='relu'" in verdict.fix


def test_evidence_has_the_first_three_layers() -> None:
    """One number for each layer, of three layers at most."""
    details = DETAILS._replace(layers=tuple("abcd"), shares=(1.0, 0.99, 0.98, 0.97))
    assert [(e.name, e.value) for e in evidence(details)] == [
        ("saturated outputs of a", 1.0), ("saturated outputs of b", 0.99), ("saturated outputs of c", 0.98),
    ]  # fmt: skip
