"""Tests of vanishing-gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis.rules.gradient.vanishing_gradient import Details, text
from tb_weightwatch.diagnosis.signals import LossCourse
from tb_weightwatch.history import History
from tests.support.rule_runs import open_verdict
from tests.support.synthetic_history import FACTS, synthetic_history

DEPTH = 8
KERNELS = [{"name": f"d{i}/kernel", "shape": [16, 16], "layer": f"d{i}"} for i in range(DEPTH)]
LAYERS = [{"name": f"d{i}", "kind": "Dense", "activation": "sigmoid"} for i in range(DEPTH)]
MODEL = {"layers": [{"name": f"d{i}", "class": "Dense", "activation": "sigmoid", "weights": 1} for i in range(DEPTH)]}
TOWARDS_OUTPUT = np.arange(DEPTH)


def _deep(gradient_norm: Any, **columns: Any) -> History:
    """Returns the history of a stack of sigmoid layers with these gradients, from input to output."""
    facts = {"model": {**FACTS["model"], **MODEL}}
    columns = {"loss": 1.1, "update_norm": 1e-6, "gradient_max": gradient_norm, **columns}
    return synthetic_history(variables=KERNELS, layers=LAYERS, facts=facts, gradient_norm=gradient_norm, **columns)


def test_gradients_that_fall_by_a_factor_per_layer_are_reported() -> None:
    """A quarter per layer over eight layers, and a loss that stays; the kernels with weak gradients are named."""
    verdict = open_verdict(_deep(0.25 ** (DEPTH - 1 - TOWARDS_OUTPUT)), "vanishing-gradient")
    assert verdict and verdict.variables == tuple(f"d{i}/kernel" for i in range(6))
    assert "(sigmoid layers)" in verdict.message


@pytest.mark.parametrize(
    ("gradient_norm", "columns"),
    [
        (0.25 ** (DEPTH - 1 - TOWARDS_OUTPUT), {"loss": 1.1 * np.exp(-np.arange(120) / 30)}),  # the loss falls
        (np.where(TOWARDS_OUTPUT < 4, 1e-5, 1.0), {}),  # one single drop: another cause
        (0.8 ** (DEPTH - 1 - TOWARDS_OUTPUT), {}),  # not small enough
    ],
)
def test_other_small_gradients_are_silent(gradient_norm: Any, columns: dict[str, Any]) -> None:
    """A falling loss, a single drop between two layers, and a mild fall are no vanishing gradient."""
    assert open_verdict(_deep(gradient_norm, **columns), "vanishing-gradient") is None


def test_wording() -> None:
    """The message tells the fall over all layers and per layer, and the activations that may cause it."""
    details = Details(
        first="d0/kernel",
        last="d9/kernel",
        kernels=10,
        ratio=0.25**9,
        activations=("sigmoid", "tanh"),
        weak=("d0/kernel", "d1/kernel"),
        loss=LossCourse(1.31, 1.09, 1),
    )
    assert text(details).message == (
        "The gradient vanishes towards the input: relative to the weights it falls from 'd9/kernel' to 'd0/kernel' to "
        "3.81e-6 of its size, a factor of 0.25 per layer over 10 layers (sigmoid and tanh layers), and the loss has "
        "fallen too little (loss 1.31 -> 1.09)"
    )
    assert text(details).variables == ("d0/kernel", "d1/kernel")
    assert "over 10 layers, and" in text(details._replace(activations=())).message
