"""Facts about activations and predictions."""

from __future__ import annotations

import numpy as np

from ...history import History
from .. import signals
from ..wording import number, quote_list
from .observation import UNKNOWN, Observation, observe, recent_rows


def layer_is_dead(history: History) -> Observation:
    """All units of a ReLU layer are zero for every sample."""
    dead = signals.dead_layers(history)
    if not dead.shape[1]:
        return UNKNOWN
    names = [layer.name for layer, is_dead in zip(history.layers, dead[-1], strict=True) if is_dead]
    return observe(bool(names), f"all units of {quote_list(names)} are zero", "no ReLU layer is dead as a whole")


def layer_input_is_zero(history: History) -> Observation:
    """A ReLU layer with a random kernel and no bias outputs only zeros from the first step: its input is zero."""
    starved = signals.starved_layers(history)
    if not len(starved):
        return UNKNOWN
    names = [layer.name for layer, is_so in zip(history.layers, starved, strict=True) if is_so]
    return observe(
        bool(names),
        f"{quote_list(names)} gave only zeros in the first step, before any update, with a usual kernel and no bias, "
        "as where the input is zero",
        "no ReLU layer gave only zeros in the first step",
    )


def many_units_are_dead(history: History) -> Observation:
    """Most units of a ReLU layer are zero for every sample."""
    share = signals.dead_units(history)
    if not share.shape[1] or not np.isfinite(share[-1]).any():
        return UNKNOWN
    worst = float(np.nanmax(share[-1]))
    text = f"{number(100 * worst, 2)} % of the units of a ReLU layer are dead"
    return observe(worst > 0.8, text, text)


def layer_is_saturated(history: History) -> Observation:
    """Nearly all outputs of a sigmoid or tanh layer are saturated."""
    saturated = signals.saturated_layers(history)
    if not saturated.shape[1] or not signals.squashing_layers(history).any():
        return UNKNOWN
    names = [layer.name for layer, is_so in zip(history.layers, saturated[-1], strict=True) if is_so]
    return observe(bool(names), f"nearly all outputs of {quote_list(names)} are saturated", "no layer is saturated")


def layer_outputs_do_not_vary(history: History) -> Observation:
    """The units of a ReLU layer are zero for all samples or for none: its output does not depend on the sample."""
    zero, dead = (signals.column(recent_rows(history), name) for name in ("zero_share", "dead_share"))
    relu = signals.relu_layers(history)
    if zero is None or dead is None or not relu.any():
        return UNKNOWN
    zero, dead = zero[-16:, relu], dead[-16:, relu]
    partly = (dead > 0) & (dead < 1)
    same = ((np.abs(zero - dead) < 1e-3) & partly).mean(axis=0) > 0.9
    names = [layer.name for layer, is_relu in zip(history.layers, relu, strict=True) if is_relu]
    constant = [name for name, is_same in zip(names, same, strict=True) if is_same]
    return observe(
        bool(constant),
        f"each unit of {quote_list(constant)} is zero for all samples of a batch or for none",
        "the outputs of ReLU layers vary with the sample",
    )


def predictions_are_equal(history: History) -> Observation:
    """The model gives every sample the same answer."""
    known, equal = signals.equal_predictions(history)
    if not known.any():
        return UNKNOWN
    spread = float(signals.run_column(history, "prediction_std")[known][-1])
    text = f"the predictions differ by {number(spread, 2)} (standard deviation) from sample to sample"
    return observe(equal[known][-16:].mean() > 0.9, "the predictions are the same for all samples of a batch", text)


def output_cannot_vary(history: History) -> Observation:
    """The output layer is a softmax on a single unit, which is always 1."""
    activation, units = signals.output_activation(history), signals.output_units(history)
    if not activation or units is None:
        return UNKNOWN
    text = f"the output layer has {units} unit{'' if units == 1 else 's'} and the activation {activation}"
    return observe(activation == "softmax" and units == 1, text, text)
