"""Tests of optimizer-misconfigured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis.rules.optimizer.optimizer_misconfigured import Details, text
from tests.support.rule_runs import ROOT_SIZES, STEP, open_verdict
from tests.support.synthetic_history import synthetic_history


def _optimizer(kind: str, **config: float) -> dict[str, Any]:
    return {"optimizers": [{"class": kind, "name": "it", "config": {"learning_rate": 1e-3, **config}}]}


@pytest.mark.parametrize(
    ("kind", "config", "sick"),
    [
        ("Adam", {"beta_2": 1.0}, True),
        ("Adam", {"beta_2": 0.999}, False),
        ("SGD", {"momentum": 1.0}, True),
        ("Nadam", {"momentum": 1.0}, False),  # a setting that this optimizer does not use
    ],
)
def test_a_setting_at_one_is_reported_from_the_first_step_on(kind: str, config: Any, sick: bool) -> None:
    """Whatever the loss does: the update rule makes no sense with it."""
    verdict = open_verdict(synthetic_history(facts=_optimizer(kind, **config)), "optimizer-misconfigured")
    assert (verdict is not None) is sick
    assert verdict is None or (verdict.first_step == 1 and verdict.certainty == "certain")


def test_a_negative_learning_rate_is_reported_with_its_positive_value() -> None:
    """It is reported from the step on at which it becomes negative."""
    history = synthetic_history(learning_rate=np.where(STEP < 9, 0.01, -0.01), loss=1.1 + STEP)
    verdict = open_verdict(history, "optimizer-misconfigured")
    assert verdict and verdict.first_step == 10 and "optimizer.learning_rate = 0.01" in verdict.fix


@pytest.mark.parametrize(("epsilon", "sick"), [(1e-7, False), (1e-3, False), (1.0, True)])
def test_epsilon_is_compared_with_a_typical_element_of_the_gradient(epsilon: float, sick: bool) -> None:
    """One element may be near epsilon while the update shrinks fiftyfold."""
    adam = {"class": "Adam", "name": "adam", "config": {"learning_rate": 1e-4, "epsilon": epsilon}}
    history = synthetic_history(
        loss=1.09, facts={"optimizers": [adam]}, learning_rate=1e-4, gradient_norm=0.02 * ROOT_SIZES, gradient_max=0.3,
        update_norm=2e-6 * ROOT_SIZES,
    )  # fmt: skip
    assert (open_verdict(history, "optimizer-misconfigured") is not None) is sick


@pytest.mark.parametrize(("loss", "sick"), [(1.1, True), (1.1 * np.exp(-STEP / 30), False)])
def test_long_memory_and_strong_decay_need_a_loss_that_does_not_fall(loss: Any, sick: bool) -> None:
    """Both are silent while the loss falls."""
    memory = synthetic_history(loss=loss, facts=_optimizer("SGD", momentum=0.9999))
    assert (open_verdict(memory, "optimizer-misconfigured") is not None) is sick
    shrinking = 0.2 * ROOT_SIZES * 0.95 ** STEP[:, None]
    decay = synthetic_history(
        loss=loss, weight_norm=shrinking, update_norm=0.05 * shrinking, facts=_optimizer("AdamW", weight_decay=50.0)
    )
    assert (open_verdict(decay, "optimizer-misconfigured") is not None) is sick


DETAILS = Details("large epsilon", "epsilon", 1000.0, "Adam", "loss 2.41 -> 2.36", ratio=14_700.0, gradient=0.068)
ADAGRAD = DETAILS._replace(setting="initial_accumulator_value", optimizer="Adagrad")


@pytest.mark.parametrize(
    ("details", "message", "code"),
    [
        (
            Details("negative learning rate", "learning_rate", -0.01),
            "The learning rate is negative: it is -0.01, so every update increases the loss",
            "optimizer.learning_rate = 0.01",
        ),
        (
            Details("setting at one", "beta_2", 1.0),
            "The optimizer's beta_2 is 1: the size of the gradients is never learned",
            "optimizer = keras.optimizers.Adam(beta_2=0.999)",
        ),
        (
            Details("setting at one", "momentum", 1.0, "SGD"),
            "The optimizer's momentum is 1: no gradient is ever forgotten, and updates grow without limit",
            "optimizer = keras.optimizers.SGD(momentum=0.9)",
        ),
        (
            DETAILS,
            "The optimizer's epsilon of 1e3 is too large: it is 14,700 times the size of the gradients to which it "
            "is added (an element of the gradient is about 0.068), so the updates shrink by that factor (loss 2.41 "
            "-> 2.36)",
            "optimizer = keras.optimizers.Adam(epsilon=1e-7)",
        ),
        (
            DETAILS._replace(optimizer="RMSprop"),
            "The optimizer's epsilon of 1e3 is too large: its square root, as RMSprop uses it, is 14,700 times the "
            "size of the gradients to which it is added (an element of the gradient is about 0.068), so the updates "
            "shrink by that factor (loss 2.41 -> 2.36)",
            "optimizer = keras.optimizers.RMSprop(epsilon=1e-7)",
        ),
        (
            ADAGRAD,
            "The optimizer's initial_accumulator_value of 1e3 is too large: it is 14,700 times the sum of squared "
            "gradients to which it is added (an element of the gradient is about 0.068), so the updates shrink by "
            "the square root of that factor (loss 2.41 -> 2.36)",
            "optimizer = keras.optimizers.Adagrad(initial_accumulator_value=0.1)",
        ),
        (
            Details("long memory", "momentum", 0.9999, "SGD", "loss 2 -> 9"),
            "The optimizer's momentum of 0.9999 is too large: it adds up the gradients of about 10,000 steps, so the "
            "weights overshoot every minimum (loss 2 -> 9)",
            "optimizer = keras.optimizers.SGD(momentum=0.9)",
        ),
        (
            Details("strong decay", "weight_decay", 50.0, "AdamW", "loss 2.41 -> 2.3", ratio=0.991),
            "The weight decay of 50 outweighs the gradient: it makes up 99 % of each update, so the weights shrink "
            "regardless of the data (loss 2.41 -> 2.3)",
            "optimizer = keras.optimizers.AdamW(weight_decay=4e-3)",
        ),
    ],
)
def test_wording(details: Details, message: str, code: str) -> None:
    """The message tells what the setting does to the updates; the fix has the default."""
    assert text(details).message == message
    assert text(details).fix.endswith(f":\n    {code}")
