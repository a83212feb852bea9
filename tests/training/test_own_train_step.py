"""Tests of `fit` with a training step of one's own: its loss and its predictions are recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tests.supported.distribute import mirrored


class OwnStep(keras.Model):
    """A classifier that keeps its loss in a metric, or returns it, and never calls `compute_loss`."""

    def __init__(self, tracked: bool, name_of_loss: str, from_logits: bool) -> None:
        super().__init__()
        self.hidden = keras.layers.Dense(16, "relu")
        self.out = keras.layers.Dense(3, "softmax")
        self.tracked, self.name_of_loss, self.from_logits = tracked, name_of_loss, from_logits
        self.tracker = keras.metrics.Mean(name=name_of_loss)
        self.own_losses: list[float] = []

    @property
    def metrics(self) -> list[Any]:
        return [self.tracker]

    def call(self, x: Any) -> Any:
        return self.out(self.hidden(x))

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        with tf.GradientTape() as tape:
            p = self(x, training=True)
            loss = tf.reduce_mean(
                keras.losses.sparse_categorical_crossentropy(y, tf.identity(p), from_logits=self.from_logits)
            )
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        if self.tracked:
            self.tracker.update_state(loss)
            return {self.name_of_loss: self.tracker.result()}
        return {self.name_of_loss: loss}


def _train(
    folder: Path, *, watched: bool = True, epochs: int = 4, eager: bool = False, strategy: Any = None, **options: Any
) -> Any:
    keras.utils.set_random_seed(3)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(160, 6)).astype("float32")
    y = np.digitize(x[:, 0], (-0.5, 0.5))
    with (strategy or tf.distribute.get_strategy()).scope():
        model = OwnStep(**{"tracked": True, "name_of_loss": "loss", "from_logits": False, **options})
        model.compile(optimizer=keras.optimizers.Adam(0.01), run_eagerly=eager)
    watch = ww.WeightWatch(str(folder), verbose=False, overhead=None)
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0, shuffle=False, callbacks=[watch] if watched else [])
    return model, watch


@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize("name", ["loss", "total_loss", "own_loss"])
def test_the_loss_of_the_batch_is_recorded_and_not_the_mean_of_the_epoch(
    tracked: bool, name: str, tmp_path: Path
) -> None:
    """It equals the cross-entropy of the batch's own predictions, in every step."""
    _, watch = _train(tmp_path, tracked=tracked, name_of_loss=name)
    history = watch.history
    assert history.known("loss").all() and history.facts["prediction_shape"][-1] == 3
    np.testing.assert_allclose(history.loss, history.column("cross_entropy"), rtol=1e-4)
    assert watch.diagnosis.status == "healthy"


@pytest.mark.skipif(keras.__version__.startswith(("3.3.", "3.4.")), reason="Keras does not add up their gradients")
def test_the_loss_of_two_replicas_is_that_of_the_whole_batch(tmp_path: Path) -> None:
    """A step of one's own may return it under another name than "loss"."""
    histories = []
    for strategy in (None, mirrored()):
        folder = tmp_path / str(len(histories))
        _, watch = _train(folder, tracked=False, name_of_loss="total_loss", strategy=strategy)
        histories.append(watch.history)
    single, replicated = histories
    assert replicated.known("loss").all() and replicated.facts["distribution"]["replicas"] == 2
    np.testing.assert_allclose(replicated.loss[0], single.loss[0], rtol=1e-5)  # later ones: this step sums gradients
    assert "made_in_step" not in replicated.facts


@pytest.mark.parametrize("eager", [True, False])
def test_weights_are_bit_identical(eager: bool, tmp_path: Path) -> None:
    """Predictions and loss leave the step as further results."""
    with_recorder, _ = _train(tmp_path / "a", eager=eager)
    without, _ = _train(tmp_path / "b", watched=False, eager=eager)
    for one, other in zip(with_recorder.get_weights(), without.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_softmax_that_is_applied_twice_is_known_by_the_value_of_the_loss(tmp_path: Path) -> None:
    """The loss was declared nowhere."""
    _, watch = _train(tmp_path, from_logits=True, epochs=8)
    assert watch.diagnosis.verdicts[0].name == "loss-activation-mismatch"
