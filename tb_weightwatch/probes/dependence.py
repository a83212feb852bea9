"""Whether labels depend on inputs at all, by kernel ridge regression; without the network under test."""

from __future__ import annotations

from typing import Any

import numpy as np

MOST_SAMPLES, MOST_FEATURES = 1024, 4096
_PERMUTATIONS = 20


def labels_depend_on_inputs(samples: tuple[Any, Any] | None) -> bool:
    """Checks whether kernel ridge regression predicts held-out labels better than any of twenty permutations of them.

    The kernels are linear, quadratic (pairs of features) and Gaussian (neighbours).

    Args:
        samples: inputs `[N, ...]` and labels `[N]` or `[N, 1]` (numbers or class ids), or `[N, K]`; None without.
    """
    if samples is None:
        return False
    x, y = np.asarray(samples[0]), np.asarray(samples[1])
    if x.dtype.kind not in "fiub" or y.dtype.kind not in "fiub" or len(x) < 40 or len(x) != len(y):
        return False
    products, targets = _products(x), _as_columns(y)
    return any(_predicts(kernel, targets) for kernel in _kernels(products))


def _products(x: Any) -> Any:
    """Returns `[N, N]` the scalar products of standardized features; of a few integer values one feature each."""
    flat = x.reshape(len(x), -1)[:, :MOST_FEATURES]
    values = np.unique(flat) if x.dtype.kind in "iub" else ()
    if len(values) > 2 and len(values) * flat.shape[1] <= MOST_FEATURES:
        flat = (flat[:, :, None] == values).reshape(len(x), -1)
    features = flat.astype(np.float64)
    features = np.nan_to_num((features - features.mean(axis=0)) / (features.std(axis=0) + 1e-12))
    return features @ features.T / features.shape[1]


def _kernels(products: Any) -> list[Any]:
    squares = np.diag(products)
    distances = np.maximum(squares[:, None] + squares[None, :] - 2 * products, 0)
    quadratic = (1 + products) ** 2
    centred = quadratic - quadratic.mean(axis=0) - quadratic.mean(axis=1)[:, None] + quadratic.mean()
    return [products, centred, np.exp(-distances / max(float(np.median(distances)), 1e-12))]


def _predicts(kernel: Any, targets: Any) -> bool:
    half = len(kernel) // 2
    scale = float(np.mean(np.diag(kernel)))
    if not scale > 1e-9:  # all inputs are equal
        return False
    predict = kernel[half:, :half] @ np.linalg.inv(kernel[:half, :half] + 0.1 * scale * np.eye(half))
    generator = np.random.default_rng(0)
    given = _score(predict, targets, half)
    by_chance = [_score(predict, targets[generator.permutation(len(targets))], half) for _ in range(_PERMUTATIONS)]
    return bool(given > max(by_chance) and given > np.mean(by_chance) + 4 * np.std(by_chance))


def _as_columns(y: Any) -> Any:
    """Returns labels `[N, K]`; a few class ids become one column each."""
    columns = y.reshape(len(y), -1).astype(np.float64)
    classes = np.unique(columns)
    if columns.shape[1] == 1 and 2 < len(classes) <= 100 and (classes == np.round(classes)).all():
        return (columns == classes).astype(np.float64)
    return columns[:, :100]


def _score(predict: Any, targets: Any, half: int) -> float:
    """Returns the mean correlation of predicted and true labels."""
    train, test = targets[:half], targets[half:]
    predicted = predict @ (train - train.mean(axis=0))
    centred = test - test.mean(axis=0)
    scale = np.sqrt(np.sum(predicted**2, axis=0) * np.sum(centred**2, axis=0))
    return float(np.mean(np.sum(predicted * centred, axis=0) / np.maximum(scale, 1e-12)))
