"""The links of the chain, and the one number of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..history import History
from ..verdict import number
from .launch_state import percent


class Number(NamedTuple):
    """A number that stands for a link.

    Attributes:
        columns: the column that gives it; a second one divides it.
        meaning: what it is.
        reduce: makes one number of those of all variables or layers.
        text: formats it.
    """

    columns: tuple[str, ...]
    meaning: str
    reduce: Callable[[Any], float] = np.max
    text: Callable[[float], str] = number


class Link(NamedTuple):
    """How a link is shown.

    Attributes:
        numbers: the first one that was recorded is its number.
        judged_by: rules and symptoms that judge this number: where one of them is suspected, it is what is wrong.
        quantities: prefixes of the quantities that show how this link does.
        nonfinite: columns that count its NaN and infinities.
    """

    title: str
    numbers: tuple[Number, ...]
    judged_by: tuple[str, ...] = ()
    quantities: tuple[str, ...] = ()
    nonfinite: tuple[str, ...] = ()


class LinkNumber(NamedTuple):
    """A link's number, ready to show.

    Attributes:
        text: the number; "" if it was not recorded.
        meaning: what it is.
        nonfinite: how many NaN and infinities the link had at the last recorded step.
    """

    text: str
    meaning: str
    nonfinite: int = 0


def total_norm(norms: Any) -> float:
    """Returns the norm of all variables together, in which no single small variable decides."""
    return float(np.sqrt(np.sum(np.square(norms))))


LINK_TABLE = {
    "data": Link(
        "Data",
        (Number(("input_max",), "largest input, last step"), Number(("target_std",), "spread of the targets")),
        ("nonfinite-input", "unscaled-input"),
        nonfinite=("input_nonfinite", "target_nonfinite"),
    ),
    "activations": Link(
        "Activations",
        (
            Number(("dead_share",), "dead units, worst layer", text=percent),
            Number(("saturated_share",), "saturated outputs, worst layer", text=percent),
            Number(("prediction_std",), "spread of the predictions"),
        ),
        ("dead-relu",),
        nonfinite=("output_nonfinite",),
    ),
    "loss": Link(
        "Loss",
        (Number(("loss",), "loss of the last batch"),),
        ("loss-has-blown-up", "loss-is-not-finite", "loss-no-better-than-constant", "nonfinite-loss", "diverging-loss",
         "flat-loss"),
    ),
    "gradient": Link(
        "Gradient",
        (Number(("gradient_norm",), "norm of the whole gradient", total_norm),),
        ("zero-gradient", "vanishing-gradient", "exploding-gradient", "nonfinite-gradient"),
        ("gradient_",),
        ("gradient_nonfinite",),
    ),
    "optimizer": Link(
        "Optimizer",
        (Number(("learning_rate",), "learning rate"),),
        ("learning-rate-zero", "learning-rate-too-small", "learning-rate-too-large"),
    ),
    "update": Link(
        "Update",
        (
            Number(("update_norm", "weight_norm"), "‖Δ‖/‖w‖ of the whole model, last step", total_norm),
            Number(("update_norm",), "norm of the update", total_norm),
        ),
        ("weights-barely-move", "update-below-precision"),
        ("update_", "changed_share", "stuck_share"),
    ),
    "weight": Link(
        "Weight",
        (
            Number(("weight_norm",), "norm of all weights", total_norm),
            Number(("weight_max",), "largest |w|"),
        ),
        ("nonfinite-weight", "nonfinite-weights", "exploding-weights", "poor-initialization"),
        ("weight_", "statistic_"),
        ("weight_nonfinite",),
    ),
}  # fmt: skip


def trainable(history: History) -> NDArray[np.bool_]:
    """Returns `[V]` which variables are trainable."""
    return np.array([v.trainable for v in history.variables], bool)


def link_number(history: History, link: Link, counted: NDArray[np.bool_], *, finite: bool = False) -> LinkNumber:
    """Returns a link's number at the last row in which it was recorded.

    Args:
        history: what was recorded.
        link: the link.
        counted: `[V]` the variables that count: those that are trainable.
        finite: looks for the last row in which it was finite, as where the loss scale skipped the last step.
    """
    count = sum(_last_count(history, name) for name in link.nonfinite)
    for shown in link.numbers:
        value = _last_value(history, shown, counted, finite)
        if value is not None:
            return LinkNumber(shown.text(value), _meaning(shown, counted), count or int(not np.isfinite(value)))
    return LinkNumber("", "", count)


def _known(history: History, columns: tuple[str, ...], counted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Returns `[T, N]` where all these columns were recorded of what counts."""
    known = np.logical_and.reduce([history.known(name).reshape(len(history), -1) for name in columns])
    if history.axis(columns[0]) == "variable":
        known = known & counted
    return np.asarray(known)


def _last_value(history: History, shown: Number, counted: NDArray[np.bool_], finite: bool) -> float | None:
    if not len(history) or not history.has(*shown.columns):
        return None
    known = _known(history, shown.columns, counted)
    columns = [np.asarray(history.column(n), np.float64).reshape(known.shape) for n in shown.columns]
    if finite:
        known = known & np.logical_and.reduce([(np.isfinite(c) | ~known).all(axis=1) for c in columns])[:, None]
    rows = np.flatnonzero(known.any(axis=1))
    if not len(rows):
        return None
    numbers = [_reduced(column[rows[-1], known[rows[-1]]], shown) for column in columns]
    with np.errstate(all="ignore"):
        return float(np.divide(numbers[0], numbers[1]) if len(numbers) > 1 else numbers[0])


def _reduced(values: Any, shown: Number) -> float:
    """Returns one number of several; the first one that is not finite wins."""
    nonfinite = values[~np.isfinite(values)]
    return float(nonfinite[0] if len(nonfinite) else shown.reduce(values))


def _last_count(history: History, name: str) -> int:
    """Returns the sum of a count at the last row in which it was recorded; 0 if it never was."""
    if not len(history) or not history.has(name):
        return 0
    known = history.known(name).reshape(len(history), -1)
    row = np.flatnonzero(known.any(axis=1))[-1]
    counts = np.asarray(history.column(name), np.float64).reshape(known.shape)[row, known[row]]
    return int(min(np.nansum(np.where(np.isfinite(counts), counts, 1)), 1e18))


def _meaning(shown: Number, counted: NDArray[np.bool_]) -> str:
    """Returns what a number is; where some weights are frozen, it is that of the others."""
    count = int(counted.sum())
    if "of the whole model" not in shown.meaning or count == len(counted):
        return shown.meaning
    return shown.meaning.replace("the whole model", f"{count:,} trainable variable{'' if count == 1 else 's'}")
