"""Tests of update-undone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis.rules.update.update_undone import Details, text
from tests.support.rule_runs import NAMES, ROOT_SIZES, dense_net, first_name, open_verdict, train_by_loss_alone
from tests.support.synthetic_history import synthetic_history


@pytest.mark.parametrize(("optimizer", "sick"), [("Lion", False), ("SGD", True)])
def test_updates_of_one_size_come_back_to_one_update_from_zero(optimizer: str, sick: bool) -> None:
    """Lion moves each element by the rate, there and back; with any other optimizer such weights were put back."""
    facts = {"optimizers": [{"class": optimizer, "name": "it", "config": {"learning_rate": 1e-3}}]}
    history = synthetic_history(
        loss=1.09, facts=facts, weight_norm=1e-3 * ROOT_SIZES, update_norm=1e-3 * ROOT_SIZES, gradient_norm=1e-9
    )
    assert (open_verdict(history, "update-undone") is not None) is sick


def test_norms_that_jump_between_steps_are_reported_while_the_loss_does_not_fall() -> None:
    """Now and then all norms change by far more than the update; a falling loss excuses it."""
    weight = ROOT_SIZES * np.where(np.arange(120) % 10 < 5, 0.2, 0.3)[:, None]
    verdict = open_verdict(synthetic_history(loss=1.09, weight_norm=weight), "update-undone")
    assert verdict and verdict.certainty == "certain" and "between steps" in verdict.message
    assert open_verdict(synthetic_history(weight_norm=weight), "update-undone") is None


def test_an_update_of_one_last_place_is_not_taken_for_weights_put_back() -> None:
    """A rate far below what float32 holds: each update that is stored at all is many times as large as expected."""
    facts = {"optimizers": [{"class": "RMSprop", "name": "it", "config": {"learning_rate": 3e-9}}]}
    history = synthetic_history(
        loss=1.1, learning_rate=3e-9, update_max=3e-8, update_norm=1e-7, changed_share=0.1, weight_max=0.4, facts=facts
    )
    assert open_verdict(history, "update-undone") is None


@pytest.mark.filterwarnings("ignore")
def test_the_optimizers_averages_show_updates_that_are_undone(tmp_path: Path) -> None:
    """Weights do not move and the loss alone is passed on: averages above zero show that updates were undone."""
    import keras

    from tests.support.loops import diabetes

    mse, adam, model = keras.losses.MeanSquaredError(), keras.optimizers.Adam, dense_net(1)
    weights = model.get_weights()
    undone = train_by_loss_alone(
        tmp_path / "a", model, adam(1e-2), mse, diabetes(), after=lambda: model.set_weights(weights)
    )
    assert first_name(undone) == "update-undone"
    assert train_by_loss_alone(tmp_path / "b", dense_net(1), adam(1e-2), mse, diabetes()).status != "sick"


@pytest.mark.filterwarnings("ignore")
def test_weights_that_are_nan_are_no_updates_undone(tmp_path: Path) -> None:
    """They do not move either, and the optimizer's averages are not zero: but it is the loss that is lost."""
    import keras

    from tests.support.loops import diabetes

    x, y = diabetes()
    y = y.copy()
    y[::9] = np.inf
    mse, adam = keras.losses.MeanSquaredError(), keras.optimizers.Adam(1e-2)
    diagnosis = train_by_loss_alone(tmp_path, dense_net(1), adam, mse, (x, y))
    assert first_name(diagnosis) == "nonfinite-loss"
    assert "update-undone" not in [verdict.name for verdict in diagnosis.verdicts]


DETAILS = Details(
    within_steps=True,
    times=0,
    counted=36,
    use_ema=False,
    largest_update=0.0,
    loss="loss 1.29 -> 1.45",
    names=NAMES,
)


@pytest.mark.parametrize(
    ("details", "message"),
    [
        (
            DETAILS,
            "Updates are undone within the step: the optimizer has counted 36 steps with non-zero gradients, but no "
            "weight has changed in a recorded step (loss 1.29 -> 1.45); a constraint, clipping of weights or an "
            "assign restores them",
        ),
        (
            DETAILS._replace(use_ema=True, loss=""),
            "Updates are undone within the step: the optimizer has counted 36 steps with non-zero gradients, but no "
            "weight has changed in a recorded step; the moving average of use_ema overwrites them",
        ),
        (
            DETAILS._replace(within_steps=False, times=6),
            "Updates are undone between steps: at least 6 times the weights were not where the last update had left "
            "them, so what was learned is lost (loss 1.29 -> 1.45)",
        ),
    ],
)
def test_wording(details: Details, message: str) -> None:
    """The message tells whether updates are undone within the step or between steps."""
    assert text(details).message == message
    assert text(details).variables == NAMES
    assert "    model = build_model()   # not inside the loop\n" in text(details).fix


ANEW = {"steps": 40, "of": 40, "first_step": 1, "variables": 4, "given": 4, "names": ["a", "b", "c"], "start": "same"}


@pytest.mark.parametrize(
    ("changes", "certainty"),
    [
        ({}, "certain"),
        ({"start": "other"}, "certain"),
        ({"start": "unknown"}, "likely"),
        ({"variables": 2}, "likely"),
        ({"start": "carried"}, ""),
        ({"steps": 4, "of": 4}, ""),
        ({"of": 60}, ""),
    ],
)
def test_variables_that_are_made_anew(changes: dict[str, Any], certainty: str) -> None:
    """In nearly every step; not where they continue those that they replace."""
    history = synthetic_history(facts={"made_anew": {**ANEW, **changes}}, update_norm=None, update_max=None, loss=1.1)
    verdict = open_verdict(history, "update-undone")
    assert (verdict.certainty if verdict else "") == certainty
    assert not verdict or verdict.message.startswith("Variables are made anew in the loop: in 40 of 40 compared steps")
