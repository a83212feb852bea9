"""The learning-rate sweep."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from ...verdict import Outcome, RateCurve, TestedCause, number
from ..comparison import WORTHWHILE, falls, outcome_of
from ..experiment import Lab, Result, experiment, telling
from ..program import CannotRun
from ..rate_sweep import LOWEST, best_rate
from ..trials import Trial
from ..updates import present_rate

LONG_PASSES = 5  # over the batches, of the trials that decide


@experiment(
    name="learning-rate-sweep",
    tests=("learning-rate-too-small", "learning-rate-too-large", "learning-rate-zero"),
    steps=210,
)
def learning_rate_sweep(lab: Lab) -> Result:
    """Trains a few steps at learning rates from 1e-10 to 10, each time from the present state.

    What it does:
        It tries the decades around the present rate, in both directions until the loss no longer falls, over eight
        steps each. Then it trains twenty steps with the present rate, the best one and the next smaller one. The
        optimizer, its slots and the batches are those of the training. The working range is where the loss falls at
        least half as far in eight steps as with the best rate.

    What it confirms:
        A learning rate that is too small, if a larger one lets the loss fall ten times as far in twenty steps. One
        that is too large, if a smaller one does, from the present weights or from new initial ones. One that is 0 (or
        smaller than all that are tried), if the loss falls with another.

    What it refutes:
        These, if the loss falls at least a quarter as far with the present rate as with the best one; a rate that is
        too large only if it falls by 5 % with the best one, since spoilt weights learn with no rate.

    What it cannot tell:
        Which rate is best for a whole training: over a few steps large rates look better than they are. Anything of
        a loss that is not finite, or falls below zero without end.

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
    short = lab.rate_trials
    if not short[present].starts_finite and lab.new_weights is None:
        raise CannotRun("the loss is not finite, and the model cannot be initialized anew")
    best = best_rate(short)
    if not short[best].learns:
        return _no_rate_works(lab, short, present)
    smaller = max((rate for rate in short if 0 < rate < best / 2), default=best)  # over more steps it may do better
    long = _long_trials(lab, dict.fromkeys([present, best, smaller]), None)
    recommended = best_rate(long)
    curve = _curve(short, present, recommended if long[recommended].learns else best)
    message = _message(long, present, recommended)
    causes = _causes(long, present, message)
    if causes[1].outcome != "confirmed":
        causes[1] = _about_a_large_rate(lab, present) or causes[1]
    if causes[1].outcome == "confirmed":  # it has spoilt the weights, from which an even larger one may look better
        causes[0] = replace(causes[0], outcome="refuted", message=causes[1].message)
    return telling(causes, message)._replace(curve=curve)


def _long_trials(lab: Lab, rates: Iterable[float], start: Callable[[], None] | None) -> dict[float, Trial]:
    return {rate: lab.trials.run(lab.at_rate(rate), passes=LONG_PASSES, start=start) for rate in rates}


def _about_a_large_rate(lab: Lab, present: float) -> TestedCause | None:
    """Returns what trainings from new initial weights say: a rate that was too large may have spoilt the present ones.

    None if the model cannot be initialized anew, or the present weights are better than new ones.
    """
    start = lab.new_weights
    if start is None or present == 0:
        return None
    before, new = (float(np.mean(lab.trials.losses_before(start=s))) for s in (None, start))
    if before < new:
        return None
    trials = _long_trials(lab, [present, present / 10, present / 100], start)
    smaller = max([present / 10, present / 100], key=lambda rate: trials[rate].fall)
    message = f"from new initial weights, {_message(trials, present, smaller)}"
    return TestedCause("learning-rate-too-large", outcome_of(trials[present], trials[smaller]), message)


def _no_rate_works(lab: Lab, short: dict[float, Trial], present: float) -> Result:
    curve = _curve(short, present, None)
    message = f"the loss falls with no learning rate from {number(curve.rates[0], 2)} to {number(curve.rates[-1], 2)}"
    small: Outcome = "refuted" if short[present].starts_finite else "open"
    large = _about_a_large_rate(lab, present) or TestedCause("learning-rate-too-large", "open", message)
    return telling([TestedCause("learning-rate-too-small", small, message), large], message)._replace(curve=curve)


def _curve(trials: dict[float, Trial], present: float, recommended: float | None) -> RateCurve:
    """Returns the curve; with its working range if there is one."""
    rates = sorted(trials)
    falls = tuple(trials[rate].fall if math.isfinite(trials[rate].fall) else math.nan for rate in rates)
    steps = max(trial.steps for trial in trials.values())
    if recommended is None:
        return RateCurve(tuple(rates), falls, present, None, steps)
    working = [rate for rate in rates if trials[rate].fall >= 0.5 * trials[best_rate(trials)].fall]
    return RateCurve(tuple(rates), falls, present, recommended, steps, min(working), max(working))


def _message(long: dict[float, Trial], present: float, recommended: float) -> str:
    steps = long[recommended].steps
    if present == recommended:
        return f"with the present learning rate of {number(present)} the loss {falls(long[present])} in {steps} steps"
    return (
        f"with a learning rate of {number(recommended, 2)} the loss {falls(long[recommended])} in {steps} steps; with "
        f"the present {number(present)} it {falls(long[present])}"
    )


def _causes(long: dict[float, Trial], present: float, message: str) -> list[TestedCause]:
    """Returns what is said of a rate that is too small, too large, and 0."""
    best = best_rate(long)
    outcome = outcome_of(long[present], long[best])
    practically_zero = present < 10.0**LOWEST
    small: Outcome = outcome if present < best else "refuted"
    large: Outcome = outcome if present > best else "refuted"
    if large == "refuted" and long[best].fall < WORTHWHILE:
        large = "open"  # weights that a large rate has spoilt learn with no rate
    zero: Outcome = outcome if practically_zero else "refuted"
    return [
        TestedCause("learning-rate-too-small", "open" if practically_zero else small, message),
        TestedCause("learning-rate-too-large", large, message),
        TestedCause("learning-rate-zero", zero, message),
    ]
