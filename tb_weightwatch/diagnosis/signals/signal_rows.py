"""The rows of one signal computed so far."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .carry import Carry


class LastRowOnly(NamedTuple):
    """A result of which only the last row is stored."""

    values: NDArray[Any]


class SignalRows:
    """The rows of one signal computed so far, in storage that doubles, and the state of its scans.

    Attributes:
        length: number of rows computed.
        carry: the state of the signal's scans after these rows.
        results: one entry per array that the signal returns; None for an array that it does not have.
    """

    def __init__(self) -> None:
        self.length, self.carry = 0, Carry()
        self.results: list[NDArray[Any] | LastRowOnly | None] = []
        self._is_tuple = False

    def append(self, start: int, stop: int, result: Any, room: int = 0) -> None:
        """Stores what the signal returned for rows `start` to `stop`: an array, None, or a tuple of these.

        Args:
            start: first row.
            stop: row after the last one.
            result: what the signal returned.
            room: rows that are expected in all.
        """
        self._is_tuple = isinstance(result, tuple) and not isinstance(result, LastRowOnly)
        arrays = list(result) if self._is_tuple else [result]
        self.results += [None] * (len(arrays) - len(self.results))
        for i, array in enumerate(arrays):
            if isinstance(array, np.ndarray):
                self.results[i] = self._storage(i, start, stop, array, room)
            else:
                self.results[i] = array
        self.length = stop

    def repeat(self, start: int, stop: int, room: int) -> None:
        """Stores the last row once more for each of the rows `start` to `stop`; arguments as for `append`."""
        for i, result in enumerate(self.results):
            if isinstance(result, np.ndarray):
                self.results[i] = self._storage(i, start, stop, result[start - 1 : start], room)
        self.length = stop

    def _storage(self, i: int, start: int, stop: int, array: NDArray[Any], room: int) -> NDArray[Any]:
        storage = self.results[i]
        if storage is None and start:
            raise RuntimeError(
                "an incremental signal returned None for earlier rows and an array for later ones; it may branch on "
                "records and on which columns are recorded, but not on numbers"
            )
        if not isinstance(storage, np.ndarray) or len(storage) < stop:
            enlarged = np.empty((max(2 * start, stop, room), *array.shape[1:]), array.dtype)
            if isinstance(storage, np.ndarray):
                enlarged[:start] = storage[:start]
            storage = enlarged
        storage[start:stop] = array
        return storage

    def read(self, start: int, stop: int) -> Any:
        """Returns rows `start` to `stop` in the form in which the signal returns them; arrays are read-only."""
        results = [_read_only(result, start, stop) for result in self.results]
        return tuple(results) if self._is_tuple else results[0]


def _read_only(result: NDArray[Any] | LastRowOnly | None, start: int, stop: int) -> NDArray[Any] | None:
    if not isinstance(result, np.ndarray):
        return result.values if isinstance(result, LastRowOnly) else None
    rows = result[start:stop]
    rows.flags.writeable = False  # the storage is reused: a rule that wrote into it would falsify later diagnoses
    return rows
