"""Whether labels depend on inputs at all, by a linear model; without the network under test."""

from __future__ import annotations

from typing import Any

import numpy as np

MOST_SAMPLES, MOST_FEATURES = 1024, 4096
_PERMUTATIONS = 20


def labels_depend_on_inputs(samples: tuple[Any, Any] | None) -> bool:
    """Checks whether ridge regression predicts held-out labels better than it predicts any of twenty permutations.

    Args:
        samples: inputs `[N, ...]` and labels `[N]` or `[N, 1]` (numbers or class ids), or `[N, K]`; None without.
    """
    if samples is None:
        return False
    x, y = np.asarray(samples[0]), np.asarray(samples[1])
    if x.dtype.kind not in "fiub" or len(x) < 40 or len(x) != len(y):
        return False
    features = x.reshape(len(x), -1).astype(np.float64)[:, :MOST_FEATURES]
    features = np.nan_to_num((features - features.mean(axis=0)) / (features.std(axis=0) + 1e-12))
    targets = _as_columns(y)
    half = len(x) // 2
    predict = _ridge(features[:half], features[half:])
    generator = np.random.default_rng(0)
    given = _score(predict, targets, half)
    by_chance = [_score(predict, targets[generator.permutation(len(x))], half) for _ in range(_PERMUTATIONS)]
    return bool(given > max(by_chance) and given > np.mean(by_chance) + 4 * np.std(by_chance))


def _as_columns(y: Any) -> Any:
    """Returns labels `[N, K]`; a few class ids become one column each."""
    columns = y.reshape(len(y), -1).astype(np.float64)
    classes = np.unique(columns)
    if columns.shape[1] == 1 and 2 < len(classes) <= 100 and (classes == np.round(classes)).all():
        return (columns == classes).astype(np.float64)
    return columns[:, :100]


def _ridge(train: Any, test: Any) -> Any:
    """Returns the matrix that turns training labels into predictions for the test inputs."""
    gram = train @ train.T / train.shape[1]
    return (test @ train.T / train.shape[1]) @ np.linalg.inv(gram + 0.1 * np.eye(len(train)))


def _score(predict: Any, targets: Any, half: int) -> float:
    """Returns the mean correlation of predicted and true labels."""
    train, test = targets[:half], targets[half:]
    predicted = predict @ (train - train.mean(axis=0))
    centred = test - test.mean(axis=0)
    scale = np.sqrt(np.sum(predicted**2, axis=0) * np.sum(centred**2, axis=0))
    return float(np.mean(np.sum(predicted * centred, axis=0) / np.maximum(scale, 1e-12)))
