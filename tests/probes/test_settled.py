"""Faults that a recording can only suspect, or cannot see at all, are settled within the default budget."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_digits

import tb_weightwatch as ww
from tb_weightwatch.probes import ProbeReport

L = keras.layers
INPUTS, LABELS = load_digits(return_X_y=True)
INPUTS = (INPUTS / 16).astype("float32")
MISPAIRED = LABELS[np.random.default_rng(0).permutation(len(LABELS))]


@tf.custom_gradient
def _halved(z: Any) -> Any:
    return tf.nn.relu(z), lambda upstream: 0.1 * upstream * tf.cast(z > 0, z.dtype)


class TinyLoss(keras.Sequential):  # type: ignore[misc]
    """Multiplies its loss by 1e-6."""

    def train_step(self, data: Any) -> Any:
        x, y = data
        with tf.GradientTape() as tape:
            loss = 1e-6 * tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, self(x, training=True)))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


def _net(kind: Any = keras.Sequential, first: Any = "relu") -> Any:
    keras.utils.set_random_seed(3)
    hidden = [L.Dense(32), L.Lambda(first)] if callable(first) else [L.Dense(32, first)]
    return kind([keras.Input((64,)), *hidden, L.Dense(32, "relu"), L.Dense(10, "softmax")])


def _outcome(report: ProbeReport, cause: str) -> str:
    outcomes = {c.outcome for e in report.experiments for c in e.causes if c.name == cause}
    return outcomes.pop() if len(outcomes) == 1 else str(outcomes)


@pytest.mark.parametrize("optimizer", [("Adam", 1e-10), ("SGD", 1e-3)], ids=str)
def test_a_learning_rate_that_is_too_small(optimizer: tuple[str, float]) -> None:
    """Adam at 1e-10, and plain SGD at a tenth of what it needs."""
    model = _prepared(getattr(keras.optimizers, optimizer[0])(optimizer[1]))
    report = ww.probe(model, INPUTS, LABELS, experiments=["learning-rate-sweep"], verbose=False)
    assert _outcome(report, "learning-rate-too-small") == "confirmed", str(report)


def _prepared(optimizer: Any) -> Any:
    model = _net()
    model.compile(optimizer, "sparse_categorical_crossentropy")
    model.fit(INPUTS[:512], LABELS[:512], epochs=2, verbose=0)
    return model


def test_a_wrong_custom_gradient() -> None:
    """Its backward pass is a tenth of what it must be; the layers behind it agree."""
    model = _net(first=_halved)
    model.compile("adam", "sparse_categorical_crossentropy")
    report = ww.probe(model, INPUTS, LABELS, experiments=["gradient-check"], verbose=False)
    assert _outcome(report, "wrong-gradient") == "confirmed"
    assert f"at {model.layers[0].name} the loss changes by " in str(report) and "1 of 3 layers disagree" in str(report)


def test_mispaired_labels() -> None:
    """Labels in another order than their inputs; the right pairs are told apart from them."""
    for labels, expected in ((MISPAIRED, "confirmed"), (LABELS, "refuted")):
        model = _net()
        model.compile("adam", "sparse_categorical_crossentropy")
        report = ww.probe(model, INPUTS, labels, experiments=["data-variants"], verbose=False)
        assert _outcome(report, "no-learning-signal") == expected, str(report)


def test_a_loss_that_is_multiplied_by_a_millionth(tmp_path: Path) -> None:
    """Steps of SGD are a million times too small, which a larger rate would make good."""
    model = _net(TinyLoss)
    model.compile(keras.optimizers.SGD(0.01))
    watch = ww.WeightWatch(str(tmp_path), verbose=False)
    model.fit(INPUTS[:512], LABELS[:512], epochs=4, verbose=0, callbacks=[watch])
    assert watch.diagnosis.status == "sick"
    report = watch.probe(INPUTS, LABELS, verbose=False)
    assert report.diagnosis.status == "sick"
    assert "confirmed" in {_outcome(report, name) for name in ("learning-rate-too-small", "optimizer-misconfigured")}
