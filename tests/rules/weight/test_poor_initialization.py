"""Tests of poor-initialization."""

from __future__ import annotations

import numpy as np
import pytest

from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.diagnosis.rules.weight.poor_initialization import Details, text
from tests.support.rule_runs import NAMES, ROOT_SIZES, first_name, open_verdict
from tests.support.synthetic_history import synthetic_history

KERNELS = (NAMES[0], NAMES[2])


def test_kernels_far_too_large_are_blamed_before_the_rate_that_loses_them() -> None:
    """The loss is enormous from the first step on and then lost: the rule does not wait for twenty rows."""
    loss = np.where(np.arange(12) < 4, 9e3 * 10.0 ** np.arange(12), np.nan)
    history = synthetic_history(
        12, loss=loss, weight_norm=10 * ROOT_SIZES, weight_max=30.0, update_norm=0.3 * ROOT_SIZES, learning_rate=0.01,
        weight_nonfinite=(np.arange(12) >= 4)[:, None] * 3,
    )  # fmt: skip
    assert first_name(diagnose(history)) == "poor-initialization"


def test_equal_elements_are_certain_and_their_kernels_named() -> None:
    """Two kernels in a row whose elements differ by no more than the update makes them."""
    equal = {"weight_norm": 0.2 * ROOT_SIZES, "update_norm": 1e-4 * ROOT_SIZES, "weight_std": 1e-4}
    verdict = open_verdict(synthetic_history(loss=1.1, **equal), "poor-initialization")
    assert verdict and verdict.certainty == "certain" and verdict.variables == KERNELS


@pytest.mark.parametrize(("loss", "sick"), [(1.1, True), (None, False)])
def test_scale_is_judged_by_its_effect(loss: float | None, sick: bool) -> None:
    """Kernels at a hundredth of their typical scale are fine while the loss falls."""
    small = {"weight_norm": 1e-3 * ROOT_SIZES, "update_norm": 1e-6 * ROOT_SIZES}
    history = synthetic_history(**small, **({} if loss is None else {"loss": loss}))
    verdict = open_verdict(history, "poor-initialization")
    assert (verdict is not None) is sick
    assert verdict is None or (verdict.certainty == "likely" and "vanishes" in verdict.message)


DETAILS = Details(names=KERNELS, kernels=3, equal=True, ratio=1.0, median_ratio=1.0, loss="loss 2.3 -> 2.25")


@pytest.mark.parametrize(
    ("details", "message"),
    [
        (
            DETAILS,
            "Weights start with all elements equal: kernels 'first/kernel' and 'last/kernel', so the units of a "
            "layer are copies of each other and learn the same or nothing (loss 2.3 -> 2.25)",
        ),
        (
            DETAILS._replace(equal=False, ratio=31.3),
            "Weights start too large: kernels 'first/kernel' and 'last/kernel' start at 31.3 times the scale that "
            "their width requires (loss 2.3 -> 2.25), so the signal grows from layer to layer",
        ),
        (
            DETAILS._replace(equal=False, ratio=0.005, names=("last/kernel",), loss=""),
            "Weights start too small: kernel 'last/kernel' starts at 5e-3 times the scale that its width requires, "
            "so the signal vanishes from layer to layer",
        ),
    ],
)
def test_wording(details: Details, message: str) -> None:
    """The message tells whether the elements are equal or of which scale they are."""
    verdict = text(details)
    assert verdict.message == message
    assert verdict.variables == details.names
    assert "kernel_initializer='he_normal'" in verdict.fix
