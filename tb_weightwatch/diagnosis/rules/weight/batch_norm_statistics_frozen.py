"""704 batch-norm-statistics-frozen."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import CannotTell, Claim, Evidence, Finding, History, VerdictText, rule
from ...statements import Streak, streak
from ...wording import is_custom_loop, not_recorded, quote_list

_RECENT = 16  # rows in which a layer that trains must have moved: accumulation of gradients leaves many without update


@rule(code=704, name="batch-norm-statistics-frozen", link="weight")
def batch_norm_statistics_frozen(
    history: History, *, rows: int = 5, rows_for_loss: int = 50
) -> Finding[Details] | CannotTell | None:
    """Moving statistics of a BatchNormalization that keep their initial values although the layer trains.

    What it sees:
        A moving mean that is exactly 0 and a moving variance that is 1 in each recorded step, while gamma or beta of
        the same layer move (or any weight, if the layer has neither).

    Why it matters:
        In inference mode the layer normalizes with its moving statistics, and mean 0 and variance 1 normalize nothing.
        With momentum=1 training uses the statistics of the batch and inference does not: `evaluate` and `predict` give
        other results than training. With a smaller momentum the layer is called in inference mode during training too
        (training=False, or a custom loop without training=True), so the model trains without normalization.

    When it is a false alarm:
        Fine-tuning that calls a trained base with training=False keeps its statistics on purpose: statistics that are
        not initial are never reported, nor is a frozen layer. A layer in inference mode is a remark only, unless
        the loss does not decrease.

    What to try:
        Pass training=True when a custom loop calls the model, remove training=False, and set the momentum below 1. In
        Keras it is the share of the old statistics that is kept; PyTorch's momentum=0.1 is momentum=0.9 here.

    Sick example:
        stack = [layers.Dense(16, "relu"), layers.BatchNormalization(momentum=1.0), layers.Dense(1)]
        model = keras.Sequential([keras.Input((8,)), *stack])
        watch = fit(model, x, number, "mse")

    Healthy example:
        stack = [layers.Dense(16, "relu"), layers.BatchNormalization(momentum=0.9), layers.Dense(1)]
        model = keras.Sequential([keras.Input((8,)), *stack])
        watch = fit(model, x, number, "mse")

    References:
        https://keras.io/api/layers/normalization_layers/batch_normalization/

    Args:
        history: what was recorded.
        rows: recorded steps before it is reported.
        rows_for_loss: recorded losses before a loss that does not decrease makes it a warning.
    """
    if not signals.batch_normalizations(history):
        return None
    for column in ("statistic_norm", "statistic_change", "update_norm"):
        if not signals.is_recorded(history, column):
            return not_recorded(history, column)
    layers = signals.batch_normalizations(history)
    frozen = (_initial_rows(history) >= rows) & _trains(history)
    firing = np.zeros((len(history), len(signals.variables(history))), bool)
    for layer, held in zip(layers, frozen.T, strict=True):
        firing[:, [layer.mean, layer.variance]] = held[:, None]
    return Finding(firing, partial(measure, history, rows=rows_for_loss), text, evidence) if firing.any() else None


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        momentum_of_one: names of the layers whose momentum is 1.
        inference: names of the layers that are called in inference mode.
        duration: the recorded steps after which they are so.
        stuck: whether the loss does not decrease.
        loss: the course of the loss.
        affine: whether each of the layers has a gamma or a beta, and that moved.
        custom_loop: whether the training loop is hand-written.
    """

    momentum_of_one: tuple[str, ...]
    inference: tuple[str, ...]
    duration: Streak
    stuck: bool
    loss: signals.LossCourse
    affine: bool
    custom_loop: bool


