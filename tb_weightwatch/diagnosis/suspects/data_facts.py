"""Facts about the data: the scale of inputs and targets, whether they vary, the size of the batches."""

from __future__ import annotations

import numpy as np

from ...history import History
from .. import signals
from ..wording import number
from .observation import UNKNOWN, Observation, observe


def inputs_are_large(history: History) -> Observation:
    """The inputs are far from 1, and the model does not normalize them."""
    largest = float(np.nanmedian(signals.run_column(history, "input_max")))
    if not np.isfinite(largest):
        return UNKNOWN
    text = f"the largest input of a batch is {number(largest)}"
    return observe(largest > 20 and not signals.normalizes_inputs(history), text, text)


def data_are_not_finite(history: History) -> Observation:
    """Inputs or targets contain NaN or infinity."""
    counts = [signals.run_column(history, f"{kind}_nonfinite") for kind in ("input", "target")]
    known = [count[np.isfinite(count)] for count in counts if np.isfinite(count).any()]
    if not known:
        return UNKNOWN
    most = float(max(count.max() for count in known))
    return observe(most > 0, f"a batch holds {number(most)} numbers that are NaN or infinite", "the data are finite")


def inputs_do_not_vary(history: History) -> Observation:
    """Every input feature is the same for all samples of a batch."""
    constant = signals.run_column(history, "input_constant_share")
    constant = constant[np.isfinite(constant)]
    if not len(constant):
        return UNKNOWN
    share = float(np.median(constant))
    text = f"{number(100 * share)} % of the input features do not vary within a batch"
    return observe(share == 1, text, text)


def targets_do_not_vary(history: History) -> Observation:
    """All targets are equal."""
    low, high = signals.run_column(history, "target_low"), signals.run_column(history, "target_high")
    if not np.isfinite(low).any():
        return UNKNOWN
    smallest, largest = float(np.nanmin(low)), float(np.nanmax(high))
    return observe(
        smallest == largest,
        f"all targets are {number(smallest)}",
        f"the targets lie between {number(smallest)} and {number(largest)}",
    )


def targets_are_large(history: History) -> Observation:
    """The targets of a regression are far from 1."""
    mean, spread = (signals.run_column(history, f"target_{name}") for name in ("mean", "std"))
    if not np.isfinite(mean).any():
        return UNKNOWN
    size = float(np.hypot(np.nanmean(mean), np.nanmean(spread)))
    regression = "entropy" not in signals.loss_name(history) and "categorical" not in signals.loss_name(history)
    text = f"the targets have a size of about {number(size, 2)}"
    return observe(regression and size > 20, text, text)


def class_ids_are_no_integers(history: History) -> Observation:
    """Targets of a classification are fractions."""
    share = signals.run_column(history, "target_fraction_share")
    if not np.isfinite(share).any():
        return UNKNOWN
    is_sparse = "sparse" in signals.loss_name(history)
    mean = float(np.nanmean(share))
    text = f"{number(100 * mean)} % of the targets are not whole numbers"
    return observe(is_sparse and mean > 0.5, text, text)


def batch_has_one_sample(history: History) -> Observation:
    """Each batch holds a single sample."""
    size = signals.run_column(history, "batch_size")
    if not np.isfinite(size).any():
        return UNKNOWN
    usual = float(np.nanmedian(size))
    return observe(usual == 1, "each batch holds a single sample", f"a batch holds {number(usual)} samples")


def batches_hold_one_class(history: History) -> Observation:
    """Most batches hold a single class, not always the same."""
    spread, mean = signals.run_column(history, "target_std"), signals.run_column(history, "target_mean")
    known = np.isfinite(spread) & (signals.run_column(history, "batch_size") >= 4)
    if not known.any():
        return UNKNOWN
    single = float((spread[known] == 0).mean())
    several = float(np.ptp(mean[known])) > 0
    text = f"{number(100 * single)} % of the batches hold a single class"
    return observe(single > 0.6 and several, text, text)
