"""102 unscaled-input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ....verdict import number
from ...rule import CannotTell, Finding, VerdictText, rule
from ...signals import (
    Bool,
    any_saturated,
    largest_mean_relative_update,
    latest_known,
    loss_trend,
    model_layers,
    mostly_dead,
    normalizes_inputs,
    run_column,
    running_mean,
    streak,
    trainable_kernels,
    usual_learning_rate,
    variable_depths,
)
from ...wording import evidence, quote_list, steps


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
) -> Finding[Any] | CannotTell | None:
    """Inputs far from the scale that layers are made for, with an effect on training.

    What it sees:
        Inputs whose size is far above 1, features whose scales differ a hundredfold, or inputs far below 1, with no
        layer in the model that would bring them to scale, **and** an effect: outputs saturated or units dead from
        the first step, a loss that begins far above what takes no skill, or that stays there.

    Why it matters:
        The gradient of the first kernel is proportional to its input. With inputs of 1,000 one learning rate is
        a thousand times too large for the first layer and right for the others; features of different scale make the
        loss a long narrow valley, in which descent bounces or crawls.

    When it is a false alarm:
        When the program scales its inputs inside a subclassed model's `call`, which can not be seen. Without an
        effect it stays silent: a model that trains well on raw numbers is none of its business.

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
    if normalizes_inputs(history):
        return None
    mean, std = run_column(history, "input_mean"), run_column(history, "input_std")
    rms = np.sqrt(running_mean(mean**2 + std**2))
    ratio = running_mean(run_column(history, "input_scale_ratio"))
    large, apart = rms > size, (ratio > spread) & (rms > 2)
    small = (rms < tiny) & (rms > 0)
    off = large | apart | small
    if not off.any():
        return None
    if not model_layers(history) and not history.layers:
        return CannotTell(
            "the model's layers were not seen, so it may scale its inputs itself (pass model= to ww.Watch)"
        )
    effects = _effects(history, large | apart, small, rows)
    firing = off & np.logical_or.reduce([mask for mask, _ in effects])

    def tell(row: int, _: NDArray[np.intp]) -> VerdictText:
        texts = [text(row) for mask, text in effects if mask[row]]
        scale = f"the inputs are about {number(float(rms[row]))} in size (1 is usual)"
        if apart[row] and ratio[row] > spread:
            scale += (
                f", and the scales of their features differ by a factor of {number(float(ratio[row]))}{_worst(history)}"
            )
        dominant = _dominance(history, row)
        message = f"The inputs are not scaled: {scale}; here {' and '.join(texts[:2])}{dominant}"
        hand = "    x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-7)   # mean and std of the training set"
        layer = (
            "    normalize = keras.layers.Normalization(); normalize.adapt(x)   # and make it the model's first layer"
        )
        return VerdictText(
            message=message,
            fix=f"Standardise the inputs before training:\n{hand}\nor in the model:\n{layer}",
            evidence=(
                evidence("input size", rms[row], "root mean square; about 1 is usual", quantity="input_std"),
                evidence("input scales", ratio[row], "largest over smallest feature", quantity="input_scale_ratio"),
            ),
            severity="error",
            certainty="likely",
            variables=(),
        )

    return Finding(firing, tell)


def _effects(history: History, large: Bool, small: Bool, rows: int) -> list[tuple[Bool, Callable[[int], str]]]:
    trend = loss_trend(history)
    enough = trend.finite_rows >= rows
    # By mean squared error the loss begins at the square of the scale; what counts is where it stays.
    level = np.where(np.isfinite(trend.constant_loss), trend.constant_loss, np.inf)
    began = (
        (trend.start > 3 * level)
        & enough
        & (trend.near_constant_loss(0.8) | (trend.start > 10 * level) & trend.near_constant_loss(0.5))
    )
    # Where weights hardly move, a loss that stays high is the learning rate's fault.
    rate = latest_known(run_column(history, "learning_rate"))
    moving = ~(largest_mean_relative_update(history) < 1e-4) | (rate > 5e-3 * usual_learning_rate(history))
    began &= moving
    poor = trend.near_constant_loss(0.8) & enough & ~trend.low()
    hidden = any_saturated(history)
    dead = mostly_dead(history)
    jumps = _bounces(history) & enough & ~trend.low()

    def loss(row: int) -> str:
        level = trend.constant_loss[row]
        trivial = f", hardly better than {number(float(level))}, which takes no skill" if np.isfinite(level) else ""
        return f"{trend.describe(row)} in {steps(history, int(history.steps[row]))}{trivial}"

    return [
        (hidden & large & poor, lambda row: "activations are saturated"),
        (dead & large & poor, lambda row: "most units of a ReLU layer are dead"),
        (large & (began | (streak(poor & moving) >= 3 * rows)), loss),
        (poor & small & (streak(poor) >= 2 * rows), loss),
        (
            jumps & large,
            lambda row: f"the loss bounces ({trend.describe(row)}, up to {number(float(trend.peak[row]))})",
        ),
    ]  # fmt: skip


def _bounces(history: History) -> Bool:
    """Returns `[T]` whether the loss has gone far above its start and is not well below it."""
    trend = loss_trend(history)
    return np.asarray((trend.peak > 10 * np.abs(trend.start)) & (trend.recent > 0.5 * trend.start) & (trend.start > 0))


def _worst(history: History) -> str:
    for record in history.of_kind("features"):
        if record.data.get("which") == "inputs":
            names = [str(f.get("name")) for f in record.data.get("features") or ()]
            if names:
                return f" (worst: {quote_list(names)})"
    return ""


def _dominance(history: History, row: int) -> str:
    if not history.has("gradient_norm"):
        return ""
    first = trainable_kernels(history) & (variable_depths(history) == 0)
    rest = trainable_kernels(history) & ~first
    if not first.any() or not rest.any():
        return ""
    norm = history.column("gradient_norm")[: row + 1]
    finite = np.isfinite(norm)
    average = np.sum(norm, axis=0, where=finite, dtype=np.float64) / finite.sum(axis=0)
    share = np.nanmax(average[first]) / max(np.nanmax(average[rest]), 1e-30)
    return f"; the first layer's gradient is {number(float(share))} times the next" if 10 < share < 1e30 else ""
