"""Tests of unscaled-input."""

from __future__ import annotations

import numpy as np
import pytest

from tb_weightwatch.diagnosis.rules.data.unscaled_input import Details, text
from tb_weightwatch.diagnosis.signals import LossCourse
from tb_weightwatch.diagnosis.statements import StepCount
from tests.support.rule_runs import STEP, open_verdict
from tests.support.synthetic_history import synthetic_history


def test_inputs_far_from_scale_need_an_effect() -> None:
    """The same inputs are reported where the loss stays up, and not where it decreases."""
    raw = {"input_mean": 400.0, "input_std": 300.0, "input_scale_ratio": 5e4}
    verdict = open_verdict(synthetic_history(loss=20 * np.exp(-STEP / 60) + 2, **raw), "unscaled-input")
    assert verdict and "size is about 500" in verdict.message and "Normalization" in verdict.fix
    assert open_verdict(synthetic_history(**raw), "unscaled-input") is None


@pytest.mark.parametrize(
    "first", ["Normalization", "Rescaling", "BatchNormalization", "Embedding", "Lambda", "MyScaling"]
)
def test_a_layer_that_may_scale_keeps_it_silent(first: str) -> None:
    """A layer before the first weights may bring the inputs to scale."""
    layers = [{"name": "pre", "class": first, "weights": 0}, {"name": "first", "class": "Dense", "weights": 336}]
    history = synthetic_history(loss=20.0, input_mean=400.0, input_std=300.0, facts={"model": {"layers": layers}})
    assert open_verdict(history, "unscaled-input") is None


DETAILS = Details(
    size=227.0,
    scale_ratio=2590.0,
    uneven=True,
    features=("proline", "magnesium"),
    effects=("dead", "high loss", "bouncing loss"),
    loss=LossCourse(104, 1.09, 1),
    peak=300.0,
    constant_loss=1.1,
    duration=StepCount(255),
    dominance=40.0,
)


def test_wording() -> None:
    """The message has the scale, at most two effects and the share of the first layer's gradient."""
    assert text(DETAILS).message == (
        "The inputs are not scaled: their size is about 227 (1 is usual), and the scales of the features differ by a "
        "factor of 2,590 (worst: 'proline' and 'magnesium'); as a result most units of a ReLU layer are dead and the "
        "loss is not clearly better than 1.1, that of a constant prediction (loss 104 -> 1.09 over 255 steps); the "
        "first layer's gradient is 40 times that of the other layers"
    )
    plain = DETAILS._replace(uneven=False, effects=("high loss",), constant_loss=np.nan, dominance=np.nan)
    assert text(plain).message == (
        "The inputs are not scaled: their size is about 227 (1 is usual); as a result the loss has fallen too "
        "little (loss 104 -> 1.09)"
    )
    bouncing = text(plain._replace(effects=("saturated", "bouncing loss")))
    assert bouncing.message.endswith(
        "as a result activations are saturated and the loss jumps up and down (loss 104 -> 1.09; it was 300 once)"
    )
