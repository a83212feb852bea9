"""Programs on which an experiment would confirm a cause falsely, by its construction."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch.probes import ProbeReport

from .programs import Gan, L, X, Y

QUIET: dict[str, Any] = {"verbose": False, "steps": 2000, "batch_size": 16}


def _probed(model: Any, name: str, x: Any = X, y: Any = Y, **compiled: Any) -> ProbeReport:
    model.compile(**{"optimizer": "sgd", "loss": "mse", **compiled})
    return ww.probe(model, x, y, experiments=[name], **QUIET)


def _net(*layers: Any) -> Any:
    keras.utils.set_random_seed(6)
    return keras.Sequential([keras.Input((6,)), *layers])


def _outcomes(report: ProbeReport) -> dict[str, str]:
    return {cause.name: cause.outcome for experiment in report.experiments for cause in experiment.causes}


def test_a_relu_whose_input_is_exactly_zero_is_no_wrong_gradient() -> None:
    """Padded rows and zero biases: the loss has a kink where the gradient is taken."""
    padded = X * (np.arange(64) % 2)[:, None].astype("float32")
    report = _probed(_net(L.Dense(8, "relu"), L.Dense(1)), "gradient-check", padded)
    assert _outcomes(report)["wrong-gradient"] != "confirmed", str(report)


def test_a_loss_that_ignores_the_predictions_is_disconnected_in_spite_of_a_regularization() -> None:
    """The gradient of an L2 penalty reaches every layer, and says nothing of the loss."""
    model = _net(L.Dense(8, "relu", kernel_regularizer="l2"), L.Dense(1, kernel_regularizer="l2"))
    report = _probed(model, "gradient-check", loss=lambda y, p: tf.reduce_mean(tf.square(y)) + 0 * tf.reduce_mean(p))
    assert _outcomes(report) | {"wrong-gradient": ""} == {"loss-disconnected": "confirmed", "wrong-gradient": ""}


def test_elements_that_a_constraint_holds_are_not_lost_to_rounding() -> None:
    """A mask that prunes most elements of a kernel."""

    def pruned(kernel: Any) -> Any:
        return kernel * tf.cast(tf.range(6)[:, None] < 1, kernel.dtype)

    model = _net(L.Dense(32, kernel_constraint=pruned), L.Dense(1))
    report = _probed(model, "update-precision")
    assert _outcomes(report)["update-below-precision"] == "refuted", str(report)


def test_inputs_of_order_one_are_not_unscaled_and_equal_targets_are_constant_data() -> None:
    """Nothing needs to be trained to say so."""
    outcomes = _outcomes(_probed(_net(L.Dense(1)), "data-variants", optimizer=keras.optimizers.SGD(1e-3)))
    assert outcomes["unscaled-input"] == outcomes["unscaled-target"] == "refuted"
    constant = _outcomes(_probed(_net(L.Dense(1)), "data-variants", y=np.ones_like(Y)))
    assert constant["constant-data"] == "confirmed"


def test_a_relation_that_no_line_shows_is_not_taken_for_mispaired_labels() -> None:
    """The product of two signs."""
    x = np.random.default_rng(1).normal(size=(512, 6)).astype("float32")
    labels = (x[:, :1] * x[:, 1:2] > 0).astype("float32")
    model = _net(L.Dense(16, "relu"), L.Dense(1, "sigmoid"))
    report = _probed(model, "data-variants", x, labels, optimizer="adam", loss="binary_crossentropy")
    assert _outcomes(report)["no-learning-signal"] == "refuted", str(report)


class _Noisy(keras.layers.Layer):  # type: ignore[misc]
    """Adds noise of `tf.random`, whose generator cannot be restored."""

    def call(self, x: Any) -> Any:
        return x + tf.random.normal(tf.shape(x))


@pytest.mark.parametrize("name", ["learning-rate-sweep", "gradient-check", "one-batch-overfit"])
def test_losses_that_differ_from_call_to_call_are_not_compared(name: str) -> None:
    """The report says why."""
    report = _probed(_net(_Noisy(name="noisy"), L.Dense(1)), name)
    assert report[name].end == "skipped" and "differs from call to call" in report[name].message


def test_a_game_of_two_losses_is_not_judged_by_one() -> None:
    """In a GAN each optimizer minimizes a loss of its own."""
    model = Gan()
    model(X[:1])
    model.compile()
    report = ww.probe(model, X, **QUIET)
    assert "several optimizers" in report["learning-rate-sweep"].message
    assert report["leaky-activation"].end == "completed"


def test_batches_must_not_be_an_iterator() -> None:
    """Training would lose the batches."""
    with pytest.raises(ValueError, match="not an iterator"):
        ww.probe(step_fn=lambda x: x, variables=[tf.Variable(1.0)], batches=iter([X]), **QUIET)
