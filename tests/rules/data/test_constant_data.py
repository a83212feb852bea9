"""Tests of constant-data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tb_weightwatch.diagnosis.rules.data.constant_data import Details, text
from tb_weightwatch.verdict import Diagnosis
from tests.support.rule_runs import REGRESSION, STEP, first_name, open_verdict
from tests.support.synthetic_history import synthetic_history


@pytest.mark.parametrize(("share", "sick"), [(1.0, True), (0.9, False), (np.where(STEP == 0, 0.0, 1.0), False)])
def test_inputs_must_never_have_varied(share: float, sick: bool) -> None:
    """Inputs of which a single feature varies, in a single batch, are not constant."""
    verdict = open_verdict(synthetic_history(loss=1.1, input_constant_share=share), "constant-data")
    assert (verdict is not None) is sick
    assert verdict is None or (verdict.first_step == 3 and verdict.certainty == "certain")


@pytest.mark.parametrize(("facts", "sick"), [(REGRESSION, True), (REGRESSION | {"loss": None}, False)])
def test_targets_are_judged_only_where_the_loss_is_known(facts: dict[str, object], sick: bool) -> None:
    """A model with a loss of its own may have targets that are a formality."""
    history = synthetic_history(loss=1.1, target_mean=7.0, target_std=0.0, target_low=7.0, target_high=7.0, facts=facts)
    verdict = open_verdict(history, "constant-data")
    assert (verdict is not None) is sick
    assert verdict is None or (verdict.first_step == 20 and "all 3,840" in verdict.message)


@pytest.mark.filterwarnings("ignore")  # Keras itself warns of some of these programs
def test_token_ids_that_never_vary_are_constant_data(tmp_path: Path) -> None:
    """Ids have no scale, but equal samples are found in them too; padding alone is not constant data."""
    import keras

    import tb_weightwatch as ww

    rng = np.random.default_rng(0)
    ids = np.pad(rng.integers(1, 50, (256, 6)), ((0, 0), (0, 4)))
    labels = rng.integers(0, 2, 256).astype("float32")

    def train(name: str, x: np.ndarray) -> Diagnosis:
        layers = keras.layers
        stack = [layers.Embedding(50, 8), layers.Flatten(), layers.Dense(1, "sigmoid")]
        model = keras.Sequential([layers.Input((10,)), *stack])
        model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy")
        watch = ww.WeightWatch(str(tmp_path / name), verbose=False)
        model.fit(x, labels, batch_size=32, epochs=3, verbose=0, callbacks=[watch])
        return watch.diagnosis

    assert first_name(train("same", np.repeat(ids[:1], 256, axis=0))) == "constant-data"
    assert "constant-data" not in [v.name for v in train("varied", ids).verdicts]


DETAILS = Details(source="inputs", batches=1200, samples=38_400, mean=0.5, std=0.0)


@pytest.mark.parametrize(
    ("details", "value"),
    [
        (DETAILS, "all values are 0.5"),
        (DETAILS._replace(std=0.1), "their mean is 0.5"),
        (DETAILS._replace(mean=np.nan, std=np.nan), "whole numbers"),
    ],
)
def test_wording_of_inputs(details: Details, value: str) -> None:
    """The message has the number of batches and the value; token ids have no mean."""
    verdict = text(details)
    assert verdict.certainty == "certain" and verdict.message == (
        f"The inputs are constant: in all 1,200 recorded batches no feature differs between samples ({value}), so the "
        "model cannot tell samples apart"
    )


def test_wording_of_targets() -> None:
    """The message has the number of samples and the value."""
    verdict = text(DETAILS._replace(source="targets"))
    assert verdict.certainty == "likely" and verdict.message == (
        "The targets are constant: all 38,400 recorded so far are 0.5, so the model can only learn to predict that "
        "value"
    )


@pytest.mark.parametrize(("dtype", "sick"), [("int32", True), ("float32", False)])
def test_equal_class_ids_in_a_loop_whose_loss_is_not_known(dtype: str, sick: bool) -> None:
    """Integers beside several outputs are class ids; the equal targets of a discriminator are meant."""
    loop = {"loss": None, "recorder": {"kind": "loop"}, "target_dtype": dtype}
    history = synthetic_history(facts=loop, target_mean=2.0, target_std=0.0, target_low=2.0, target_high=2.0)
    assert (open_verdict(history, "constant-data") is not None) is sick
