"""What usual losses would give for a batch: as Keras computes them, and nothing where shapes do not fit."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tb_weightwatch.statistics import QUANTITIES
from tb_weightwatch.statistics.loss_candidates import MAX_ELEMENTS, loss_candidates

RNG = np.random.default_rng(7)
LOSSES = keras.losses


def read(y: Any, p: Any) -> dict[str, float]:
    return loss_candidates([np.asarray(y)], [np.asarray(p)])


def keras_says(loss: Any, y: Any, p: Any) -> float:
    return float(loss(np.asarray(y), np.asarray(p)))


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 7), st.integers(1, 12), st.sampled_from(("ids", "column", "hot")), st.integers(0, 99))
def test_class_losses_are_those_of_keras(units: int, samples: int, form: str, seed: int) -> None:
    """Whatever the predictions are (logits or probabilities), both readings are what Keras' two losses give."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, units, samples)
    logits = rng.normal(0, 10 ** rng.uniform(-1, 1.5), (samples, units)).astype("float32")
    probabilities = tf.nn.softmax(logits).numpy()
    kind = LOSSES.CategoricalCrossentropy if form == "hot" else LOSSES.SparseCategoricalCrossentropy
    y = {"ids": ids, "column": ids[:, None], "hot": np.eye(units, dtype="float32")[ids]}[form]
    for p in (logits, probabilities):
        found = read(y, p)
        digit = float(np.spacing(np.abs(p).max()))  # Keras takes differences of such logits in float32
        says = keras_says(kind(from_logits=True), y, p)
        assert found["logit_cross_entropy"] == pytest.approx(says, rel=1e-4, abs=4 * digit)
        wanted = keras_says(kind(), y, p)
        if form != "hot" or np.abs(p.sum(axis=-1)).min() > 0.1 * np.abs(p).max():  # Keras divides by the sum
            assert found["cross_entropy"] == pytest.approx(wanted, rel=2e-3, abs=1e-6)


@pytest.mark.parametrize("shape", [(9,), (9, 1)])
def test_losses_of_two_classes_are_those_of_keras(shape: tuple[int, ...]) -> None:
    """One unit: binary cross-entropy, with targets as a list or a column."""
    y = RNG.integers(0, 2, shape).astype("float32")
    for p in (RNG.normal(0, 3, (9, 1)).astype("float32"), RNG.uniform(0.01, 0.99, (9, 1)).astype("float32")):
        found = read(y, p)
        flat = y.reshape(9, 1)
        logits = keras_says(LOSSES.BinaryCrossentropy(from_logits=True), flat, p)
        assert found["logit_cross_entropy"] == pytest.approx(logits, rel=1e-4)
        assert found["cross_entropy"] == pytest.approx(keras_says(LOSSES.BinaryCrossentropy(), flat, p), rel=2e-3)


def test_squared_errors_with_and_without_matching_shapes() -> None:
    """Of `[batch, 1]` and `[batch]` the mean over the table of all pairs is told beside the honest one."""
    y, p = RNG.normal(3, 2, 50).astype("float32"), RNG.normal(0, 1, (50, 1)).astype("float32")
    found = read(y, p)
    assert found["pair_squared_error"] == pytest.approx(float(tf.reduce_mean(tf.square(y - p))), rel=1e-5)
    assert found["squared_error"] == pytest.approx(float(np.mean((y[:, None] - p) ** 2)), rel=1e-5)
    assert "pair_squared_error" not in read(y[:, None], p) and "squared_error" in read(y[:, None], p)
    assert read(RNG.normal(size=(5, 4)), RNG.normal(size=(5, 4))).keys() == {"squared_error"}


def test_sequences_have_a_class_for_each_place() -> None:
    """Predictions `[batch, length, units]` go with ids `[batch, length]`."""
    ids, p = RNG.integers(0, 6, (4, 3)), RNG.normal(size=(4, 3, 6)).astype("float32")
    wanted = keras_says(LOSSES.SparseCategoricalCrossentropy(from_logits=True), ids, p)
    assert read(ids, p)["logit_cross_entropy"] == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize(
    ("y", "p"),
    [
        (np.array(["a", "b"]), np.ones((2, 3), "f")),
        (np.array([0, 5]), np.ones((2, 3), "f")),  # no such class
        (np.array([0, 1]), np.ones((3, 4), "f")),  # another number of samples
        (np.zeros(0), np.zeros((0, 3), "f")),
        (np.zeros(1), np.float32(0.5)),
        (np.array([0, 1]), np.ones((2, 3), np.int64)),
        (np.zeros(MAX_ELEMENTS // 2 + 1, np.int64), np.zeros((MAX_ELEMENTS // 2 + 1, 2), "f")),
    ],
)
def test_what_does_not_fit_has_no_reading(y: Any, p: Any) -> None:
    """Strings, ids out of range, other lengths, nothing, scalars, whole numbers, and what is too large."""
    assert read(y, p) == {}
    assert loss_candidates([y, y], [p]) == {} == loss_candidates([], [])


@pytest.mark.filterwarnings("error")
def test_odd_numbers_do_no_harm() -> None:
    """NaN, infinities and enormous numbers give readings that are as odd, without a warning; names are the table's."""
    p = np.array([[np.nan, 1], [np.inf, 0], [1e38, -1e38]], "f")
    found = read(np.array([0, 1, 1]), p)
    assert set(found) == {"cross_entropy", "logit_cross_entropy"} <= set(QUANTITIES)
    assert not np.isfinite(found["logit_cross_entropy"])
