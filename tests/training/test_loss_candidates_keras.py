"""Loss candidates are the losses that Keras itself computes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tb_weightwatch.statistics import loss_candidates

LOSSES = keras.losses


def candidates(y: Any, p: Any) -> dict[str, float]:
    return loss_candidates([np.asarray(y)], [np.asarray(p)])


def keras_loss(loss: Any, y: Any, p: Any) -> float:
    return float(loss(np.asarray(y), np.asarray(p)))


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 7), st.integers(1, 12), st.sampled_from(("ids", "column", "one-hot")), st.integers(0, 99))
def test_class_losses_are_those_of_keras(units: int, samples: int, form: str, seed: int) -> None:
    """For logits and for probabilities, both candidates are what Keras' two losses give."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, units, samples)
    logits = rng.normal(0, 10 ** rng.uniform(-1, 1.5), (samples, units)).astype("float32")
    probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    loss = LOSSES.CategoricalCrossentropy if form == "one-hot" else LOSSES.SparseCategoricalCrossentropy
    y = {"ids": ids, "column": ids[:, None], "one-hot": np.eye(units, dtype="float32")[ids]}[form]
    for p in (logits, probabilities):
        losses = candidates(y, p)
        digit = float(np.spacing(np.abs(p).max()))  # Keras takes differences of such logits in float32
        expected = keras_loss(loss(from_logits=True), y, p)
        assert losses["logit_cross_entropy"] == pytest.approx(expected, rel=1e-4, abs=4 * digit)
        expected = keras_loss(loss(), y, p)
        if form != "one-hot" or np.abs(p.sum(axis=-1)).min() > 0.1 * np.abs(p).max():  # Keras divides by the sum
            assert losses["cross_entropy"] == pytest.approx(expected, rel=2e-3, abs=1e-6)


@pytest.mark.parametrize("shape", [(9,), (9, 1)])
def test_losses_of_two_classes_are_those_of_keras(shape: tuple[int, ...]) -> None:
    """With one unit: binary cross-entropy, with targets as a list or a column."""
    rng = np.random.default_rng(7)
    y = rng.integers(0, 2, shape).astype("float32")
    for p in (rng.normal(0, 3, (9, 1)).astype("float32"), rng.uniform(0.01, 0.99, (9, 1)).astype("float32")):
        losses = candidates(y, p)
        column = y.reshape(9, 1)
        expected = keras_loss(LOSSES.BinaryCrossentropy(from_logits=True), column, p)
        assert losses["logit_cross_entropy"] == pytest.approx(expected, rel=1e-4)
        assert losses["cross_entropy"] == pytest.approx(keras_loss(LOSSES.BinaryCrossentropy(), column, p), rel=2e-3)


def test_sequences_have_a_class_at_each_position() -> None:
    """Predictions `[batch, length, units]` go with ids `[batch, length]`."""
    rng = np.random.default_rng(7)
    ids, p = rng.integers(0, 6, (4, 3)), rng.normal(size=(4, 3, 6)).astype("float32")
    expected = keras_loss(LOSSES.SparseCategoricalCrossentropy(from_logits=True), ids, p)
    assert candidates(ids, p)["logit_cross_entropy"] == pytest.approx(expected, rel=1e-5)
