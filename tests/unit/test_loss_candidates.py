"""Loss candidates: none where the targets do not fit the predictions, and the values for shapes that broadcast."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch.statistics import MAX_LOSS_ELEMENTS, QUANTITIES, loss_candidates


def candidates(y: Any, p: Any) -> dict[str, float]:
    return loss_candidates([np.asarray(y)], [np.asarray(p)])


def test_squared_errors_with_and_without_matching_shapes() -> None:
    """For `[batch, 1]` and `[batch]` there are two: prediction by prediction, and over the table of all pairs."""
    rng = np.random.default_rng(7)
    y, p = rng.normal(3, 2, 50).astype("float32"), rng.normal(0, 1, (50, 1)).astype("float32")
    losses = candidates(y, p)
    assert losses["pair_squared_error"] == pytest.approx(float(np.mean((y - p).astype(np.float64) ** 2)), rel=1e-5)
    assert losses["squared_error"] == pytest.approx(float(np.mean((y[:, None] - p) ** 2)), rel=1e-5)
    assert "pair_squared_error" not in candidates(y[:, None], p) and "squared_error" in candidates(y[:, None], p)
    same_shape = candidates(rng.normal(size=(5, 4)), rng.normal(size=(5, 4)))
    assert same_shape.keys() == {"squared_error", "absolute_error"}


def test_losses_of_all_pairs_are_those_of_the_table() -> None:
    """The closed forms equal the mean over the whole matrix."""
    rng = np.random.default_rng(3)
    y, p = rng.integers(0, 2, 40).astype(np.float64), rng.uniform(0.05, 0.95, (40, 1))
    losses = candidates(y, p)
    cross_entropy = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    assert losses["pair_absolute_error"] == pytest.approx(np.mean(np.abs(y - p)))
    assert losses["pair_cross_entropy"] == pytest.approx(np.mean(cross_entropy), rel=1e-6)
    assert losses["pair_logit_cross_entropy"] == pytest.approx(np.mean(np.logaddexp(0, p) - y * p))
    assert losses["absolute_error"] == pytest.approx(np.mean(np.abs(y[:, None] - p)))


@pytest.mark.parametrize(
    ("y", "p"),
    [
        (np.array(["a", "b"]), np.ones((2, 3), "f")),
        (np.array([0, 5]), np.ones((2, 3), "f")),  # no such class
        (np.array([0, 1]), np.ones((3, 4), "f")),  # another number of samples
        (np.zeros(0), np.zeros((0, 3), "f")),
        (np.zeros(1), np.float32(0.5)),
        (np.array([0, 1]), np.ones((2, 3), np.int64)),
        (np.zeros(MAX_LOSS_ELEMENTS // 2 + 1, np.int64), np.zeros((MAX_LOSS_ELEMENTS // 2 + 1, 2), "f")),
    ],
)
def test_data_that_do_not_fit_have_no_candidates(y: Any, p: Any) -> None:
    """Strings, ids out of range, other lengths, empty batches, scalars, integer predictions, and very large batches."""
    assert candidates(y, p) == {}
    assert loss_candidates([y, y], [p]) == {} == loss_candidates([], [])


@pytest.mark.filterwarnings("error")
def test_nonfinite_numbers_do_no_harm() -> None:
    """NaN, infinities and enormous numbers give candidates that are not finite, without a warning."""
    p = np.array([[np.nan, 1], [np.inf, 0], [1e38, -1e38]], "f")
    losses = candidates(np.array([0, 1, 1]), p)
    assert set(losses) == {"cross_entropy", "logit_cross_entropy"} <= set(QUANTITIES)
    assert not np.isfinite(losses["logit_cross_entropy"])
