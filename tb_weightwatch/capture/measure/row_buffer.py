"""Buffers the measured rows of steps; numbers on a device are copied to the host only when the buffer is drained."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ...history import Column, Rows
from ...statistics import names
from .step_measurer import MeasuredBlock

MAX_ROWS = 8
OLDEST = 1.0  # seconds that a row stays in the buffer at most while further ones come: steps may take long
_SPREADS = ("input_scale_ratio", "input_constant_share", "prediction_std")  # unknown (NaN) for a single sample
VARIABLE, LAYER, RUN = names("variable"), names("layer"), names("run")


class RowLayout(NamedTuple):
    """The order of a flat row: values, then whether each is known, `[V * S + L * A + G]` each.

    Attributes:
        variables: names on the V axis.
        layers: names on the L axis.
    """

    variables: tuple[str, ...]
    layers: tuple[str, ...]

    def rows(self, flat: NDArray[np.float64], steps: list[int], times: list[float]) -> Rows:
        """Returns flat rows `[n, 2N]` as `Rows`; columns that are known in no row are left out."""
        half = flat.shape[1] // 2
        values, known = flat[:, :half], flat[:, half:] > 0
        rows = Rows(np.array(steps, np.int64), np.array(times, np.float64))
        start = 0
        for columns, count, quantities in (
            (rows.variable, len(self.variables), VARIABLE),
            (rows.layer, len(self.layers), LAYER),
        ):
            end = start + count * len(quantities)
            shape = (len(flat), count, len(quantities))
            axis_values, axis_known = values[:, start:end].reshape(shape), known[:, start:end].reshape(shape)
            for i, name in enumerate(quantities):
                if axis_known[:, :, i].any():
                    columns[name] = Column(axis_values[:, :, i], axis_known[:, :, i])
            start = end
        for i, name in enumerate(RUN):
            if known[:, start + i].any():
                rows.run[name] = Column(values[:, start + i], known[:, start + i])
        return rows


class BufferedRow(NamedTuple):
    """The numbers of one step, some of which may still be on a device.

    Attributes:
        step: training step.
        time: when it was measured.
        layout: order of the numbers.
        values: the numbers, `[N]`; NaN in place of those on a device.
        known: which of them are known, `[N]`.
        device_positions: positions in `values` of the numbers on a device.
        device_values: those numbers in one tensor, or None.
    """

    step: int
    time: float
    layout: RowLayout
    values: NDArray[np.float64]
    known: NDArray[np.bool_]
    device_positions: NDArray[np.intp]
    device_values: Any

    def flat(self) -> NDArray[np.float64]:
        """Returns values and known, `[2N]`; reads the device."""
        if self.device_values is not None:
            self.values[self.device_positions] = self.device_values.numpy()
        return np.concatenate([self.values, self.known])


def _row(step: int, layout: RowLayout, blocks: list[MeasuredBlock]) -> BufferedRow:
    """Joins the blocks of a step to one row; those on a device are joined on the device."""
    known = np.concatenate([block.known for block in blocks])
    values, start = np.full(len(known), np.nan), 0
    positions: list[NDArray[np.intp]] = [np.zeros(0, np.intp)]
    device_values = []
    for block in blocks:
        end = start + len(block.known)
        if isinstance(block.values, np.ndarray):
            values[start:end] = block.values
        else:
            positions.append(np.arange(start, end))
            device_values.append(block.values)
        start = end
    on_device = tf.concat(device_values, 0) if device_values else None
    return BufferedRow(step, time.time(), layout, values, known, np.concatenate(positions), on_device)


class RowBuffer:
    """Keeps rows until they are drained as `Rows`."""

    def __init__(self) -> None:
        self._rows: list[BufferedRow] = []

    @property
    def full(self) -> bool:
        """Whether the rows should be drained now: there are many, or the first one is old."""
        rows = self._rows
        return len(rows) >= MAX_ROWS or (len(rows) > 1 and time.time() - rows[0].time >= OLDEST)

    def add(self, step: int, layout: RowLayout, blocks: list[MeasuredBlock]) -> None:
        """Adds the row of one step, given as consecutive blocks."""
        self._rows.append(_row(step, layout, blocks))

    def drain(self) -> list[Rows]:
        """Removes the rows and returns them, those with the same layout together; only here the host waits."""
        buffered, self._rows = self._rows, []
        drained: list[Rows] = []
        while buffered:
            layout = buffered[0].layout
            count = next((i for i, row in enumerate(buffered) if row.layout != layout), len(buffered))
            alike, buffered = buffered[:count], buffered[count:]
            flat = np.stack([row.flat() for row in alike])
            rows = layout.rows(flat, [row.step for row in alike], [row.time for row in alike])
            for name in _SPREADS:
                if name in rows.run:
                    column = rows.run[name]
                    column.known[np.isnan(column.values)] = False
            drained.append(rows)
        return drained
