"""Facts about the gradients: whether there are any, their size, their direction, where they are lost."""

from __future__ import annotations

import numpy as np

from ...history import History
from .. import signals
from ..wording import factor, number, plural, variable_names
from .observation import ROWS, UNKNOWN, Observation, observe, recent_rows


def gradients_are_nonzero(history: History) -> Observation:
    """Some gradient is not zero in most of the last recorded steps."""
    nonzero = signals.any_nonzero_gradient(history)
    if nonzero is None:
        return UNKNOWN
    last = nonzero[-64:]
    rows = plural(len(last), "recorded step")
    return observe(
        last.mean() > 0.5,
        f"gradients are non-zero in {int(last.sum())} of the last {rows}",
        f"all gradients are zero or missing in {int((~last).sum())} of the last {rows}",
    )


def gradients_are_none(history: History) -> Observation:
    """Backpropagation gives None for most trainable elements."""
    none = signals.column(recent_rows(history), "gradient_none")
    if none is None:
        return UNKNOWN
    without = (none[-1] == 1) & signals.trainable(history)
    share = signals.share_of_elements(history, without, signals.trainable(history))
    names = variable_names(history, np.flatnonzero(without))
    return observe(
        share > 0.5, f"backpropagation gives no gradient (None) for {names}", "no gradient is missing (None)"
    )


def gradient_is_small_for_its_weight(history: History) -> Observation:
    """The first gradients are tiny against their weights."""
    pull = signals.kernel_profile(history).pull
    if not pull.size or not np.isfinite(pull[-1]).any():
        return UNKNOWN
    largest = float(np.nanmax(pull[-1]))
    text = f"the first recorded gradient of a kernel was at most {factor(largest, 2)} times its weight"
    return observe(largest < 1e-3, text, text)


def gradient_falls_towards_the_input(history: History) -> Observation:
    """Gradients become far smaller from the output to the input."""
    pull = signals.kernel_profile(history).pull
    if not pull.size or pull.shape[1] < 3:
        return Observation(False, "the model has fewer than three kernels") if pull.size else UNKNOWN
    first, last = float(pull[-1, 0]), float(pull[-1, -1])
    if not (np.isfinite(first) and np.isfinite(last) and last > 0):
        return UNKNOWN
    ratio = number(first / last, 2)
    text = f"relative to the weights, the first gradient at the input is {ratio} times that at the output"
    return observe(first < 1e-2 * last, text, text)


def gradient_grows_towards_the_input(history: History) -> Observation:
    """Gradients become far larger from the output to the input, or within the run."""
    norms = [_largest_norms(rows) for rows in (signals.RowSpan(history, 0, min(8, len(history))), recent_rows(history))]
    if not all(len(norm) for norm in norms):
        return UNKNOWN
    first, largest = float(norms[0][0]), float(max(norm.max() for norm in norms))
    text = f"the largest gradient norm was {number(first, 2)} at first and {number(largest, 2)} at most"
    return observe(largest > 100 * max(first, 1e-12) or first > 1e3, text, text)


def _largest_norms(rows: History) -> signals.Float:
    """Returns the finite ones of the largest gradient norms of all variables, row by row."""
    gradient = signals.column(rows, "gradient_norm")
    if gradient is None:
        return np.zeros(0)
    norm = np.fmax.reduce(np.where(signals.trainable(rows), gradient, np.nan), axis=1, initial=np.nan)
    return np.asarray(norm[np.isfinite(norm)])


def gradients_are_lost_first(history: History) -> Observation:
    """Gradients are NaN or infinite while the loss of the same step is finite."""
    nonfinite = signals.any_positive(history, "gradient_nonfinite")
    if not history.has("gradient_nonfinite", "loss"):
        return UNKNOWN
    first = int(np.argmax(nonfinite)) if nonfinite.any() else -1
    lost = first >= 0 and bool(np.isfinite(history.loss[first]))
    return observe(
        lost,
        f"a gradient was NaN or infinite at step {int(history.steps[first]):,}, while the loss of that step was finite",
        "no recorded gradient was NaN or infinite while the loss of its step was finite",
    )


def gradients_have_one_norm(history: History) -> Observation:
    """All gradients together have the same norm in every step, as after clipping by hand."""
    norm = signals.global_norm(history, "gradient_norm")[-ROWS:]
    norm = norm[norm > 0]
    if len(norm) < 10:
        return UNKNOWN
    variation = float(np.std(norm) / np.mean(norm))
    text = f"the norm of all gradients together varies by {number(100 * variation, 2)} % (standard deviation)"
    return observe(variation < 0.01, text, text)


def gradients_keep_their_direction(history: History) -> Observation:
    """Successive gradients point the same way: there is something to learn, and it is not approached."""
    cosine = _cosine(history)
    if not np.isfinite(cosine):
        return UNKNOWN
    text = _direction(cosine)
    return observe(cosine > 0.3, text, text)


def gradients_reverse(history: History) -> Observation:
    """Successive gradients point against each other."""
    cosine = _cosine(history)
    if not np.isfinite(cosine):
        return UNKNOWN
    text = _direction(cosine)
    return observe(cosine < -0.2, text, text)


def _direction(cosine: float) -> str:
    same = "1: the same direction, -1: the opposite one"
    return f"the cosine between the gradients of successive steps is {number(cosine, 2)} on average ({same})"


def _cosine(history: History) -> float:
    cosine = signals.column(recent_rows(history), "gradient_cosine")
    if cosine is None:
        return float("nan")
    kernels = cosine[-len(history) // 2 :, signals.trainable_kernels(history)]
    return float(np.nanmean(kernels)) if np.isfinite(kernels).any() else float("nan")
