"""The links of the chain, and the one number of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..history import History
from ..verdict import number
from .launch_state import percent


class Link(NamedTuple):
    """How a link is shown.

    Attributes:
        columns: the column that gives its number; a second one divides it.
        meaning: what the number is.
        reduce: makes one number of those of all variables or layers.
        text: formats the number.
        quantities: prefixes of the quantities that show how this link does.
    """

    title: str
    symbol: str
    columns: tuple[str, ...]
    meaning: str
    reduce: Callable[[Any], float]
    text: Callable[[float], str] = number
    quantities: tuple[str, ...] = ()


def _total_norm(norms: Any) -> float:
    """Returns the norm of all variables together, in which no single small variable decides."""
    return float(np.sqrt(np.sum(np.square(norms))))


LINK_TABLE = {
    "data": Link("Data", "", ("input_max",), "largest input, last step", np.max),
    "activations": Link("Activations", "", ("dead_share",), "dead units, worst layer", np.max, percent),
    "loss": Link("Loss", "", ("loss",), "loss of the last batch", np.max),
    "gradient": Link("Gradient", "gradient", ("gradient_norm",), "norm of the whole gradient", _total_norm,
                     quantities=("gradient_",)),
    "optimizer": Link("Optimizer", "lr", ("learning_rate",), "learning rate", np.max),
    "update": Link("Update", "lr · gradient", ("update_norm", "weight_norm"), "‖Δ‖/‖w‖ of the whole model",
                   _total_norm, quantities=("update_", "changed_share", "stuck_share")),
    "weight": Link("Weight", "w", ("weight_norm",), "norm of all weights", _total_norm,
                   quantities=("weight_", "statistic_")),
}  # fmt: skip


def last_number(history: History, link: Link) -> str:
    """Returns the number of the last row in which it was recorded, or ""; frozen variables do not count."""
    if not len(history) or not history.has(*link.columns):
        return ""
    known = np.logical_and.reduce([history.known(name).reshape(len(history), -1) for name in link.columns])
    if known.shape[1] == len(history.variables) > 0:
        known = known & np.array([v.trainable for v in history.variables])
    rows = np.flatnonzero(known.any(axis=1))
    if not len(rows):
        return ""
    numbers = [
        _reduced(np.asarray(history.column(name), np.float64).reshape(known.shape)[rows[-1], known[rows[-1]]], link)
        for name in link.columns
    ]
    with np.errstate(all="ignore"):
        return link.text(float(np.divide(numbers[0], numbers[1]) if len(numbers) > 1 else numbers[0]))


def _reduced(values: Any, link: Link) -> float:
    """Returns one number of several; the first one that is not finite wins."""
    nonfinite = values[~np.isfinite(values)]
    return float(nonfinite[0] if len(nonfinite) else link.reduce(values))
