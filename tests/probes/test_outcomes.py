"""Programs on which an experiment would confirm a cause falsely, by its construction."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch.probes import ProbeReport
from tb_weightwatch.probes.batches import samples_of

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


def test_labels_of_batches_are_tested_with_the_samples_of_all_batches() -> None:
    """Trials take a few batches; whether labels belong to their inputs needs more samples."""
    generator = np.random.default_rng(2)
    x = generator.normal(size=(512, 6)).astype("float32")
    for labels, outcome in ((generator.integers(0, 2, (512, 1)), "confirmed"), (x[:, :1] > 0, "refuted")):
        batches = [(x[i : i + 32], labels[i : i + 32].astype("float32")) for i in range(0, 512, 32)]
        model = _net(L.Dense(8, "relu"), L.Dense(1, "sigmoid"))
        model.compile("adam", "binary_crossentropy")
        report = ww.probe(model, batches=batches, experiments=["data-variants"], **QUIET)
        assert _outcomes(report)["no-learning-signal"] == outcome, str(report)


def test_samples_are_read_from_arrays_and_from_the_first_batches() -> None:
    """At most 1,024 of them; several inputs are no array, and an iterator is not read."""
    batches = [(X, Y)] * 20
    inputs, labels = samples_of(None, None, batches) or (None, None)
    assert np.shape(inputs) == (1024, 6) and np.shape(labels) == (1024, 1)
    dataset = tf.data.Dataset.from_tensor_slices((X, Y)).batch(16)
    inputs, labels = samples_of(dataset, None, None) or (None, None)
    assert np.array_equal(inputs, X) and np.array_equal(labels, Y)
    for nothing in ([({"a": X}, Y)], [((X, X[:, :2]), Y)], [X], iter(batches), [(X, Y), (X[:, :2], Y)]):
        assert samples_of(None, None, nothing) is None


@pytest.mark.parametrize(("bias", "outcome"), [(3.3, "confirmed"), (2.6, "open"), (0.5, "refuted")])
def test_a_gradient_that_becomes_ten_times_as_large_with_a_slope_was_held_back(bias: float, outcome: str) -> None:
    """Where tanh is flat, but not exactly: its slope is 0.005, 0.02 or 0.8."""
    hidden = L.Dense(32, "tanh", kernel_initializer="zeros", bias_initializer=keras.initializers.Constant(bias))
    report = _probed(_net(hidden, L.Dense(1)), "leaky-activation")
    assert _outcomes(report)["saturated-activation"] == outcome, str(report)


def test_slopes_that_shrink_a_gradient_a_thousand_times_make_it_vanish() -> None:
    """Eight sigmoids do, one does not; and where relu is used the slopes are not the reason."""
    outcomes = [
        _outcomes(_probed(_net(*(L.Dense(8, name) for _ in range(depth)), L.Dense(1)), "leaky-activation"))
        for name, depth in (("sigmoid", 8), ("sigmoid", 1), ("relu", 8))
    ]
    assert [outcome.get("vanishing-gradient", "") for outcome in outcomes] == ["confirmed", "open", ""]


def test_adam_does_not_show_that_settings_of_sgd_are_wrong() -> None:
    """Gradients that are clipped by hand to almost nothing: Adam learns from them, plain SGD does not either."""
    model, optimizer = _net(L.Dense(8, "relu"), L.Dense(1)), keras.optimizers.SGD(1e-2)

    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply([tf.clip_by_norm(g, 1e-6) for g in gradients], model.trainable_variables)
        return loss

    arguments: dict[str, Any] = {"batches": [(X, Y)], "experiments": ["optimizer-swap"], "verbose": False}
    report = ww.probe(model, step_fn=step, optimizer=optimizer, variables=model.trainable_variables, **arguments)
    assert _outcomes(report)["optimizer-misconfigured"] == "refuted", str(report)


@pytest.mark.parametrize(("scale", "outcome"), [(1e-3, "confirmed"), (20.0, "confirmed"), (0.3, "refuted")])
def test_initial_weights_far_from_their_usual_scale_are_confirmed(scale: float, outcome: str) -> None:
    """The same model learns from Keras' default weights; trained models are initialized anew first."""
    draw = keras.initializers.RandomNormal(stddev=scale, seed=1)
    y = np.tanh(X[:, :1] - X[:, 1:2]).astype("float32")
    model = _net(*(L.Dense(16, "relu", kernel_initializer=draw) for _ in range(2)), L.Dense(1, kernel_initializer=draw))
    for _ in range(2):
        report = _probed(model, "default-initialization", y=y, optimizer=keras.optimizers.SGD(0.05))
        assert _outcomes(report)["poor-initialization"] == outcome, str(report)
        model.fit(X, y, verbose=0)


def test_a_model_with_frozen_weights_is_not_initialized_anew() -> None:
    """Frozen weights were loaded, as a rule; the report says why nothing was tried."""
    model = _net(L.Dense(8, trainable=False), L.Dense(1))
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    report = ww.probe(model, X, Y, experiments=["default-initialization"], **QUIET)
    assert report["default-initialization"].end == "skipped"
    assert "cannot be initialized anew" in report["default-initialization"].message


def test_a_rate_at_which_standardized_inputs_do_not_learn_either_gives_way_to_adam() -> None:
    """A learning rate that raw inputs force to be tiny is too small for standardized ones."""
    x = np.random.default_rng(3).normal(size=(256, 6)).astype("float32") * [3000, 1000, 10, 10, 1, 1] + 3000
    y = (x[:, :1] > 3000).astype("float32")
    compiled = {"optimizer": keras.optimizers.SGD(1e-9), "loss": "binary_crossentropy"}
    report = _probed(_net(L.Dense(16, "relu"), L.Dense(1, "sigmoid")), "data-variants", x, y, **compiled)
    (cause,) = (c for e in report.experiments for c in e.causes if c.name == "unscaled-input")
    assert cause.outcome == "confirmed" and "with standardized inputs and Adam(0.01)" in cause.message, str(report)


def test_weights_that_learn_with_no_rate_do_not_refute_a_rate_that_is_too_large() -> None:
    """Dead units, as a large rate leaves them: only the last bias learns, with any rate."""
    dead = L.Dense(8, "relu", bias_initializer=keras.initializers.Constant(-50.0), trainable=False)
    y = np.random.default_rng(1).normal(size=(64, 1)).astype("float32")
    report = _probed(_net(dead, L.Dense(1)), "learning-rate-sweep", y=y, optimizer=keras.optimizers.SGD(1.0))
    assert _outcomes(report)["learning-rate-too-large"] == "open", str(report)


def test_trials_that_do_not_tell_go_on() -> None:
    """With standardized inputs the loss begins above where the program as it is stands still."""
    x = np.random.default_rng(3).normal(size=(256, 6)).astype("float32")
    y = (x[:, :1] > 0).astype("float32")
    model = _net(L.Dense(16, "relu"), L.Dense(1, "sigmoid"))
    compiled = {"optimizer": keras.optimizers.SGD(1e-2), "loss": "binary_crossentropy"}
    report = _probed(model, "data-variants", x * [1000, 900, 10, 10, 1, 1], y, **compiled)
    (message,) = (c.message for e in report.experiments for c in e.causes if c.name == "unscaled-input")
    assert "in 60 steps" in message, str(report)


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
