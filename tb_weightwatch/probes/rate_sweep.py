"""Short trainings at the decades of the learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable

from .trials import Trial

LOWEST, HIGHEST, UTMOST = -10, 1, 9  # decades of the learning rates that are tried
_EFFECT = 1e-3  # rise of the loss, as a share of it, from which a rate has an effect
_NOTHING = 0.1  # of the best fall: below such a rate none needs to be tried


def sweep(trial: Callable[[float], Trial], present: float) -> dict[float, Trial]:
    """Returns rate -> trial, for the present rate and the decades around it as far as the loss falls.

    Args:
        trial: trains a few steps at a learning rate.
        present: the present learning rate.
    """
    tried = {present: trial(present)}
    middle = min(max(round(math.log10(present)) if present > 0 else -3, LOWEST), HIGHEST)
    _go_up(trial, tried, middle if present == 0 else middle + 1)
    for decade in range(middle - 1, LOWEST - 1, -1):
        best = max(result.fall for result in tried.values())
        lowest = tried[min(rate for rate in tried if rate > 0)]
        if best > 0 and lowest.fall < _NOTHING * best and min(tried) < best_rate(tried):
            break
        tried[10.0**decade] = trial(10.0**decade)
    return tried


def _go_up(trial: Callable[[float], Trial], tried: dict[float, Trial], decade: int) -> None:
    """Tries larger rates until the loss rises with two; every other decade as long as nothing happens.

    Above `HIGHEST` it goes on only if no rate below has let the loss fall or rise: gradients may be tiny.
    """
    failures, last = 0, max(tried)
    while failures < 2 and decade <= (HIGHEST if any(map(_does_something, tried.values())) else UTMOST):
        rate = 10.0**decade
        tried[rate] = result = trial(rate)
        skipped = rate / 10
        if _does_something(result) and last < skipped / 2:
            tried[skipped] = trial(skipped)
        failures += not result.learns and result.fall < 0
        last, decade = rate, decade + (1 if _does_something(result) else 2)


def _does_something(trial: Trial) -> bool:
    return trial.learns or not trial.fall > -_EFFECT


def best_rate(tried: dict[float, Trial]) -> float:
    """Returns the rate with which the loss fell furthest."""
    return max(tried, key=lambda rate: tried[rate].fall)
