"""Tests of wrong-loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.rule_runs import BINARY, REGRESSION, STEP, dense_net, first_name, open_verdict, train_compiled
from tests.support.synthetic_history import synthetic_history

RATINGS: dict[str, Any] = {"target_mean": 2.0, "target_std": np.sqrt(2.0), "target_high": 4.0}


@pytest.mark.parametrize(("explained", "sick"), [(0.0, True), (0.2, False), (0.5, False)])
def test_whole_numbers_from_nought_to_four_may_be_ratings(explained: float, sick: bool) -> None:
    """A squared error on them is reported only where nothing is gained by it."""
    loss = 2.0 * (1 - explained) + 6 * np.exp(-STEP / 5)
    verdict = open_verdict(synthetic_history(loss=loss, facts=REGRESSION, **RATINGS), "wrong-loss")
    assert (verdict is not None) is sick
    assert verdict is None or (verdict.severity, verdict.certainty) == ("warning", "likely")


@pytest.mark.filterwarnings("ignore")  # Keras itself warns of some of these programs
@pytest.mark.parametrize("rate", [0.01, 0.5])
def test_a_matrix_of_all_pairs_is_found_within_five_steps(rate: float, tmp_path: Path) -> None:
    """Also where the learning rate is far too large: the wrong loss comes first."""
    import keras
    import tensorflow as tf

    from tests.support.loops import diabetes

    def loss(y: Any, predictions: Any) -> Any:
        return tf.reduce_mean(tf.square(y - predictions))

    x, y = diabetes()
    diagnosis = train_compiled(tmp_path / "a", dense_net(1), keras.optimizers.SGD(rate), loss, (x, y[:, 0]))
    verdict = diagnosis.verdicts[0]
    assert first_name(diagnosis) == "wrong-loss" and verdict.first_step <= 5 and "32x32" in verdict.message
    healthy = train_compiled(tmp_path / "b", dense_net(1), keras.optimizers.SGD(0.01), loss, (x, y))
    assert healthy.status != "sick"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"facts": BINARY, "target_fraction_share": 1.0, "target_low": -2.5, "target_high": 3.5},
            "The targets are continuous numbers, but the loss is a cross-entropy, which is meant for classes: they "
            "go from -2.5 to 3.5",
        ),
        (
            {"facts": {"loss": {"name": "mse"}}},
            "The loss measures a distance between numbers, but the targets look like class ids from 0 to 2: one class "
            "id per sample is compared with 3 outputs",
        ),
        (
            {"facts": REGRESSION, "loss": 2.01, **RATINGS},
            "The loss measures a distance between numbers, but the targets look like class ids from 0 to 4: class ids "
            "are treated as numbers, and the loss is not clearly better than that of predicting their mean",
        ),
        (
            {
                "facts": REGRESSION | {"loss": None, "target_shape": [32]},
                "loss": 1.5,
                "squared_error": 1.0 + 0.1 * np.sin(STEP),
                "pair_squared_error": 1.5,
            },
            "The loss compares every prediction with every target: predictions have the shape [32, 1] and targets "
            "[32], so broadcasting makes a 32x32 matrix of them, and the loss is exactly its mean square",
        ),
    ],
)
def test_wording(columns: dict[str, Any], message: str) -> None:
    """The words do not depend on the row: each of the four findings has a message of its own."""
    verdict = open_verdict(synthetic_history(**columns), "wrong-loss")
    assert verdict and verdict.message == message


PAIRS: dict[str, Any] = {
    "loss": None, "target_shape": [32], "prediction_shape": [32, 1], "recorder": {"kind": "loop"},
    "output_layer": {"name": "last", "activation": "sigmoid", "units": 1},
}  # fmt: skip


@pytest.mark.parametrize("name", ["squared_error", "absolute_error", "cross_entropy", "logit_cross_entropy"])
def test_the_mean_over_all_pairs_is_known_by_its_value(name: str) -> None:
    """Any usual loss of [n, 1] against [n]; a loss that equals neither candidate says nothing."""
    own, pairs = 0.6 - 0.001 * STEP, 0.7 - 0.0005 * STEP
    columns = {name: own, f"pair_{name}": pairs, "target_high": 1.0}
    verdict = open_verdict(synthetic_history(facts=PAIRS, loss=pairs, **columns), "wrong-loss")
    assert verdict is not None and verdict.certainty == "certain" and "32x32" in verdict.message
    for loss in (own, 0.5 * own):
        assert open_verdict(synthetic_history(facts=PAIRS, loss=loss, **columns), "wrong-loss") is None


@pytest.mark.parametrize(("error", "sick"), [(1 + STEP / 20, True), (np.full(120, 1.0), False)])
def test_the_negative_of_an_error_that_grows_has_the_wrong_sign(error: np.ndarray, sick: bool) -> None:
    """An adversary may maximise an error that does not grow."""
    history = synthetic_history(facts=PAIRS | {"target_shape": [32, 1]}, loss=-error, cross_entropy=error)
    verdict = open_verdict(history, "wrong-loss")
    assert (verdict is not None) is sick
    assert verdict is None or "grew from 1 to 6.95" in verdict.message
