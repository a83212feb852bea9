"""702 poor-initialization."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ....verdict import number
from ...rule import CannotTell, Finding, VerdictText, rule
from ...signals import (
    Bool,
    Carry,
    Float,
    anything_nonfinite,
    column,
    ever,
    incremental,
    kernel_profile,
    loss_trend,
    root_sizes,
    select_columns,
    streak,
    trainable_matrices,
    variables,
)
from ...wording import evidence, is_preflight, quote_list


@rule(
    code=702,
    name="poor-initialization",
    link="weight",
    needs=("weight_norm",),
    explains=(
        "zero-gradient", "dead-relu", "vanishing-gradient", "constant-output", "loss-disconnected",
        "no-learning-signal", "learning-rate-too-small", "exploding-gradient", "learning-rate-too-large",
        "nonfinite-loss", "nonfinite-gradient", "nonfinite-weight",
    ),
)  # fmt: skip
def poor_initialization(
    history: History, *, large: float = 8.0, small: float = 0.05, rows: int = 20
) -> Finding[Any] | CannotTell | None:
    """Weights that start all alike, or far from the scale that their layer's width asks for.

    What it sees:
        Two and more kernels in a row that start at zero or at one constant: their units are copies of each other, and
        two kernels of zeros never move at all. Or kernels whose elements start many times larger or smaller than their
        width asks for, with a loss that begins far above what takes no skill or does not leave that level.

    Why it matters:
        Equal units get equal gradients and stay equal for ever, so a wide layer is worth one unit. Each layer
        multiplies the size of what passes by its weights' scale: ten layers at twice the scale make a thousandfold.

    When it is a false alarm:
        One kernel that starts at zero (a residual gate, an adapter, the output layer) is sound and silent. Scale is
        judged by its effect alone.

    What to try:
        The defaults: glorot_uniform, and he_normal before ReLU; zeros for biases only.

    Sick example:
        watch = fit(net(1, hidden="tanh", kernel_initializer="zeros"), x, number, "mse")

    Healthy example:
        watch = fit(net(1, hidden="tanh", kernel_initializer="glorot_uniform"), x, number, "mse")

    References:
        He et al., Delving Deep into Rectifiers, https://arxiv.org/abs/1502.01852

    Args:
        history: what was recorded.
        large: how many times its usual scale a kernel must be.
        small: share of its usual scale below which a kernel counts as small.
        rows: recorded steps before scale is judged.
    """
    if not (history.has("update_norm") or is_preflight(history)):
        return CannotTell("it was not recorded how far the weights moved in a step")
    steps = kernel_profile(history)
    if not len(steps.places) or not len(history):
        return None
    trend = loss_trend(history)
    pairs, most = _copies(history)
    copied = (pairs & most & ~trend.low()) & (is_preflight(history) | (streak(pairs) >= 3))
    huge, every, tiny = _off(history, large, small)
    level = np.isfinite(trend.constant_loss)
    began = trend.start > 3 * np.where(level, trend.constant_loss, np.inf)
    poor = trend.enough_rows & trend.near_constant_loss(0.9) & (trend.finite_rows >= rows)
    # What is lost at once, or begins where no loss can be judged, leaves the scale alone to speak.
    lost = ever(anything_nonfinite(history))
    harm = began & lost | ~level & every & (poor | lost)
    firing = copied | huge & (began & poor | harm) | tiny & poor & trend.not_improving(0.97)
    if not firing.any():
        return None

    def tell(row: int, _: NDArray[np.intp]) -> VerdictText:
        ratio = _ratio(history)
        words = trend.describe(row)
        after = f" ({words})" if words else ""
        if copied[row]:
            which = steps.places[_alike(history)[row]]
            names = quote_list([variables(history)[i].name for i in which])
            message = (
                f"The kernels {names} start with all elements equal, so the units of a layer are copies of each other "
                f"and learn the same or nothing{after}"
            )
        else:
            off = ratio[row] > large if huge[row] else (ratio[row] < small) & (ratio[row] > 0)
            which = steps.places[off]
            factor = float(np.nanmedian(ratio[row][off]))
            names = quote_list([variables(history)[i].name for i in which])
            message = (
                f"The kernels {names} start at {number(factor)} times the scale that their width asks for{after}, so "
                f"the signal {'grows' if factor > 1 else 'is lost'} from layer to layer"
            )
        return VerdictText(
            message=message,
            fix="Use an initializer that goes by the layer's width:\n"
            "    keras.layers.Dense(units, activation='relu', kernel_initializer='he_normal')   # or glorot_uniform",
            evidence=(
                evidence("kernels concerned", len(which), f"of {len(steps.places)}", quantity="weight_std"),
                evidence("scale", float(np.nanmedian(ratio[row])), "times the usual one, median of the kernels",
                         quantity="weight_norm"),
            ),
            severity="error",
            certainty="certain" if copied[row] else "likely",
            variables=tuple(variables(history)[i].name for i in which),
        )  # fmt: skip

    return Finding(np.asarray(firing), tell)


def _share(off: Bool) -> Bool:
    """Returns `[T]` whether it holds for at least half of the kernels."""
    return np.asarray(off.mean(axis=1) >= 0.5)


@incremental
def _ratio(rows: History, carry: Carry) -> Float:
    """Returns `[T, K]` the size of a matrix's elements at first, against what is usual for its shape."""
    steps = kernel_profile(rows)
    return np.asarray(steps.start / root_sizes(rows)[steps.places] / steps.scale)


@incremental
def _off(rows: History, carry: Carry, large: float, small: float) -> tuple[Bool, Bool, Bool]:
    """Returns `[T]` whether half of the matrices, or all, began far too large, and whether half began far too small."""
    ratio = _ratio(rows)
    big = ratio > large
    return _share(big), np.asarray(big.all(axis=1)), _share((ratio < small) & (ratio > 0))


@incremental
def _copies(rows: History, carry: Carry) -> tuple[Bool, Bool]:
    """Returns `[T]` whether two matrices in a row began with all elements equal, and whether half of all did."""
    alike = _alike(rows)
    return np.asarray((alike[:, 1:] & alike[:, :-1]).any(axis=1)), _share(alike)


@incremental
def _alike(rows: History, carry: Carry) -> Bool:
    """Returns `[T, K]` which matrices began with all elements equal: then only the first step can have told them apart.

    A matrix that has not moved must be constant as it stands; of one that has, the spread is at most the step's.
    """
    places = trainable_matrices(rows)
    weight, update, spread = (column(rows, n) for n in ("weight_norm", "update_norm", "weight_std"))
    assert weight is not None
    w = carry.first_known(select_columns(weight, places))
    # Before the first step there is none that could have told the elements apart.
    d = np.full_like(w, np.nan) if update is None else carry.first_known(select_columns(update, places))
    sizes = np.array([variables(rows)[i].size for i in places])
    # After a first step as large as a weight nothing can be told of what was there before.
    short = d < 0.3 * kernel_profile(rows).scale * np.sqrt(sizes)
    zero = (w == 0) | (d > 0) & (np.abs(w - d) <= 0.01 * d) & short
    if spread is None:
        return np.asarray(zero)
    width = carry.first_known(select_columns(spread, places)) * np.sqrt(sizes)
    level = (width <= 1.05 * d) & (d < 0.3 * w) | (width <= 1e-6 * w)
    return np.asarray((zero | level) & (sizes > 3) & np.isfinite(w))
