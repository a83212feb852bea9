"""Facts about the optimizer: its count, its learning rate, its settings, and whether updates follow its rule."""

from __future__ import annotations

import numpy as np

from ...history import History
from .. import signals
from ..wording import factor, plural
from .observation import UNKNOWN, Observation, known_values, observe, recent_rows

_FAR = 20.0  # factor from the usual learning rate


def optimizer_counts(history: History) -> Observation:
    """The optimizer has counted steps."""
    count = known_values(history, "iterations")
    if len(count) < 2:
        return UNKNOWN
    steps = plural(int(history.steps[-1]), "training step")
    return observe(
        count[-1] > count[0] or count[-1] >= history.steps[-1],
        f"the optimizer has counted {plural(float(count[-1]), 'step')} in {steps}",
        f"the optimizer's count stays at {int(count[-1])} in {steps}",
    )


def learning_rate_is_zero(history: History) -> Observation:
    """The learning rate is exactly 0."""
    rate = float(signals.latest_run_value(history, "learning_rate")[-1])
    if not np.isfinite(rate):
        return UNKNOWN
    return observe(rate == 0, "the learning rate is 0", f"the learning rate is {signals.literal(rate)}")


def learning_rate_is_low(history: History) -> Observation:
    """The learning rate, set or implied by the updates, is far below the usual one."""
    rate, source = _rate(history)
    if not np.isfinite(rate) or rate == 0:
        return UNKNOWN
    usual = signals.usual_learning_rate(history) if signals.optimizer_class(history) else 1e-2
    text = f"{source} {signals.literal(rate)} ({signals.literal(usual)} is usual)"
    return observe(rate * _FAR < usual, text, text)


def updates_have_their_usual_size(history: History) -> Observation:
    """The optimizer divides by the gradient's size, and its learning rate is usual: then so are its updates."""
    rate = float(signals.latest_run_value(history, "learning_rate")[-1])
    if not np.isfinite(rate) or not signals.optimizer_class(history):
        return UNKNOWN
    usual = signals.is_normalized(history) and rate > 0.3 * signals.usual_learning_rate(history)
    name = signals.optimizer_class(history)
    return observe(
        usual,
        f"an update of {name} is about its learning rate of {signals.literal(rate)}, whatever the gradient",
        f"an update of {name} depends on the size of the gradient, or its learning rate is low",
    )


def learning_rate_fell(history: History) -> Observation:
    """The learning rate has fallen to a hundredth of its peak."""
    rate = known_values(history, "learning_rate")
    if not len(rate):
        return UNKNOWN
    peak, last = float(rate.max()), float(rate[-1])
    text = f"the learning rate was {signals.literal(peak)} at most and is {signals.literal(last)} now"
    return observe(last < 0.01 * peak, text, text)


def update_rule_gives_too_little(history: History) -> Observation:
    """The optimizer's rule gives updates below half of what the weights' type can store."""
    rows = recent_rows(history)
    expected, weight = signals.expected_update(rows), signals.column(rows, "weight_norm")
    if expected is None or weight is None:
        return UNKNOWN
    smallest = signals.half_ulp(history) * weight / signals.root_sizes(history)
    used = (expected > 0) & signals.trainable(history) & (weight > 0)
    if not used.any():
        return UNKNOWN
    ratio = float(np.median(expected[used] / smallest[used]))
    text = f"the optimizer's rule gives {factor(ratio, 2)} times the smallest change that the weights' type can store"
    return observe(ratio < 1, text, text)


def learning_rate_is_high(history: History) -> Observation:
    """The learning rate is far above the usual one, or updates are as large as the weights."""
    rate, source = _rate(history)
    ratio = signals.largest_relative_update(history)
    peak = float(np.nanmax(ratio, initial=0.0)) if history.has("update_norm", "weight_norm") else float("nan")
    if not np.isfinite(rate) and not np.isfinite(peak):
        return UNKNOWN
    usual = signals.usual_learning_rate(history)
    rate_text = f"{source} {signals.literal(rate)} ({signals.literal(usual)} is usual)" if np.isfinite(rate) else ""
    peak_text = f"the largest update was {factor(peak, 2)} times the norm of its weight"
    high = rate > _FAR * usual or peak > 0.5
    return observe(high, peak_text if peak > 0.5 else rate_text, rate_text or peak_text)


def updates_are_below_their_rule(history: History) -> Observation:
    """Weights move far less than the optimizer's rule gives for these gradients."""
    rows = recent_rows(history)
    expected, update = signals.expected_update(rows), signals.column(rows, "update_max")
    if expected is None or update is None:
        return UNKNOWN
    used = (expected > 0) & np.isfinite(update) & signals.trainable(history)
    if not used.any():
        return UNKNOWN
    share = float(np.median(update[used] / expected[used]))
    text = f"the largest change of an element is {factor(share, 2)} times what the optimizer's rule gives"
    return observe(share < 0.03, text, text)


def update_rule_is_own(history: History) -> Observation:
    """The program defines the update rule itself, where it may forget to assign."""
    own, name = signals.has_own_update_rule(history), signals.optimizer_class(history)
    if own is None:
        return UNKNOWN
    text = f"{'the program itself' if own else 'Keras'} defines the update rule of {name}"
    return observe(own, text, text)


def _rate(history: History) -> tuple[float, str]:
    """Returns the learning rate and where it comes from; NaN if it is neither recorded nor implied by the updates."""
    rows = recent_rows(history)
    rate = float(signals.latest_run_value(history, "learning_rate")[-1])
    if np.isfinite(rate):
        return rate, "the learning rate is"
    gradient, update = signals.column(rows, "gradient_norm"), signals.column(rows, "update_norm")
    if gradient is None or update is None:
        return float("nan"), ""
    used = (gradient > 0) & (update > 0) & signals.trainable(history)
    implied = float(np.median(update[used] / gradient[used])) if used.any() else float("nan")
    return implied, "an update is its gradient times"
