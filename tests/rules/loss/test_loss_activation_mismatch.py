"""Tests of loss-activation-mismatch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.rule_runs import STEP, dense_net, first_name, open_verdict, train_compiled
from tests.support.synthetic_history import synthetic_history


def _categorical(from_logits: bool) -> Any:
    import keras

    return keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)


def _binary(from_logits: bool) -> Any:
    import keras

    return keras.losses.BinaryCrossentropy(from_logits=from_logits)


def _binary_by_tensorflow() -> Any:
    import tensorflow as tf

    return lambda y, p: tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y, p))


@pytest.mark.filterwarnings("ignore")  # Keras itself warns of some of these programs
@pytest.mark.parametrize(
    ("last", "loss", "units", "sick"),
    [
        ("softmax", lambda: _categorical(from_logits=True), 10, True),
        (None, lambda: _categorical(from_logits=False), 10, True),
        ("softmax", lambda: _categorical(from_logits=False), 10, False),
        (None, lambda: _categorical(from_logits=True), 10, False),
        ("sigmoid", _binary_by_tensorflow, 1, True),
        (None, lambda: _binary(from_logits=False), 1, True),
        ("sigmoid", lambda: _binary(from_logits=False), 1, False),
        (None, lambda: _binary(from_logits=True), 1, False),
    ],
)
def test_the_value_of_a_loss_shows_how_it_takes_the_predictions(
    last: str | None, loss: Callable[[], Any], units: int, sick: bool, tmp_path: Path
) -> None:
    """The loss function is not known; three batches are enough, and the correct pairs are not reported."""
    import keras
    import tensorflow as tf

    from tests.support.loops import diabetes, digits

    x, y = digits() if units > 1 else diabetes()
    data = (x, y) if units > 1 else (x, (y > 0).astype("float32"))
    loss_function = loss()

    def own_loss(targets: Any, predictions: Any) -> Any:
        # Without the identity, Keras silently corrects a doubled activation where it can.
        return loss_function(targets, tf.identity(predictions))

    diagnosis = train_compiled(
        tmp_path, dense_net(units, last, x.shape[1:]), keras.optimizers.Adam(1e-3), own_loss, data
    )
    verdict = next((v for v in diagnosis.verdicts if v.name == "loss-activation-mismatch"), None)
    assert (verdict is not None) is sick, diagnosis.sentence
    if verdict:
        assert first_name(diagnosis) == verdict.name and verdict.certainty == "certain" and verdict.first_step <= 5
        assert "from_logits" in verdict.fix


def _facts(loss: str, activation: str, units: int, from_logits: bool | None = None) -> dict[str, Any]:
    """Returns facts of a functional model with that loss and output layer."""
    layers = [
        {"name": name, "class": "Dense", "activation": a, "weights": 2}
        for name, a in (("first", "relu"), ("last", activation))
    ]
    return {
        "model": {"name": "model", "class": "Sequential", "layers": layers},
        "loss": {"name": loss, "class": "", "from_logits": from_logits},
        "output_layer": {"name": "last", "activation": activation, "units": units},
        "prediction_shape": [32, units],
    }


UNKNOWN_LOSS: dict[str, Any] = {"loss": None, "recorder": {"kind": "loop"}}


@pytest.mark.parametrize(
    ("columns", "severity", "message"),
    [
        (
            {"facts": _facts("mse", "softmax", 1), "prediction_mean": 1.0},
            "error",
            "The output layer is a softmax on a single unit: it is 1 for every input, so nothing can be learned",
        ),
        (
            {"facts": _facts("categorical_crossentropy", "sigmoid", 1)},
            "error",
            "A categorical cross-entropy gets a single output unit: it is the same for every prediction, because "
            "there is no second class",
        ),
        (
            {"facts": _facts("sparse_categorical_crossentropy", "softmax", 3, from_logits=True)},
            "warning",
            "The loss expects raw outputs (from_logits=True), but the output layer has a softmax: it is applied a "
            "second time inside the loss (Keras corrects this silently where it can)",
        ),
        (
            {"facts": _facts("sparse_categorical_crossentropy", "relu", 3, from_logits=True)},
            "warning",
            "The loss expects raw outputs (from_logits=True), but the output layer has a relu: it cuts off all "
            "negative outputs",
        ),
        (
            {"facts": _facts("sparse_categorical_crossentropy", "linear", 3)},
            "error",
            "The loss expects probabilities (from_logits=False), but gets raw outputs (no activation): values outside "
            "0 to 1 are clipped, and nothing is learned from them",
        ),
        (
            {"facts": _facts("binary_crossentropy", "softmax", 3)},
            "warning",
            "The loss and the output layer do not match: binary cross-entropy judges each class by itself, but a "
            "softmax makes the classes compete",
        ),
        (
            {"facts": _facts("categorical_crossentropy", "sigmoid", 3)},
            "warning",
            "The loss and the output layer do not match: categorical cross-entropy needs probabilities that sum to 1, "
            "but the outputs are independent sigmoids",
        ),
        (
            {"facts": _facts("mse", "softmax", 3)},
            "info",
            "The loss and the output layer do not match: with a squared or absolute error, the gradient of a softmax "
            "vanishes where it is confident and wrong",
        ),
        (
            {"facts": UNKNOWN_LOSS, "cross_entropy": 0.5 + STEP / 1000, "logit_cross_entropy": 1.1, "loss": 1.1},
            "error",
            "The loss gets probabilities, but treats them as raw outputs (from_logits=True): an activation is "
            "applied twice; its value is exactly what these predictions give when they are treated that way",
        ),
        (
            {
                "facts": UNKNOWN_LOSS,
                "cross_entropy": 2.5,
                "logit_cross_entropy": 1.1 + STEP / 1000,
                "loss": 2.5,
                "prediction_mean": 1.4,
            },
            "error",
            "The loss gets raw outputs, but treats them as probabilities (from_logits=False): those outside 0 to 1 are "
            "clipped; its value is exactly what these predictions give when they are treated that way",
        ),
        (
            {"facts": UNKNOWN_LOSS, "loss": np.log(1 + 2 / np.e) + 0.2 * np.exp(-STEP / 9), "prediction_std": 0.46},
            "error",
            "The loss gets probabilities, but treats them as raw outputs (from_logits=True): no recorded loss is "
            "below 0.551, the lowest value of a cross-entropy that applies softmax a second time, and the last are "
            "close to it (loss 0.751 -> 0.551, mean of the last 15 recorded steps)",
        ),
    ],
)
def test_wording(columns: dict[str, Any], severity: str, message: str) -> None:
    """The words do not depend on the row: each of the findings has a message of its own."""
    verdict = open_verdict(synthetic_history(**columns), "loss-activation-mismatch")
    assert verdict and (verdict.severity, verdict.message) == (severity, message)
