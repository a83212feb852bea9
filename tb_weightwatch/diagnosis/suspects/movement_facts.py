"""Facts about which weights move, how far, and what moves them."""

from __future__ import annotations

import numpy as np

from ...history import History
from .. import signals
from ..wording import number, plural, variable_names
from .observation import UNKNOWN, Observation, observe, recent_rows

_LITTLE = 0.1  # share of the elements that may learn, below which a model is as good as fixed
_16_BIT = ("float16", "bfloat16")


def nothing_has_moved(history: History) -> Observation:
    """No trainable weight has moved in any recorded step."""
    if not history.has("update_norm"):
        return UNKNOWN
    moved = signals.any_moved(history)
    rows = plural(len(history), "recorded step")
    return observe(
        not moved.any(), f"no weight has moved in {rows}", f"weights moved in {int(moved.sum()):,} of {rows}"
    )


def path_is_long(history: History) -> Observation:
    """The updates so far add up to the size of the weights or more."""
    distance = float(signals.distance_moved(history)[-1])
    if not np.isfinite(distance):
        return UNKNOWN
    text = f"the updates add up to {number(distance, 2)} times the size of the weights"
    return observe(distance > 0.5, text, text)


def most_weights_are_frozen(history: History) -> Observation:
    """Nearly all elements of the weights have trainable=False."""
    weights = _weights(history)
    sizes = np.array([v.size for v in signals.variables(history)], float)
    total = float(sizes[weights].sum())
    if not total:
        return UNKNOWN
    share = float(sizes[weights & ~signals.trainable(history)].sum()) / total
    text = f"{number(100 * share)} % of the elements of the weights are frozen (trainable=False)"
    return observe(share > 1 - _LITTLE, text, text if share else "no weight is frozen")


def most_trainable_weights_stand(history: History) -> Observation:
    """Most elements that are trainable have never moved, while others do."""
    mean = signals.mean_relative_update(history)
    if mean is None:
        return UNKNOWN
    trainable = signals.trainable(history)
    moved = (mean > 0) & trainable
    sizes = np.array([v.size for v in signals.variables(history)], float)
    total = float(sizes[trainable].sum())
    if not moved.any() or not total:
        return Observation(False, "no variable moves, so that none is left out") if total else UNKNOWN
    zero = _gradient_is_zero(history)  # a dead layer stands still, too, and is not left out
    still = np.flatnonzero(trainable & ~moved & ~zero)
    share = float(sizes[still].sum()) / total
    return observe(
        share > 1 - _LITTLE,
        f"{variable_names(history, still)} ({number(100 * share)} % of the trainable elements) have never moved, "
        "while others do",
        "most trainable weights move",
    )


def weights_are_put_back(history: History) -> Observation:
    """Weights are not where the last update left them."""
    rows = recent_rows(history)
    weight, update = signals.column(rows, "weight_norm"), signals.column(rows, "update_norm")
    if weight is None or update is None or len(rows) < 4:
        return UNKNOWN
    following = np.diff(rows.steps) == 1
    trainable = signals.trainable(history) & np.isfinite(weight).any(axis=0)
    jump = np.abs(np.diff(weight, axis=0))
    # The norm cannot change by more than the update that was made; 1 % is the precision with which it is stored.
    put_back = (jump > 1.5 * update[1:] + 0.01 * weight[1:]) & following[:, None]
    count = int(put_back[:, trainable].any(axis=1).sum()) if trainable.any() else 0
    return observe(
        count >= 3,
        f"{plural(count, 'time')} weights had changed between two recorded steps by more than the update",
        "every recorded step begins with the weights that the last one left",
    )


def weights_sit_at_one_bound(history: History) -> Observation:
    """The largest elements of several kernels are the same number in every step: something clips the weights."""
    largest = signals.column(recent_rows(history), "weight_max")
    positions = signals.trainable_matrices(history)
    if largest is None or len(positions) < 2 or len(largest) < 8:
        return UNKNOWN
    last = largest[-8:, positions]
    bound = float(last[-1, 0])
    # A stored number is known to 0.4 %. Kernels that hardly move keep the largest element that they started with.
    moves = bool(signals.distance_moved(history)[-1] > 0.1)
    same = bool(moves and np.isfinite(bound) and bound > 0 and (np.abs(last / bound - 1) < 0.01).all())
    return observe(
        same,
        f"the largest element of every kernel is {number(bound)} in each of the last 8 recorded steps",
        "the largest elements of the kernels differ",
    )


