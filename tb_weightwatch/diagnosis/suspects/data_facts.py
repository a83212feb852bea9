"""Facts about the data: the scale of inputs and targets, whether they vary, the size of the batches."""

from __future__ import annotations

import numpy as np

from ...history import History
from .. import signals
from ..wording import number, plural
from .observation import UNKNOWN, Observation, known_values, observe


def inputs_are_large(history: History) -> Observation:
    """The inputs are far from 1, and the model does not normalize them."""
    sizes = known_values(history, "input_max")
    if not len(sizes):
        return UNKNOWN
    largest = float(np.median(sizes))
    text = f"the largest input of a batch is {number(largest)} (median of the recorded batches)"
    return observe(largest > 20 and not signals.normalizes_inputs(history), text, text)


def data_are_not_finite(history: History) -> Observation:
    """Inputs or targets contain NaN or infinity."""
    counts = np.concatenate([known_values(history, f"{kind}_nonfinite") for kind in ("input", "target")])
    if not len(counts):
        return UNKNOWN
    most = float(counts.max())
    return observe(
        most > 0,
        f"a batch holds {number(most)} numbers that are NaN or infinite",
        "no recorded batch holds a number that is NaN or infinite",
    )


def inputs_do_not_vary(history: History) -> Observation:
    """Every input feature is the same for all samples of a batch."""
    constant = known_values(history, "input_constant_share")
    if not len(constant):
        return UNKNOWN
    share = float(np.median(constant))
    text = f"{number(100 * share)} % of the input features do not vary within the median batch"
    return observe(share == 1, text, text)


def targets_do_not_vary(history: History) -> Observation:
    """All targets are equal."""
    low, high = known_values(history, "target_low"), known_values(history, "target_high")
    if not len(low) or not len(high):
        return UNKNOWN
    smallest, largest = float(low.min()), float(high.max())
    return observe(
        smallest == largest,
        f"all recorded targets are {number(smallest)}",
        f"the recorded targets lie between {number(smallest)} and {number(largest)}",
    )


def targets_are_large(history: History) -> Observation:
    """The targets of a regression are far from 1."""
    mean, spread = known_values(history, "target_mean"), known_values(history, "target_std")
    if not len(mean) or not len(spread):
        return UNKNOWN
    size = float(np.hypot(np.mean(mean), np.mean(spread)))
    regression = "entropy" not in signals.loss_name(history) and "categorical" not in signals.loss_name(history)
    text = f"the targets have a size of about {number(size, 2)}"
    return observe(regression and size > 20, text, text)


def class_ids_are_no_integers(history: History) -> Observation:
    """Targets of a classification are fractions."""
    share = known_values(history, "target_fraction_share")
    if not len(share):
        return UNKNOWN
    is_sparse = "sparse" in signals.loss_name(history)
    mean = float(np.mean(share))
    text = f"{number(100 * mean)} % of the targets are not whole numbers"
    return observe(is_sparse and mean > 0.5, text, text)


def batch_has_one_sample(history: History) -> Observation:
    """Each batch holds a single sample."""
    sizes = known_values(history, "batch_size")
    if not len(sizes):
        return UNKNOWN
    usual = float(np.median(sizes))
    text = f"the median batch holds {plural(usual, 'sample')}"
    return observe(usual == 1, text, text)


def batches_hold_one_class(history: History) -> Observation:
    """Most batches hold a single class, not always the same."""
    spread, mean = signals.run_column(history, "target_std"), signals.run_column(history, "target_mean")
    known = np.isfinite(spread) & (signals.run_column(history, "batch_size") >= 4)
    if not known.any():
        return UNKNOWN
    single = float((spread[known] == 0).mean())
    several = float(np.ptp(mean[known])) > 0
    text = f"{number(100 * single)} % of the recorded batches hold a single class"
    return observe(single > 0.6 and several, text, text)


def targets_leave_the_range_of_probabilities(history: History) -> Observation:
    """The targets of a single output are whole numbers, and some are outside 0 to 1."""
    low, high = known_values(history, "target_low"), known_values(history, "target_high")
    fractions = known_values(history, "target_fraction_share")
    if not len(low) or not len(high):
        return UNKNOWN
    ids = not (fractions > 0).any() and signals.predicted_units(history) == 1
    text = f"the recorded targets lie between {number(float(low.min()))} and {number(float(high.max()))}"
    return observe(ids and (low.min() < 0 or high.max() > 1), text, text)
