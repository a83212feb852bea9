"""102 unscaled-input."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import CannotTell, Claim, Evidence, Finding, History, VerdictText, rule
from ...statements import StepCount, steps_made
from ...wording import against_constant, factor, is_preflight, number, quote_list


@rule(
    code=102,
    name="unscaled-input",
    link="data",
    needs=("input_mean", "input_std"),
    explains=(
        "dead-relu", "saturated-activation", "constant-output", "zero-gradient", "vanishing-gradient",
        "exploding-gradient", "nonfinite-loss", "nonfinite-gradient", "learning-rate-too-large", "nonfinite-weight",
        "poor-initialization",
    ),
)  # fmt: skip
def unscaled_input(
    history: History, *, size: float = 10.0, spread: float = 100.0, tiny: float = 0.01, rows: int = 8
) -> Finding[Details] | CannotTell | None:
    """Inputs far from the scale that layers are made for, with an effect on training.

    What it sees:
        Inputs whose size is far above 1, features whose scales differ a hundredfold, or inputs far below 1, with no
        layer in the model that would normalise them, **and** an effect: outputs that are saturated or units that are
        dead from the first step, a loss that starts far above that of a constant prediction, or that stays there.

    Why it matters:
        The gradient of the first kernel is proportional to its input. With inputs of 1,000 the same learning rate is
        a thousand times too large for the first layer and right for the others. Features of different scales turn the
        loss into a long narrow valley, in which gradient descent oscillates or crawls.

    When it is a false alarm:
        When the program scales its inputs inside the `call` of a subclassed model, which cannot be seen. A model that
        trains well on raw numbers is not reported, because there is no effect.

    What to try:
        Standardise with the training set's mean and standard deviation, or put a Normalization layer first.

    Sick example:
        raw = 500 + 200 * x
        watch = fit(net(3, "softmax"), raw, kind, "sparse_categorical_crossentropy", optimizers.SGD(0.01))

    Healthy example:
        raw = 500 + 200 * x
        scaled = (raw - raw.mean(axis=0)) / raw.std(axis=0)
        watch = fit(net(3, "softmax"), scaled, kind, "sparse_categorical_crossentropy", optimizers.SGD(0.01))

    References:
        https://keras.io/api/layers/preprocessing_layers/numerical/normalization/

    Args:
        history: what was recorded.
        size: root mean square of the inputs from which they count as large.
        spread: largest over smallest standard deviation of a feature from which scales count as different.
        tiny: root mean square under which inputs count as small.
        rows: recorded steps before a loss is judged.
    """
    if signals.normalizes_inputs(history):
        return None
    rms, ratio = _input_rms(history), _scale_ratio(history)
    large, uneven = rms > size, (ratio > spread) & (rms > 2)
    small = (rms < tiny) & (rms > 0)
    if not (large | uneven | small).any():
        return None
    if not signals.model_layers(history) and not history.layers:
        return CannotTell("the layers of the model are not known; it may scale its inputs (pass model= to ww.Watch)")
    effects = _effects(history, large | uneven, small, rows)
    firing = np.logical_or.reduce(list(effects.values())) & (large | uneven | small)
    return Finding(firing, partial(measure, history, effects=effects, uneven=uneven), text, evidence, claims)


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        size: root mean square of the inputs.
        scale_ratio: largest over smallest standard deviation of a feature.
        uneven: whether the scales of the features differ too much.
        features: names of the worst features, where they are known.
        effects: what goes wrong: "saturated", "dead", "high loss", "bouncing loss".
        loss: the course of the loss.
        peak: the largest loss so far.
        constant_loss: the loss of a constant prediction; NaN if it is not known.
        duration: the steps so far, or batches before training.
        dominance: gradient norm of the first layer over that of the others; NaN if it is not known.
    """

    size: float
    scale_ratio: float
    uneven: bool
    features: tuple[str, ...]
    effects: tuple[str, ...]
    loss: signals.LossCourse
    peak: float
    constant_loss: float
    duration: StepCount
    dominance: float


