"""Tests of learning-rate-too-large."""

from __future__ import annotations

import numpy as np
import pytest

from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.diagnosis.rules.optimizer.learning_rate_too_large import Details, text
from tb_weightwatch.diagnosis.signals import LossCourse
from tests.support.rule_runs import NAMES, REGRESSION, ROOT_SIZES, STEP, open_verdict
from tests.support.synthetic_history import synthetic_history


def test_a_rate_too_large_is_judged_by_its_effect() -> None:
    """Large updates with a falling loss are healthy; with a loss that jumped and stayed up they are not."""
    large = {"learning_rate": 1.0, "update_norm": np.linspace(8, 2, 120)[:, None] * np.ones(4)}
    assert not diagnose(synthetic_history(**large)).verdicts
    burst = np.where(STEP < 1, 1.1, 500 * np.exp(-STEP / 8.0) + 1.3)
    verdict = diagnose(synthetic_history(loss=burst, **large)).verdicts[0]
    assert verdict.name == "learning-rate-too-large" and "1.1" in verdict.message and "Adam(1e-3)" in verdict.fix
    nan = np.where(STEP < 6, 1.1 * 10.0**STEP, np.nan)
    history = synthetic_history(loss=nan, gradient_nonfinite=(STEP >= 6)[:, None] * 9.0, **large)
    lost = diagnose(history).verdicts[0]
    assert lost.name == "learning-rate-too-large"
    assert [v.name for v in lost.explains] == ["nonfinite-loss"]
    assert [v.name for v in lost.explains[0].explains] == ["nonfinite-gradient"]


@pytest.mark.parametrize(("late", "sick"), [(1e8, True), (1.0, False)])
def test_a_loss_that_is_lost_is_not_healthy_because_it_was_once_worse(late: float, sick: bool) -> None:
    """The jump is already among the first losses of tiny batches; the very first one tells where the loss began."""
    rng = np.random.default_rng(2)
    optimizer = {"class": "RMSprop", "name": "it", "config": {"learning_rate": 5.0}}
    history = synthetic_history(
        loss=np.r_[0.94, 1e11, 9e11, 3e10, late * rng.uniform(0.5, 2, 116)], batch_size=8, learning_rate=5.0,
        update_norm=0.3 * ROOT_SIZES, update_max=0.3, facts=REGRESSION | {"optimizers": [optimizer]},
        target_fraction_share=1.0, target_std=1.0, target_mean=0.0,
    )  # fmt: skip
    assert (open_verdict(history, "learning-rate-too-large") is not None) is sick


DETAILS = Details(
    learning_rate=3.0,
    new_learning_rate=0.03,
    code="    optimizer.learning_rate = 0.03",
    largest_update=1.01,
    effect="loss_rose",
    weight_growth=12.0,
    first_loss=1.3,
    start=1.26,
    peak=4.56e16,
    recent=8.9,
    names=NAMES,
    loss=LossCourse(1.26, 8.9, 1),
)
EFFECTS = {
    "became_nonfinite": "the loss grew from 1.26 to 4.56e16 and then values became NaN or infinite",
    "loss_rose": "the loss rose from 1.26 to 8.9",
    "loss_jumped": "the loss jumped from 1.26 to 4.56e16 and is not clearly better than at first (8.9)",
    "weights_grew": "the weights grew to 12 times their size and the loss does not fall (loss 1.26 -> 8.9)",
    "relu_died": "a ReLU layer that was alive at first has died, and the loss does not fall (loss 1.26 -> 8.9)",
    "gradient_flips": "the gradient mostly points against that of the step before, and the loss does not fall "
    "(loss 1.26 -> 8.9)",
}


@pytest.mark.parametrize("effect", EFFECTS)
def test_wording(effect: str) -> None:
    """The message tells the size of the update and its effect."""
    assert text(DETAILS._replace(effect=effect)).message == (
        "The learning rate of 3 is too large: one step changed the weights by 1.01 times their norm (1e-3 is typical), "
        f"and {EFFECTS[effect]}"
    )


def test_a_loss_that_fell_is_not_said_to_stand_still() -> None:
    """Half the loss of the start is a fall, if not enough of one; the numbers are those of the sentence."""
    fell = DETAILS._replace(effect="relu_died", start=544, recent=252, loss=LossCourse(544, 252, 30))
    course = "the loss has fallen too little (loss 544 -> 252, mean of the last 30 recorded steps)"
    assert text(fell).message.endswith(course)
    weights = text(DETAILS._replace(effect="became_nonfinite", peak=1.26, weight_growth=12.0)).message
    assert weights.endswith("and the weights grew to 12 times their size and then values became NaN or infinite")


def test_wording_of_the_fix() -> None:
    """The fix has the old and the new learning rate; where the old one is not known, only the new one."""
    assert text(DETAILS).fix == (
        "Lower the learning rate from 3 to about 0.03 and restart from fresh weights (clipping helps: "
        "global_clipnorm=1.0):\n    optimizer.learning_rate = 0.03"
    )
    unknown = text(DETAILS._replace(learning_rate=np.nan))
    assert unknown.message.startswith("The updates are too large: one step") and "rate to about" in unknown.fix
