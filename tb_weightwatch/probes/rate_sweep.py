"""Short trainings at the decades of the learning rate."""

from __future__ import annotations

import math

from .trials import Trial, Trials
from .updates import at_rate, present_rate

LOWEST, HIGHEST = -10, 1  # decades of the learning rates that are tried
_NOTHING = 0.1  # of the best fall: below such a rate none needs to be tried


def sweep(trials: Trials) -> dict[float, Trial]:
    """Returns rate -> trial, for the present rate and the decades around it as far as the loss falls.

    {} if the learning rate is not known.
    """
    present = present_rate(trials.program)
    if present is None:
        return {}
    tried = {present: _trial(trials, present)}
    middle = min(max(round(math.log10(present)) if present > 0 else -3, LOWEST), HIGHEST)
    failures = 0
    for decade in range(middle if present == 0 else middle + 1, HIGHEST + 1):
        tried[10.0**decade] = last = _trial(trials, 10.0**decade)
        failures += not last.learns and last.fall < 0
        if failures == 2:
            break
    for decade in range(middle - 1, LOWEST - 1, -1):
        best = max(trial.fall for trial in tried.values())
        lowest = tried[min(rate for rate in tried if rate > 0)]
        if best > 0 and lowest.fall < _NOTHING * best and min(tried) < best_rate(tried):
            break
        tried[10.0**decade] = _trial(trials, 10.0**decade)
    return tried


def _trial(trials: Trials, rate: float) -> Trial:
    return trials.run(at_rate(trials.program, rate))


def best_rate(tried: dict[float, Trial]) -> float:
    """Returns the rate with which the loss fell furthest."""
    return max(tried, key=lambda rate: tried[rate].fall)
