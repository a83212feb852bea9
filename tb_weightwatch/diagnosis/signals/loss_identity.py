"""Identifies the loss that a training computes by its value: compares it with usual losses of the same batch."""

from __future__ import annotations

import numpy as np

from ...history import History
from .columns import run_column
from .scans import Bool, Float, ever, running_mean

_EQUAL = 2e-4  # relative difference allowed between a float32 loss and a float64 one
_DISTINCT = 2e-3  # relative difference between two candidates from which the loss can distinguish them
_CLIPPED = 0.4  # a probability that is clipped at 1e-7 adds 16 / 32 to the mean of a batch of 32
SQUARED, ENTROPIES = ("squared_error",), ("cross_entropy", "logit_cross_entropy")
CANDIDATES = (*ENTROPIES, *SQUARED, "absolute_error")  # prediction by prediction


def pair_candidate(history: History) -> tuple[str, Bool]:
    """Returns the candidate of which the loss is the mean over all pairs, and `[T]` whether it is; "" for none."""
    for name in CANDIDATES:
        if history.has(f"pair_{name}", name, "loss"):
            equal = loss_equals(history, f"pair_{name}", name)
            if equal.any():
                return name, equal
    return "", np.zeros(len(history), bool)


def maximized_candidate(history: History, least: int = 5) -> tuple[str, Bool]:
    """Returns the candidate whose negative the loss is while it grows, and `[T]` whether that is so; "" for none.

    Args:
        history: what was recorded.
        least: number of batches at the beginning of which all that are comparable must agree.
    """
    loss = run_column(history, "loss")
    for name in CANDIDATES:
        candidate = run_column(history, name)
        comparable = np.isfinite(loss) & np.isfinite(candidate) & (np.abs(candidate) > 1e-6)
        equal = comparable & (np.abs(loss + candidate) <= _EQUAL * np.abs(candidate))
        first = candidate[np.argmax(comparable)] if comparable.any() else np.nan
        grows = np.fmax.accumulate(np.where(comparable, candidate, -np.inf)) > 1.2 * first
        # Later batches may differ: an error that grows for ever is clipped in the end.
        identified = ever((np.cumsum(equal) >= least) & (np.cumsum(comparable & ~equal) == 0))
        holds = identified & grows
        if holds.any():
            return name, np.asarray(holds)
    return "", np.zeros(len(history), bool)


def loss_equals(history: History, reading: str, other: str, least: int = 3) -> Bool:
    """Returns `[T]` whether the loss so far equals the candidate `reading` and not the candidate `other`.

    Args:
        history: what was recorded.
        reading: column of the candidate that the loss may be.
        other: column of the candidate that the loss should be.
        least: number of batches that must distinguish the two (one, if the loss became NaN or infinite); all batches
            that distinguish them must agree.
    """
    loss, candidate, alternative = (run_column(history, name) for name in ("loss", reading, other))
    size = np.maximum(np.abs(candidate), 1e-6)
    distinct = np.abs(candidate - alternative) > _DISTINCT * size
    comparable = np.isfinite(loss) & np.isfinite(candidate) & distinct
    equal = comparable & (np.abs(loss - candidate) <= _EQUAL * size)
    # After the loss became NaN no later batch can distinguish them.
    lost = ever(history.known("loss") & ~np.isfinite(loss))
    enough = (np.cumsum(equal) >= least) | (np.cumsum(equal) >= 1) & lost
    return enough & (np.cumsum(comparable & ~equal) == 0)


def loss_below(history: History, readings: tuple[str, ...]) -> Bool:
    """Returns `[T]` whether the loss was ever below each of these candidates.

    A loss above a candidate proves nothing: regularisation adds to it, and predictions may not be clipped.
    """
    smallest = np.fmin.reduce([run_column(history, reading) for reading in readings])
    return ever(run_column(history, "loss") < 0.99 * smallest - 1e-5)


def agreement(history: History, *, squared: bool) -> Float:
    """Returns `[T]` the share of batches so far whose loss is that of a candidate, up to a tenth; NaN if none is known.

    Penalties may make up a tenth of a loss. One that is far from the candidates is weighted, or measures other things.

    Args:
        history: what was recorded.
        squared: whether the loss should be a squared error, else a cross-entropy.
    """
    loss = run_column(history, "loss")
    known, equal = np.zeros(len(history), bool), np.zeros(len(history), bool)
    for name in SQUARED if squared else ENTROPIES:
        candidate = run_column(history, name)
        # Keras computes the loss of a softmax from its logits; that of the probabilities, which are clipped, is lower.
        clipped = (candidate > _CLIPPED) & (loss > candidate) & (not squared)
        known |= np.isfinite(candidate) & np.isfinite(loss) & ~clipped
        equal |= np.abs(loss - candidate) <= 0.1 * np.abs(candidate) + 1e-5
    return running_mean(np.where(known, equal, np.nan))


def loss_matches(history: History, readings: tuple[str, ...]) -> Bool:
    """Returns `[T]` whether the loss has equalled one of these candidates in every row so far where one is known."""
    loss = run_column(history, "loss")
    comparable, equal = np.zeros(len(history), bool), np.zeros(len(history), bool)
    for reading in readings:
        candidate = run_column(history, reading)
        both_known = np.isfinite(candidate) & np.isfinite(loss)
        comparable |= both_known
        equal |= both_known & (np.abs(loss - candidate) <= 0.01 * np.abs(candidate) + 1e-5)
    return ever(equal) & ~ever(comparable & ~equal)
