"""The learning-rate sweep."""

from __future__ import annotations

import math
from collections.abc import Callable

from ...verdict import Outcome, RateCurve, TestedCause, number
from ..comparison import fall_text
from ..experiment import Lab, Result, experiment
from ..program import CannotRun
from ..trials import Trial
from ..updates import at_rate, present_rate

LOWEST, HIGHEST = -10, 1  # decades of the learning rates that are tried
_SMALL_PART = 0.25  # of the best fall: a rate with less does not work
_OUTSIDE = 3.0  # how far below the working range a rate is too small


@experiment(
    name="learning-rate-sweep",
    tests=("learning-rate-too-small", "learning-rate-too-large", "learning-rate-zero"),
    steps=110,
)
def learning_rate_sweep(lab: Lab) -> Result:
    """Trains a few steps at learning rates from 1e-10 to 10, each time from the present state.

    What it does:
        It begins at the decades around the present rate and goes on in both directions until the loss no longer
        falls, then halves the decades around the best one. The optimizer, its slots and the batches are those of the
        training. The working range is where the loss falls at least half as far as with the best rate.

    What it confirms:
        A learning rate that is too small (or 0), if the present one lies below the working range and the loss falls
        less than a quarter as far with it. One that is too large, if the loss rises or hardly falls with it and falls
        with a smaller one.

    What it refutes:
        Both, if the present rate lies in the working range, or if the loss falls with no rate at all.

    What it cannot tell:
        Which rate is best for a whole training: over a few steps large rates look better than they are, so the
        smallest rate that does nearly as well as the best is recommended.

    Confirming example:
        model = net(1)
        model.compile(optimizers.Adam(1e-8), "mse")
        report = ww.probe(model, x, number, experiments=["learning-rate-sweep"])

    Refuting example:
        model = net(1)
        model.compile(optimizers.Adam(3e-3), "mse")
        report = ww.probe(model, x, number, experiments=["learning-rate-sweep"])
    """
    present = present_rate(lab.program)
    if present is None:
        raise CannotRun("the optimizer and its learning rate are not known; pass optimizer=")
    trials = _sweep(lambda rate: lab.trials.run(at_rate(lab.program, rate)), present)
    curve = rate_curve(trials, present)
    if curve.recommended is None or curve.low is None or curve.high is None:
        lowest, highest = number(curve.rates[0], 2), number(curve.rates[-1], 2)
        message = f"the loss falls with no learning rate from {lowest} to {highest}"
        names = ("learning-rate-too-small", "learning-rate-too-large")
        return Result(message, tuple(TestedCause(name, "refuted", message) for name in names), curve)
    message = _message(curve, trials, present)
    return Result(message, tuple(_causes(curve, trials[present], present, message)), curve)


def _sweep(trial: Callable[[float], Trial], present: float) -> dict[float, Trial]:
    """Returns rate -> trial, for the present rate, decades around it, and finer around the best."""
    trials = {present: trial(present)}
    middle = round(math.log10(present)) if present > 0 else -3
    middle = min(max(middle, LOWEST), HIGHEST)
    failures = 0
    for decade in range(middle + 1, HIGHEST + 1):
        trials[10.0**decade] = tried = trial(10.0**decade)
        failures += not tried.learns and tried.fall < 0
        if failures == 2:
            break
    for decade in range(middle, LOWEST - 1, -1):
        if 10.0**decade not in trials:
            trials[10.0**decade] = trial(10.0**decade)
        best = max(t.fall for t in trials.values())
        if best > 0 and trials[10.0**decade].fall < 0.05 * best and 10.0**decade < _best_rate(trials):
            break
    best_rate = _best_rate(trials)
    for rate in (best_rate * math.sqrt(10), best_rate / math.sqrt(10)):
        if best_rate > 0 and trials[best_rate].learns:
            trials[rate] = trial(rate)
    return trials


def _best_rate(trials: dict[float, Trial]) -> float:
    return max(trials, key=lambda rate: trials[rate].fall)


def rate_curve(trials: dict[float, Trial], present: float) -> RateCurve:
    """Returns the curve with its working range; without one if the loss falls with no rate."""
    rates = sorted(trials)
    falls = tuple(trials[rate].fall if math.isfinite(trials[rate].fall) else math.nan for rate in rates)
    best = _best_rate(trials)
    if not trials[best].learns:
        return RateCurve(tuple(rates), falls, present)
    working = [rate for rate in rates if trials[rate].fall >= 0.5 * trials[best].fall]
    recommended = min(rate for rate in rates if trials[rate].fall >= 0.8 * trials[best].fall)
    return RateCurve(tuple(rates), falls, present, recommended, min(working), max(working))


def _message(curve: RateCurve, trials: dict[float, Trial], present: float) -> str:
    assert curve.recommended is not None and curve.low is not None and curve.high is not None
    if curve.low <= present <= curve.high:
        return (
            f"the learning rate {number(present)} lies in the working range of {number(curve.low, 2)} to "
            f"{number(curve.high, 2)}: the loss {fall_text(trials[present].fall)} in {trials[present].steps} steps"
        )
    with_it = trials[curve.recommended]
    return (
        f"with a learning rate of {number(curve.recommended, 2)} the loss {fall_text(with_it.fall)} in {with_it.steps} "
        f"steps; with the present {number(present)} it {fall_text(trials[present].fall)}"
    )


def _causes(curve: RateCurve, now: Trial, present: float, message: str) -> list[TestedCause]:
    assert curve.recommended is not None and curve.low is not None and curve.high is not None
    with_it = max(fall for fall in curve.falls if math.isfinite(fall))
    hardly = not now.learns or now.fall < _SMALL_PART * with_it
    small: Outcome = "refuted" if present >= curve.low else "open"
    if present < curve.low / _OUTSIDE and hardly:
        small = "confirmed"
    large: Outcome = "refuted" if present <= curve.high else "open"
    if present > curve.high and hardly:
        large = "confirmed"
    zero: Outcome = "confirmed" if present == 0 else "refuted"
    return [
        TestedCause("learning-rate-too-small", "open" if present == 0 else small, message),
        TestedCause("learning-rate-too-large", large, message),
        TestedCause("learning-rate-zero", zero, message),
    ]
