"""Tests of update-below-precision."""

from __future__ import annotations

import pytest

from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.diagnosis.rules.update.update_below_precision import Details, text
from tests.support.rule_runs import NAMES, ROOT_SIZES, open_verdict
from tests.support.synthetic_history import VARIABLES, synthetic_history


@pytest.mark.parametrize(
    ("dtype", "weight", "rate"), [("bfloat16", 1.0, 1e-3), ("float16", 1.0, 1e-4), ("float32", 100.0, 1e-6)]
)
def test_updates_under_the_last_place_are_certain(dtype: str, weight: float, rate: float) -> None:
    """1 + 0.001 is 1 in bfloat16, and 100 + 0.000001 is 100 in float32: not the learning rate's fault."""
    history = synthetic_history(
        variables=[{**v, "dtype": dtype} for v in VARIABLES], weight_norm=weight * ROOT_SIZES, weight_max=weight,
        loss=1.1, learning_rate=rate, update_norm=0.0, update_max=0.0, changed_share=0.0, stuck_share=1.0,
    )  # fmt: skip
    verdict = diagnose(history).verdicts[0]
    assert verdict.name == "update-below-precision" and verdict.certainty == "certain"
    assert dtype in verdict.message


@pytest.mark.parametrize(("loss", "sick"), [(1.1, True), (None, False)])
def test_elements_that_are_mostly_stuck_need_a_loss_that_does_not_fall(loss: float | None, sick: bool) -> None:
    """Some elements change; what most of them do matters only if the loss makes no progress."""
    history = synthetic_history(
        variables=[{**v, "dtype": "bfloat16"} for v in VARIABLES], weight_norm=ROOT_SIZES, weight_max=1.0,
        update_norm=1e-3, changed_share=0.02, stuck_share=0.98, **({} if loss is None else {"loss": loss}),
    )  # fmt: skip
    verdict = open_verdict(history, "update-below-precision")
    assert (verdict is not None) is sick
    assert verdict is None or verdict.certainty == "likely"


DETAILS = Details(
    names=NAMES,
    share=1.0,
    dtype="bfloat16",
    weight=1.0,
    spacing=0.0078125,
    update=1e-4,
    learning_rate=1e-4,
    negligible=False,
    learning=False,
    never_changed=True,
)
FLOAT32 = DETAILS._replace(names=("scale",), dtype="float32", weight=1060.0, spacing=1.26e-4, update=1e-5)


@pytest.mark.parametrize(
    ("details", "message"),
    [
        (
            DETAILS,
            "Updates are rounded away: bfloat16 weights of about 1 can only change in steps of 7.81e-3, but the "
            "update is at most about 1e-4, so 'first/kernel', 'first/bias', 'last/kernel' and 1 more change in no "
            "recorded step although their gradients are non-zero",
        ),
        (
            FLOAT32,
            "Updates are rounded away: float32 weights of about 1,060 can only change in steps of 1.26e-4, but the "
            "update is at most about 1e-5, so 'scale' changes in no recorded step although its gradient is non-zero",
        ),
        (
            DETAILS._replace(names=("scale",), update=0.01),
            "Updates are lost in the optimizer's own bfloat16 arithmetic: the update should be up to 0.01 but is 0 "
            "(in bfloat16, Adam's beta_2 of 0.999 is rounded to 1), so 'scale' changes in no recorded step although "
            "its gradient is non-zero",
        ),
    ],
)
def test_wording(details: Details, message: str) -> None:
    """The message compares the update with the smallest change that the number type can hold."""
    assert text(details).message == message


@pytest.mark.parametrize(
    ("details", "fix"),
    [
        (
            DETAILS,
            "Keep the weights in float32 and compute in the 16-bit type:\n"
            "    keras.mixed_precision.set_global_policy('mixed_bfloat16')   # before the model is made",
        ),
        (
            FLOAT32,
            "Start from weights of typical size (they are about 1,060), or scale the layer's output instead:\n"
            "    keras.layers.Dense(units, kernel_initializer='glorot_uniform')\n"
            "or raise the learning rate from 1e-4 to about 0.0126.",
        ),
        (
            FLOAT32._replace(negligible=True),
            "Raise the learning rate: such an update would not matter in any number type.",
        ),
    ],
)
def test_wording_of_the_fix(details: Details, fix: str) -> None:
    """The fix changes the number type, the weights or the learning rate, whichever is to blame."""
    assert text(details).fix == fix


@pytest.mark.parametrize(
    ("share", "learning", "severity"),
    [(1.0, True, "error"), (0.3, True, "warning"), (0.05, True, "info"), (0.05, False, "error")],
)
def test_severity_goes_by_the_share_of_the_weights(share: float, learning: bool, severity: str) -> None:
    """A few variables that do not change in a training that learns are a remark."""
    assert text(DETAILS._replace(share=share, learning=learning)).severity == severity