def measure(history: History, row: int, variables: NDArray[np.intp], *, rows: int) -> Details:
    """Returns the numbers and names of one row."""
    named = set(variables.tolist())
    layers = [layer for layer in signals.batch_normalizations(history) if layer.mean in named]
    trend, count = signals.loss_trend(history), int(_initial_rows(history)[row].max())
    means = tuple(signals.variables(history)[layer.mean].name for layer in layers)
    stuck = (trend.finite_rows >= rows) & ~trend.decreased & trend.not_improving()
    return Details(
        momentum_of_one=tuple(layer.name for layer in layers if layer.momentum >= 1),
        inference=tuple(layer.name for layer in layers if layer.momentum < 1),
        duration=streak(history, row, count, Claim("is", "statistic_norm", 0.0, variables=means)),
        stuck=bool(stuck[row]),
        loss=signals.loss_course(history, row),
        affine=all(layer.affine for layer in layers),
        custom_loop=is_custom_loop(history),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    if not details.momentum_of_one:
        return _inference_text(details)
    one = len(details.momentum_of_one) == 1
    others = f"; those of {quote_list(details.inference)} have not moved either" if details.inference else ""
    return VerdictText(
        message="BatchNormalization cannot move its moving statistics, because momentum is 1: after "
        f"{details.duration} those of {quote_list(details.momentum_of_one)} are still mean 0 and variance 1, so that "
        f"the {'layer' if one else 'layers'} will normalize nothing in inference, whatever the training does{others}",
        fix="Set the share of the old statistics that is kept to less than 1:\n"
        "    keras.layers.BatchNormalization(momentum=0.99)",
        severity="warning",
        certainty="certain" if details.affine else "likely",
    )


def _inference_text(details: Details) -> VerdictText:
    one = len(details.inference) == 1
    layer_trains, it = ("layer trains", "it") if one else ("layers train", "they")
    loss = f", and {details.loss.standstill}" if details.stuck else ""
    if details.custom_loop:
        fix = "Call the model in training mode in each training step:\n    predictions = model(x, training=True)"
    else:
        fix = (
            "Remove training=False where the model calls the layer, or the model that contains it:\n"
            "    x = keras.layers.BatchNormalization()(x)   # fit passes training=True"
        )
    return VerdictText(
        message=f"BatchNormalization runs in inference mode: the moving statistics of {quote_list(details.inference)} "
        f"are still mean 0 and variance 1 after {details.duration}, although the {layer_trains}, so "
        f"{it} normalize{'s' if one else ''} nothing{loss}",
        fix=fix,
        severity="warning" if details.stuck else "info",
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    return (Evidence("change of the statistics", 0.0, f"in {details.duration}", quantity="statistic_change"),)


@signals.incremental
def _initial_rows(rows: History, carry: signals.Carry) -> NDArray[np.int64]:
    """Returns `[T, K]` in how many rows so far the layer's statistics were initial; 0 once they were not."""
    layers = signals.batch_normalizations(rows)
    norm, change = signals.column(rows, "statistic_norm"), signals.column(rows, "statistic_change")
    if norm is None or change is None:
        return np.zeros((len(rows), len(layers)), np.int64)
    mean, variance = [layer.mean for layer in layers], [layer.variance for layer in layers]
    ones = signals.root_sizes(rows)[variance]
    moved = (change[:, mean] > 0) | (change[:, variance] > 0)
    initial = (norm[:, mean] == 0) & np.isclose(norm[:, variance], ones, rtol=0.01) & ~moved
    known = np.isfinite(norm[:, mean]) & np.isfinite(norm[:, variance])
    count = carry.total(initial)
    return np.where(carry.ever(moved | (known & ~initial)), 0, count)


@signals.incremental
def _trains(rows: History, carry: signals.Carry) -> signals.Bool:
    """Returns `[T, K]` whether the layer's gamma or beta moved of late; any trainable variable, if it has neither."""
    update, anything = signals.column(rows, "update_norm"), signals.any_moved(rows)
    layers = signals.batch_normalizations(rows)
    moved = np.zeros((len(rows), len(layers)))
    for k, layer in enumerate(layers):
        if layer.affine and update is not None:
            moved[:, k] = (update[:, layer.affine] > 0).any(axis=1)
        elif not layer.affine and layer.trainable:
            moved[:, k] = anything
    return np.asarray(carry.trailing_mean(moved, _RECENT) > 0)