def measure(
    history: History, row: int, _: NDArray[np.intp], *, effects: dict[str, signals.Bool], uneven: signals.Bool
) -> Details:
    """Returns the numbers and names of one row."""
    trend = signals.loss_trend(history)
    return Details(
        size=float(_input_rms(history)[row]),
        scale_ratio=float(_scale_ratio(history)[row]),
        uneven=bool(uneven[row]),
        features=_worst_features(history),
        effects=tuple(effect for effect, mask in effects.items() if mask[row]),
        loss=signals.loss_course(history, row),
        peak=float(trend.peak[row]),
        constant_loss=float(trend.constant_loss[row]),
        duration=_duration(history, row),
        dominance=_dominance(history, row),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    scale = f"their size is about {number(details.size)} (1 is usual)"
    if details.uneven:
        scale += f", and the scales of the features differ by a factor of {number(details.scale_ratio)}"
        scale += f" (worst: {quote_list(details.features)})" if details.features else ""
    level = details.loss.standstill
    if np.isfinite(details.constant_loss):
        level = f"the loss is {against_constant(details.loss.recent, details.constant_loss)}"
        level += f" ({details.loss.over(str(details.duration))})"
    effects = {
        "saturated": "activations are saturated",
        "dead": "most units of a ReLU layer are dead",
        "high loss": level,
        "bouncing loss": f"the loss jumps up and down ({details.loss}; it was {number(details.peak)} once)",
    }
    gradient = ""
    if 10 < details.dominance < 1e30:
        gradient = f"; the first layer's gradient is {factor(details.dominance)} times that of the other layers"
    return VerdictText(
        message=f"The inputs are not scaled: {scale}; as a result "
        f"{' and '.join(effects[effect] for effect in details.effects[:2])}{gradient}",
        fix="Standardise the inputs before training:\n"
        "    x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-7)   # mean and std of the training set\n"
        "or in the model:\n"
        "    normalize = keras.layers.Normalization(); normalize.adapt(x)   # and make it the model's first layer",
        variables=(),
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    ratio = details.scale_ratio
    return (
        Evidence("input size", details.size, "root mean square; about 1 is usual", quantity="input_std"),
        Evidence("input scales", ratio, "largest over smallest feature", quantity="input_scale_ratio"),
    )


def claims(details: Details) -> tuple[Claim, ...]:
    """Returns that the loss was once as large as stated."""
    return (Claim("reached", "loss", details.peak, 1, details.duration.made),) if np.isfinite(details.peak) else ()


def _duration(history: History, row: int) -> StepCount:
    made = steps_made(history, row)
    return StepCount(made.made, "batch") if is_preflight(history) else made


def _input_rms(history: History) -> signals.Float:
    """Returns `[T]` the root mean square of all inputs so far."""
    mean, std = signals.run_column(history, "input_mean"), signals.run_column(history, "input_std")
    return np.asarray(np.sqrt(signals.running_mean(mean**2 + std**2)))


def _scale_ratio(history: History) -> signals.Float:
    return signals.running_mean(signals.run_column(history, "input_scale_ratio"))


def _effects(history: History, large: signals.Bool, small: signals.Bool, rows: int) -> dict[str, signals.Bool]:
    """Returns `[T]` masks of what goes wrong because of the inputs, by the names of `Details.effects`."""
    trend = signals.loss_trend(history)
    enough = trend.finite_rows >= rows
    # Where weights hardly move, a loss that stays high is the learning rate's fault.
    rate = signals.latest_known(signals.run_column(history, "learning_rate"))
    too_slow = (signals.largest_mean_relative_update(history) < 1e-4) & ~(
        rate > 5e-3 * signals.usual_learning_rate(history)
    )
    poor = trend.near_constant_loss(0.8) & enough & ~trend.low()
    high = (_starts_high(trend) & enough & ~too_slow) | (signals.streak(poor & ~too_slow) >= 3 * rows)
    return {
        "saturated": signals.any_saturated(history) & large & poor,
        "dead": signals.mostly_dead(history) & large & poor,
        "high loss": (large & high) | (poor & small & (signals.streak(poor) >= 2 * rows)),
        "bouncing loss": _bounces(trend) & enough & ~trend.low() & large,
    }


def _starts_high(trend: signals.LossTrend) -> signals.Bool:
    """Returns `[T]` whether the loss began far above that of a constant prediction and is still near or above it.

    A mean squared error begins at the square of the scale; what counts is where it stays.
    """
    level = np.where(np.isfinite(trend.constant_loss), trend.constant_loss, np.inf)
    return np.asarray(
        (trend.start > 3 * level)
        & (trend.near_constant_loss(0.8) | (trend.start > 10 * level) & trend.near_constant_loss(0.5))
    )


def _bounces(trend: signals.LossTrend) -> signals.Bool:
    """Returns `[T]` whether the loss has been far above its start and is not well below it."""
    return np.asarray((trend.peak > 10 * np.abs(trend.start)) & (trend.recent > 0.5 * trend.start) & (trend.start > 0))


def _worst_features(history: History) -> tuple[str, ...]:
    """Returns the names of the recorded outlier features of the inputs."""
    for record in history.of_kind("features"):
        if record.data.get("which") == "inputs":
            names = tuple(str(feature.get("name")) for feature in record.data.get("features") or ())
            if names:
                return names
    return ()


def _dominance(history: History, row: int) -> float:
    """Returns the largest mean gradient norm of the first layer's kernels over that of all others; NaN if unknown."""
    kernels = signals.trainable_kernels(history)
    first = kernels & (signals.variable_depths(history) == 0)
    others = kernels & ~first
    if not history.has("gradient_norm") or not first.any() or not others.any():
        return float("nan")
    norm = history.column("gradient_norm")[: row + 1]
    finite = np.isfinite(norm)
    average = np.sum(norm, axis=0, where=finite, dtype=np.float64) / finite.sum(axis=0)
    return float(np.nanmax(average[first]) / max(np.nanmax(average[others]), 1e-30))
