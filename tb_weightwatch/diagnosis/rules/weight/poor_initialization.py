"""702 poor-initialization."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...fixes import layer_code, layer_of_variable
from ...rule import CannotTell, Evidence, Finding, History, VerdictText, rule
from ...wording import factor, is_preflight, quote_list


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
) -> Finding[Details] | CannotTell | None:
    """Weights that start all equal, or far from the scale that their layer's width requires.

    What it sees:
        Two or more kernels in a row that start at zero or at one constant: their units are copies of each other, and
        two kernels of zeros never change at all. Or kernels whose elements start many times larger or smaller than
        their width requires, with a loss that starts far above that of a constant prediction or does not get below it.

    Why it matters:
        Equal units get equal gradients and stay equal forever, so a wide layer is worth one unit. Each layer multiplies
        the size of its inputs by the scale of its weights: ten layers at twice the scale make it a thousandfold.

    When it is a false alarm:
        One kernel that starts at zero (a residual gate, an adapter, the output layer) is fine and not reported. Scale
        is judged by its effect only.

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
        large: ratio to its typical scale above which a kernel counts as large.
        small: ratio to its typical scale below which a kernel counts as small.
        rows: recorded steps before scale is judged.
    """
    if not (history.has("update_norm") or is_preflight(history)):
        return CannotTell("it was not recorded how far the weights moved in a step")
    if not len(signals.kernel_profile(history).places) or not len(history):
        return None
    equal = _start_equal(history)
    half_large, all_large, half_small = _off_scale(history, large, small)
    trend = signals.loss_trend(history)
    useless = trend.enough_rows & trend.near_constant_loss(0.9) & (trend.finite_rows >= rows)
    harm = _harm_of_large_scale(history, useless, all_large)
    firing = equal | half_large & harm | half_small & useless & trend.not_improving(0.97)
    if not firing.any():
        return None
    ratio = signals.initial_scale_ratio(history)
    off_scale = np.where(half_large[:, None], ratio > large, (ratio < small) & (ratio > 0))
    concerned = np.where(equal[:, None], signals.elements_start_equal(history), off_scale)
    return Finding(np.asarray(firing), partial(measure, history, equal, concerned), text, evidence)


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        names: names of the kernels concerned.
        kernels: number of kernels.
        equal: whether these start with all elements equal; otherwise their scale is off.
        ratio: ratio of their scale to the typical one, median over the kernels concerned.
        median_ratio: the same, median over all kernels.
        loss: the course of the loss.
        code: the call that makes the layer of the first of them with an initializer of typical size.
    """

    names: tuple[str, ...]
    kernels: int
    equal: bool
    ratio: float
    median_ratio: float
    loss: signals.LossCourse
    code: str = "keras.layers.Dense(units, activation='relu', kernel_initializer='he_normal')   # or glorot_uniform"


def measure(history: History, equal: signals.Bool, concerned: signals.Bool, row: int, _: NDArray[np.intp]) -> Details:
    """Returns the numbers and names of one row; `concerned` is `[T, K]`."""
    kernels, ratio = signals.kernel_profile(history).places, signals.initial_scale_ratio(history)[row]
    names = tuple(signals.variables(history)[i].name for i in kernels[concerned[row]])
    layer = layer_of_variable(history, names[0])
    return Details(
        names=names,
        kernels=len(kernels),
        equal=bool(equal[row]),
        ratio=float(np.nanmedian(ratio[concerned[row]])),
        median_ratio=float(np.nanmedian(ratio)),
        loss=signals.loss_course(history, row),
        code=f"{layer_code(history, layer, _options(history, layer))}   # '{layer}'",
    )


def _options(history: History, layer: str) -> str:
    """Returns the initializer that fits the activation of a layer."""
    activations = {str(item.get("name")): str(item.get("activation") or "") for item in signals.model_layers(history)}
    return f"kernel_initializer='{'he_normal' if 'relu' in activations.get(layer, '') else 'glorot_uniform'}'"


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    several = len(details.names) > 1
    kernels, start, their = ("kernels", "start", "their") if several else ("kernel", "starts", "its")
    loss = f" ({details.loss})" if details.loss else ""
    message = (
        f"Weights start with all elements equal: {kernels} {quote_list(details.names)}, so the units of a layer are "
        f"copies of each other and learn the same or nothing{loss}"
        if details.equal
        else f"Weights start too {'large' if details.ratio > 1 else 'small'}: {kernels} {quote_list(details.names)} "
        f"{start} at {factor(details.ratio)} times the scale that {their} width requires{loss}, "
        f"so the signal {'grows' if details.ratio > 1 else 'vanishes'} from layer to layer"
    )
    return VerdictText(
        message=message,
        fix=f"Use an initializer that takes the layer's width into account:\n    {details.code}",
        certainty="certain" if details.equal else "likely",
        variables=details.names,
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    concerned, median = float(len(details.names)), "times the typical one, median of the kernels"
    return (
        Evidence("kernels concerned", concerned, f"of {details.kernels}", quantity="weight_std"),
        Evidence("scale", details.median_ratio, median, quantity="weight_norm"),
    )


def _start_equal(history: History) -> signals.Bool:
    """Returns `[T]` whether kernels started with all elements equal, and the loss is not low."""
    in_a_row, half = _equal_kernels(history)
    confirmed = is_preflight(history) | (signals.streak(in_a_row) >= 3)
    return np.asarray(in_a_row & half & ~signals.loss_trend(history).low() & confirmed)


def _harm_of_large_scale(history: History, useless: signals.Bool, all_large: signals.Bool) -> signals.Bool:
    """Returns `[T]` whether the training suffers as it does from kernels that start far too large."""
    trend = signals.loss_trend(history)
    baseline_known = np.isfinite(trend.constant_loss)
    starts_high = trend.start > 3 * np.where(baseline_known, trend.constant_loss, np.inf)
    # Where values become NaN at once, or nothing is known to compare the loss with, the scale alone must decide.
    nonfinite = signals.ever(signals.anything_nonfinite(history))
    return np.asarray(starts_high & (useless | nonfinite) | ~baseline_known & all_large & (useless | nonfinite))


def _at_least_half(kernels: signals.Bool) -> signals.Bool:
    """Returns `[T]` whether it holds for at least half of the kernels, `[T, K]`."""
    return np.asarray(kernels.mean(axis=1) >= 0.5)


@signals.incremental
def _off_scale(
    rows: History, carry: signals.Carry, large: float, small: float
) -> tuple[signals.Bool, signals.Bool, signals.Bool]:
    """Returns `[T]` whether half of the kernels, or all, started far too large, and whether half far too small."""
    ratio = signals.initial_scale_ratio(rows)
    is_large = ratio > large
    return _at_least_half(is_large), np.asarray(is_large.all(axis=1)), _at_least_half((ratio < small) & (ratio > 0))


@signals.incremental
def _equal_kernels(rows: History, carry: signals.Carry) -> tuple[signals.Bool, signals.Bool]:
    """Returns `[T]` whether two kernels in a row started with all elements equal, and whether half of all did."""
    equal = signals.elements_start_equal(rows)
    return np.asarray((equal[:, 1:] & equal[:, :-1]).any(axis=1)), _at_least_half(equal)
