"""What a causal signal carries over from one stretch of rows to the next."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .scans import Bool, Float


class Carry:
    """Scans along the first axis (rows) that go on where the stretch before ended.

    Each call of a method stands for one scan, told apart by its place in the order of calls; so a signal calls the
    same ones in the same order for every stretch. All sums are sequential, so that where stretches end changes no bit.
    """

    def __init__(self) -> None:
        self.start = 0  # rows before this stretch
        self._kept: list[Any] = []
        self._at = 0

    def begin(self, start: int) -> None:
        """Begins the stretch that starts at row `start`."""
        self.start, self._at = start, 0

    def _carried(self) -> Any:
        if self._at == len(self._kept):
            self._kept.append(None)
        return self._kept[self._at]

    def _keep(self, state: Any) -> None:
        self._kept[self._at] = state
        self._at += 1

    def ever(self, mask: Bool) -> Bool:
        """Returns, per row, whether `mask` held at that row or any before it."""
        before = self._carried()
        found = np.logical_or.accumulate(mask, axis=0)
        if before is not None:
            found |= before
        self._keep(found[-1].copy() if len(found) else before)
        return found

    def streak(self, mask: Bool, unknown: Bool | None = None) -> NDArray[np.int32]:
        """Returns, per row, for how many rows up to it `mask` has held without a break; unknown rows are left out."""
        before = self._carried()
        count = np.cumsum(mask, axis=0, dtype=np.int32)
        if before is not None:
            count += before
        # Where it breaks, what was counted so far no longer counts.
        goes_on = mask if unknown is None else mask | unknown
        found = count - np.maximum.accumulate(np.where(goes_on, np.int32(0), count), axis=0)
        self._keep(found[-1].copy() if len(found) else before)
        return np.asarray(found)

    def total(self, values: Float) -> Float:
        """Returns, per row, the sum over all rows up to it (counts for masks)."""
        before = self._carried()
        found = np.array(values, np.int64 if values.dtype.kind in "bi" else np.float64)
        if before is not None and len(found):
            found[0] += before
        np.cumsum(found, axis=0, out=found)
        self._keep(found[-1].copy() if len(found) else before)
        return found

    def running_mean(self, values: Float) -> Float:
        """Returns, per row, the mean over all rows up to it, leaving out what is not finite."""
        finite = np.isfinite(values)
        total, count = self.total(np.where(finite, values, 0.0)), self.total(finite)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.where(count > 0, total / count, np.nan))

    def trailing_mean(self, values: Float, window: int) -> Float:
        """Returns, per row, the mean over the last `window` rows up to it, leaving out what is not finite."""
        finite = np.isfinite(values)
        sums = []
        for total in (self.total(np.where(finite, values, 0.0)), self.total(finite)):
            longer = self.window(total, window)
            found = total.copy()
            late = max(0, window - self.start)  # from this row of the stretch on the window is full
            first = len(longer) - len(total) - window
            if late < len(total):
                found[late:] -= longer[first + late : first + len(total)]
            sums.append(found)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.where(sums[1] > 0, sums[0] / sums[1], np.nan))

    def first_known(self, values: Float) -> Float:
        """Returns, per row, the first finite value up to it, NaN before there is one."""
        before = self._carried()
        if not len(values):
            self._keep(before)
            return values
        finite = np.isfinite(values)
        if before is not None and np.isfinite(before).all():
            found = np.broadcast_to(before, values.shape).copy()
        else:
            first = np.take_along_axis(values, np.argmax(finite, axis=0)[None], axis=0)
            found = np.where(np.logical_or.accumulate(finite, axis=0), first, np.nan)
            if before is not None:
                found = np.where(np.isfinite(before), before, found)
        self._keep(found[-1].copy())
        return np.asarray(found)

    def running_max(self, values: Float) -> Float:
        """Returns, per row, the largest number up to it, leaving out NaN."""
        before = self._carried()
        found = np.fmax.accumulate(values, axis=0)
        if before is not None:
            found = np.fmax(found, before)
        self._keep(found[-1].copy() if len(found) else before)
        return np.asarray(found)

    def window(self, values: NDArray[Any], rows: int) -> NDArray[Any]:
        """Returns the last `rows` rows before this stretch (fewer at the beginning) and then those of the stretch."""
        before = self._carried()
        found = values if before is None else np.concatenate([before, values])
        self._keep(found[max(0, len(found) - rows) :].copy())
        return found
