"""Rows of steps that are over, until the host reads them: what is on a device stays there, so that nobody waits."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ...history import Column, Rows
from ...statistics import names
from .step_measurer import MeasuredBlock

HELD = 8  # rows at most
_SPREADS = ("input_scale_ratio", "input_constant_share", "prediction_std")  # not known of a single sample
VARIABLE, LAYER, RUN = names("variable"), names("layer"), names("run")


class RowLayout(NamedTuple):
    """A row is values, then whether each is known: `[V * S + L * A + G]` twice, in the order of these names."""

    variables: tuple[str, ...]
    layers: tuple[str, ...]

    def rows(self, flat: NDArray[np.float64], steps: list[int], times: list[float]) -> Rows:
        """Returns flat rows `[n, 2N]` as `Rows`; columns that no row knows are left out."""
        half = flat.shape[1] // 2
        values, known = flat[:, :half], flat[:, half:] > 0
        block = Rows(np.array(steps, np.int64), np.array(times, np.float64))
        at = 0
        for target, count, quantities in (
            (block.variable, len(self.variables), VARIABLE),
            (block.layer, len(self.layers), LAYER),
        ):
            end = at + count * len(quantities)
            shape = (len(flat), count, len(quantities))
            part, seen = values[:, at:end].reshape(shape), known[:, at:end].reshape(shape)
            for i, name in enumerate(quantities):
                if seen[:, :, i].any():
                    target[name] = Column(part[:, :, i], seen[:, :, i])
            at = end
        for i, name in enumerate(RUN):
            if known[:, at + i].any():
                block.run[name] = Column(values[:, at + i], known[:, at + i])
        return block


class BufferedRow(NamedTuple):
    """One step's numbers: what the host has, and what still stands on the device."""

    step: int
    time: float
    layout: RowLayout
    values: NDArray[np.float64]
    known: NDArray[np.bool_]
    places: NDArray[np.intp]  # in `values`, of what stands on the device
    device: Any  # tensor, or None

    def read(self) -> NDArray[np.float64]:
        """Returns all of them."""
        if self.device is not None:
            self.values[self.places] = self.device.numpy()
        return self.values


def _joined(parts: list[MeasuredBlock]) -> tuple[Any, ...]:
    """Returns values, which are known, places of the values that are tensors, and these as one tensor."""
    known = np.concatenate([k for _, k in parts])
    values, start = np.full(len(known), np.nan), 0
    places: list[NDArray[np.intp]] = []
    for part, which in parts:
        if isinstance(part, np.ndarray):
            values[start : start + len(which)] = part
        else:
            places.append(np.arange(start, start + len(which)))
        start += len(which)
    device = [part for part, _ in parts if not isinstance(part, np.ndarray)]
    where = np.concatenate([np.zeros(0, np.intp), *places])
    return values, known, where, tf.concat(device, 0) if device else None


class RowBuffer:
    """Keeps rows, and gives them as blocks."""

    def __init__(self) -> None:
        self._rows: list[BufferedRow] = []

    @property
    def full(self) -> bool:
        """Says whether the host should read now."""
        return len(self._rows) >= HELD

    def add(self, step: int, layout: RowLayout, parts: list[MeasuredBlock]) -> None:
        """Takes one step's row, part by part."""
        self._rows.append(BufferedRow(step, time.time(), layout, *_joined(parts)))

    def take(self) -> list[Rows]:
        """Returns the rows that were not yet read; only here the host waits for a device."""
        rows, self._rows = self._rows, []
        found: list[Rows] = []
        while rows:
            layout = rows[0].layout
            count = next((i for i, row in enumerate(rows) if row.layout != layout), len(rows))
            part, rows = rows[:count], rows[count:]
            flat = np.stack([np.concatenate([row.read(), row.known]) for row in part])
            block = layout.rows(flat, [row.step for row in part], [row.time for row in part])
            for name in _SPREADS:
                if name in block.run:
                    column = block.run[name]
                    column.known[np.isnan(column.values)] = False
            found.append(block)
        return found
