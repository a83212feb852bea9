"""Facts about which weights move, how far, and what moves them."""

from __future__ import annotations

import numpy as np

from ...history import History
from .. import signals
from ..wording import add_up_to, factor, number, plural, variable_names
from .observation import UNKNOWN, Observation, observe, recent_rows

_LITTLE = 0.1  # share of the elements that may learn, below which a model is as good as fixed
_16_BIT = ("float16", "bfloat16")


def path_is_long(history: History) -> Observation:
    """The updates so far add up to the size of the weights or more."""
    distance = float(signals.distance_moved(history)[-1])
    if not np.isfinite(distance):
        return UNKNOWN
    text = f"the updates {add_up_to(distance)}"
    return observe(distance > 0.5, text, text)


def most_weights_are_frozen(history: History) -> Observation:
    """Nearly all elements of the weights have trainable=False."""
    weights = signals.weight_variables(history)
    if not weights.any():
        return UNKNOWN
    share = signals.share_of_elements(history, weights & ~signals.trainable(history), weights)
    text = f"{number(100 * share)} % of the elements of the weights are frozen (trainable=False)"
    return observe(share > 1 - _LITTLE, text, text if share else "no weight is frozen")


def most_trainable_weights_stand(history: History) -> Observation:
    """Most elements that are trainable have not moved in any recorded step, while others have."""
    mean = signals.mean_relative_update(history)
    if mean is None:
        return UNKNOWN
    trainable = signals.trainable(history)
    moved = (mean > 0) & trainable
    if not trainable.any():
        return UNKNOWN
    if not moved.any():
        return Observation(False, "no variable has moved in a recorded step, so that none is left out")
    still = trainable & ~moved & ~_gradient_is_zero(history)  # a dead layer stands still, too, and is not left out
    share = signals.share_of_elements(history, still, trainable)
    names = variable_names(history, np.flatnonzero(still))
    return observe(
        share > 1 - _LITTLE,
        f"{names} ({number(100 * share)} % of the trainable elements) have not moved "
        "in any recorded step, while others have",
        "most trainable weights have moved",
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
        "weights have not changed between recorded steps by more than the update",
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
    text = f"weights are stored in {' and '.join(sorted(dtypes))}"
    return observe(is_16_bit, text, text)


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
    text = f"the norm of a kernel is {factor(growth, 2)} times what it was at first"
    return observe(growth > 4, text, text)


def kernels_start_constant(history: History) -> Observation:
    """A kernel of several units starts with all its elements equal, so that its units learn the same."""
    if not history.has("weight_norm"):
        return UNKNOWN
    kernels = signals.trainable_matrices(history)
    several = np.array([signals.variables(history)[i].shape[-1] > 1 for i in kernels], bool)
    equal = kernels[signals.elements_start_equal(history)[-1] & several]
    if not several.any():
        return UNKNOWN
    return observe(
        len(equal) > 0,
        f"{variable_names(history, equal)} started with equal elements",
        "no kernel is seen to start with equal elements",
    )


def initial_scale_is_unusual(history: History) -> Observation:
    """The kernels started with elements far from the size that their shape asks for."""
    profile = signals.kernel_profile(history)
    weight = signals.column(signals.RowSpan(history, 0, 1), "weight_norm")
    if not profile.start.size or weight is None:
        return UNKNOWN
    ratio = signals.initial_scale_ratio(history)[-1]
    # `start` is a lower bound, which says little if the first update was large.
    ratio = ratio[np.isfinite(ratio) & (ratio > 0) & (profile.start[-1] > 0.5 * weight[0, profile.places])]
    if not len(ratio):
        return UNKNOWN
    worst = float(ratio[np.argmax(np.abs(np.log(ratio)))])
    text = f"a kernel started at {factor(worst, 2)} times the size that is usual for its shape"
    return observe(abs(np.log(worst)) > np.log(4), text, text)


def _gradient_is_zero(history: History) -> signals.Bool:
    """Returns `[V]` whether a variable's gradient was exactly zero in the last recorded steps."""
    gradient = signals.column(recent_rows(history), "gradient_norm")
    if gradient is None:
        return np.zeros(len(signals.variables(history)), bool)
    return np.asarray((gradient == 0).any(axis=0) & ~(gradient > 0).any(axis=0))