def weights_have_16_bits(history: History) -> Observation:
    """The weights themselves are stored in a 16-bit type."""
    dtypes = {v.dtype for v in signals.variables(history) if v.trainable}
    if not dtypes:
        return UNKNOWN
    is_16_bit = bool(dtypes & set(_16_BIT))
    return observe(
        is_16_bit, f"weights are stored in {min(dtypes & set(_16_BIT), default='')}", "weights are in float32"
    )


def elements_are_stuck(history: History) -> Observation:
    """Most elements that have a gradient do not change."""
    rows = recent_rows(history)
    stuck, zeros = signals.column(rows, "stuck_share"), signals.column(rows, "gradient_zero_share")
    if stuck is None:
        return UNKNOWN
    kernels = signals.trainable_kernels(history)
    nonzero = np.ones_like(stuck) if zeros is None else np.maximum(1 - zeros, 1e-9)
    shares = (stuck / nonzero)[:, kernels]
    shares = shares[np.isfinite(shares)]
    if not len(shares):
        return UNKNOWN
    share = float(np.mean(shares))
    text = f"{number(min(100.0, 100 * share), 2)} % of the elements with a gradient keep their value in a step"
    return observe(share > 0.7, text, text)


def weights_grew(history: History) -> Observation:
    """The weights have grown to many times their first norm."""
    if not history.has("weight_norm", "update_norm"):
        return UNKNOWN
    growth = float(signals.weight_growth(history)[-1])
    if not np.isfinite(growth):
        return UNKNOWN
    text = f"the norm of a kernel is {number(growth, 2)} times what it was at first"
    return observe(growth > 4, text, text)


def kernels_start_constant(history: History) -> Observation:
    """A kernel starts with all its elements equal."""
    rows = signals.RowSpan(history, 0, 1)
    spread, weight = signals.column(rows, "weight_std"), signals.column(rows, "weight_norm")
    positions = signals.trainable_matrices(history)
    if spread is None or weight is None or not len(positions):
        return UNKNOWN
    update = signals.column(rows, "update_norm")
    first = np.zeros_like(spread[0]) if update is None else np.nan_to_num(update[0])
    # After a first update that is large against the weight, nobody can tell how it started; zeros can be told.
    visible = (first < 0.3 * weight[0]) | (np.abs(weight[0] - first) <= 0.01 * first)
    spreads = spread[0] * signals.root_sizes(history)
    several = [i for i in positions if signals.variables(history)[i].shape[-1] > 1]  # units, of which none may differ
    equal = [i for i in several if visible[i] and spreads[i] <= 1.01 * first[i]]
    if not visible[several].any():
        return UNKNOWN
    return observe(
        bool(equal),
        f"{variable_names(history, np.array(equal, np.intp))} started with equal elements",
        "every kernel started with different elements",
    )


def initial_scale_is_unusual(history: History) -> Observation:
    """The kernels started with elements far from the size that their shape asks for."""
    profile = signals.kernel_profile(history)
    if not profile.start.size:
        return UNKNOWN
    sizes = signals.root_sizes(history)[profile.places]
    ratio = profile.start[-1] / (sizes * profile.scale)
    weight = signals.column(signals.RowSpan(history, 0, 1), "weight_norm")
    assert weight is not None
    # `start` is a lower bound, which says little if the first update was large.
    ratio = ratio[np.isfinite(ratio) & (ratio > 0) & (profile.start[-1] > 0.5 * weight[0, profile.places])]
    if not len(ratio):
        return UNKNOWN
    worst = float(ratio[np.argmax(np.abs(np.log(ratio)))])
    text = f"a kernel started at {number(worst, 2)} times the size that is usual for its shape"
    return observe(abs(np.log(worst)) > np.log(4), text, text)


def _gradient_is_zero(history: History) -> signals.Bool:
    """Returns `[V]` whether a variable's gradient was exactly zero in the last recorded steps."""
    gradient = signals.column(recent_rows(history), "gradient_norm")
    if gradient is None:
        return np.zeros(len(signals.variables(history)), bool)
    return np.asarray((gradient == 0).any(axis=0) & ~(gradient > 0).any(axis=0))


def _weights(history: History) -> signals.Bool:
    """Returns `[V]` which variables are weights, and not statistics or counters."""
    statistics = ("moving_mean", "moving_variance", "seed_generator_state", "count", "iterations")
    return np.array(
        ["int" not in v.dtype and not v.name.endswith(statistics) for v in signals.variables(history)], bool
    )
