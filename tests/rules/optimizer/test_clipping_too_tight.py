"""Tests of clipping-too-tight."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.diagnosis.rules.optimizer.clipping_too_tight import Details, text
from tests.support.rule_runs import NAMES, ROOT_SIZES, dense_net, first_name, open_verdict, train_by_loss_alone
from tests.support.synthetic_history import synthetic_history

TIGHT = {"class": "SGD", "name": "it", "config": {"learning_rate": 0.01, "global_clipnorm": 1e-6}}


@pytest.mark.parametrize(("weight_change", "sick"), [(1e-11, True), (1e-3, False)])
def test_weights_that_move_excuse_any_clipping(weight_change: float, sick: bool) -> None:
    """The gradients are clipped to a millionth; it is reported only if the weights hardly move."""
    history = synthetic_history(
        loss=1.1, learning_rate=0.01, gradient_norm=5e-7, gradient_max=1e-7, raw_gradient_norm=0.5,
        update_norm=weight_change * ROOT_SIZES, update_max=weight_change, facts={"optimizers": [TIGHT]},
    )  # fmt: skip
    verdict = open_verdict(history, "clipping-too-tight")
    assert (verdict is not None) is sick
    assert verdict is None or (verdict.certainty == "certain" and "global_clipnorm 1e-6" in verdict.message)


def test_a_loss_that_falls_by_chance_excuses_no_weights_that_never_moved() -> None:
    """Other batches made it fall: weights have moved by a billionth of their size in all."""
    history = synthetic_history(
        30, loss=np.r_[1.66, 1.6, 1.4, np.full(27, 1.1)], learning_rate=0.01, gradient_norm=5e-7, gradient_max=1e-7,
        raw_gradient_norm=0.5, update_norm=1e-11 * ROOT_SIZES, update_max=1e-11, changed_share=0.0,
        facts={"optimizers": [TIGHT]},
    )  # fmt: skip
    assert first_name(diagnose(history)) == "clipping-too-tight"


@pytest.mark.filterwarnings("ignore")
def test_a_bound_that_allows_no_update_is_known_by_the_settings(tmp_path: Path) -> None:
    """Gradient descent moves a variable by at most learning rate times bound, whatever the gradients are."""
    import keras

    from tests.support.loops import diabetes

    mse, sgd = keras.losses.MeanSquaredError(), keras.optimizers.SGD
    tight = train_by_loss_alone(tmp_path / "a", dense_net(1), sgd(0.05, clipnorm=1e-7), mse, diabetes())
    assert first_name(tight) == "clipping-too-tight" and tight.verdicts[0].certainty == "certain"
    assert "no update can change a variable by more than 5e-9, less than a millionth of its norm" in tight.sentence
    healthy = train_by_loss_alone(tmp_path / "b", dense_net(1), sgd(0.05, clipnorm=1.0), mse, diabetes())
    assert healthy.status != "sick"


DETAILS = Details(
    bound=1e-6,
    setting="clipnorm",
    norms_known=True,
    clipped=1.0,
    ratio=2.18e-6,
    norm_after=2e-6,
    norm_before=1.69,
    new_bound=2.0,
    optimizer="SGD",
    custom_loop=True,
    loss="loss 2.39 -> 2.38",
    names=NAMES,
)


def test_wording() -> None:
    """The message tells how much is clipped; the fix has the bound to set."""
    verdict = text(DETAILS)
    assert verdict.message == (
        "Gradients are clipped too tightly (clipnorm 1e-6): 100 % of the recorded gradients are clipped, to 2.18e-6 "
        "of their norm on average, so the weights hardly move (loss 2.39 -> 2.38)"
    )
    assert verdict.fix == (
        "Raise the bound from 1e-6 to about 2, which one gradient in ten exceeds:\n"
        "    keras.optimizers.SGD(..., global_clipnorm=2)"
    )
    assert verdict.variables == NAMES


def test_wording_of_clipping_by_hand() -> None:
    """Only the norm after clipping is known, so nothing is claimed of the norms before it."""
    verdict = text(DETAILS._replace(bound=1e-5, setting="", norms_known=False, norm_after=1e-5, new_bound=1.0))
    assert verdict.message == (
        "Gradients are clipped too tightly (bound 1e-5): the gradient norm is 1e-5 in every recorded step, so the "
        "weights hardly move (loss 2.39 -> 2.38)"
    )
    assert verdict.fix == (
        "Raise the bound from 1e-5 to about 1:\n    gradients, _ = tf.clip_by_global_norm(gradients, 1)"
    )
    assert verdict.certainty == "likely"
