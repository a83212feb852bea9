"""The quantities of a moving statistic: it is not trained, so that it has no gradient and its change is no update."""

from __future__ import annotations

import numpy as np

from .change import Array


def moving_statistic_numbers(before: Array | None, after: Array) -> dict[str, float]:
    """Returns the recorded quantities of a moving mean or variance by name.

    Args:
        before: its value before the step; None if it is not known.
        after: its value after the step.
    """
    after = np.asarray(after, np.float64)
    numbers = {"statistic_norm": float(np.linalg.norm(after))}
    if before is not None:
        numbers["statistic_change"] = float(np.linalg.norm(after - np.asarray(before, np.float64)))
    return numbers
