"""The state that an incremental signal carries from one span of rows to the next."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .scans import Bool, Float, counted, ever


class Carry:
    """Scans along the first axis (rows) that continue where the previous span ended.

    Each call of a method is one scan, identified by its position in the order of calls; a signal must therefore call
    the same methods in the same order for every span. All sums are sequential, so the result does not depend on where
    spans end, to the bit.

    Attributes:
        start: number of rows before the current span.
    """

    def __init__(self) -> None:
        self.start = 0
        self._states: list[Any] = []
        self._scan = 0  # position of the next scan

    def begin(self, start: int) -> None:
        """Begins the span that starts at row `start`."""
        self.start, self._scan = start, 0

    @property
    def is_settled(self) -> bool:
        """Whether each scan's state is finite, so that `first_known` gives the same in all later rows."""
        return bool(self._states) and all(state is not None and np.isfinite(state).all() for state in self._states)

    def _previous(self) -> Any:
        """Returns the state of the current scan after the previous span; None in the first span."""
        if self._scan == len(self._states):
            self._states.append(None)
        return self._states[self._scan]

    def _store(self, state: Any) -> None:
        """Stores the state of the current scan and advances to the next scan."""
        self._states[self._scan] = state
        self._scan += 1

    def _store_last(self, result: NDArray[Any], previous: Any) -> None:
        """Stores the last row of the result as the state; an empty span leaves the state unchanged."""
        self._store(result[-1].copy() if len(result) else previous)

    def ever(self, mask: Bool) -> Bool:
        """Returns, per row, whether `mask` held at that row or at any row before it."""
        previous = self._previous()
        result = ever(mask)
        if previous is not None:
            result |= previous
        self._store_last(result, previous)
        return result

    def streak(self, mask: Bool, unknown: Bool | None = None) -> NDArray[np.int32]:
        """Returns, per row, for how many rows up to it `mask` has held without a break; skips unknown rows."""
        previous = self._previous()
        count = counted(mask, np.int32)
        if previous is not None:
            count += previous
        # A break resets the count: the count at the latest break is subtracted.
        unbroken = mask if unknown is None else mask | unknown
        result: NDArray[np.int32] = count
        if not unbroken.any():
            result = np.zeros_like(count)
        elif not unbroken.all():
            result = count - np.maximum.accumulate(np.where(unbroken, np.int32(0), count), axis=0)
        self._store_last(result, previous)
        return result

    def total(self, values: Float) -> Float:
        """Returns, per row, the sum over all rows up to it (a count if `values` is a mask)."""
        previous = self._previous()
        result: Float
        if values.dtype == bool:
            result = counted(values, np.int64)
            if previous is not None:
                result += previous
        else:
            result = np.array(values, np.int64 if values.dtype.kind == "i" else np.float64)
            if previous is not None and len(result):
                result[0] += previous
            np.cumsum(result, axis=0, out=result)
        self._store_last(result, previous)
        return result

    def running_mean(self, values: Float) -> Float:
        """Returns, per row, the mean of the finite values up to it; NaN before the first one."""
        finite = np.isfinite(values)
        total = self.total(values if finite.all() else np.where(finite, values, 0.0))
        count = self.total(finite)
        if np.all(count[:1] > 0):  # as in most recordings
            return np.asarray(total / count)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(count > 0, total / count, np.nan)

    def trailing_mean(self, values: Float, window: int) -> Float:
        """Returns, per row, the mean of the finite values in the last `window` rows; NaN if there is none."""
        finite = np.isfinite(values)
        total, count = (self._window_sum(summands, window) for summands in (np.where(finite, values, 0.0), finite))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(count > 0, total / count, np.nan)

    def _window_sum(self, values: Float, window: int) -> Float:
        total = self.total(values)
        extended = self.window(total, window)
        result = total.copy()
        full = max(0, window - self.start)  # first row of the span at which the window is full
        offset = len(extended) - len(total) - window
        if full < len(total):
            result[full:] -= extended[offset + full : offset + len(total)]
        return result

    def first_known(self, values: Float) -> Float:
        """Returns, per row, the first finite value up to it; NaN before there is one."""
        previous = self._previous()
        if not len(values):
            self._store(previous)
            return values
        finite = np.isfinite(values)
        if previous is not None and np.isfinite(previous).all():
            result = np.broadcast_to(previous, values.shape).copy()
        else:
            first = np.take_along_axis(values, np.argmax(finite, axis=0)[None], axis=0)
            result = np.where(ever(finite), first, np.nan)
            if previous is not None:
                result = np.where(np.isfinite(previous), previous, result)
        self._store_last(result, previous)
        return result

    def running_max(self, values: Float) -> Float:
        """Returns, per row, the largest number up to it, ignoring NaN."""
        previous = self._previous()
        result: Float = np.fmax.accumulate(values, axis=0)
        if previous is not None:
            result = np.fmax(result, previous)
        self._store_last(result, previous)
        return result

    def window(self, values: NDArray[Any], rows: int) -> NDArray[Any]:
        """Returns the last `rows` rows before this span (fewer at the beginning), followed by those of the span."""
        previous = self._previous()
        extended = values if previous is None else np.concatenate([previous, values])
        self._store(extended[max(0, len(extended) - rows) :].copy())
        return extended
