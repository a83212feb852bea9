"""Incremental signals: each row of a signal is computed once, while the History grows.

A rule reads `[T, V]` numbers and returns for each row, `[T]`, whether it holds. A History only grows, and the signal of
a row depends on that row and earlier rows only, so a signal once computed stays valid. Each signal is therefore a
function of a `RowSpan` (consecutive rows) and of a `Carry` (the state of its scans after the earlier rows). `diagnose`
starts with an empty cache and computes all rows; an `IncrementalDiagnosis` keeps its cache and computes the new rows
only. Both run the same functions over the same kind of spans in the same order of arithmetic, so they agree to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ...history import Column, History
from .carry import Carry
from .signal_rows import SignalRows

P = ParamSpec("P")
R = TypeVar("R")
Compute: TypeAlias = Callable[Concatenate[Any, Carry, P], R]
SPAN_ROWS = 512  # rows of a span: its arrays fit into a processor's cache
STRUCTURE = ("facts", "variables", "layers")  # kinds of records on which signals depend


class RowSpan(History):
    """Rows `start` to `stop` of a History, with the columns and the records of the full History.

    Args:
        history: the full History.
        start: first row.
        stop: row after the last one.
    """

    def __init__(self, history: History, start: int, stop: int) -> None:
        super().__init__(history.launch, started=history.started, complete=history.complete)
        self.history, self.start, self.stop = history, start, stop
        self.records, self._is_prefix, self._length = history.records, True, stop - start

    @property
    def steps(self) -> NDArray[np.int64]:
        """`[T]` attempted training steps of the span's rows."""
        return self.history.steps[self.start : self.stop]

    @property
    def times(self) -> NDArray[np.float64]:
        """`[T]` unix seconds at which the span's rows were recorded."""
        return self.history.times[self.start : self.stop]

    def axis(self, name: str) -> str:
        """Returns the axis of a column that the full History has recorded, "" for any other."""
        return self.history.axis(name)

    def has(self, *names: str) -> bool:
        """Whether the full History has a recorded value of each of these columns, inside this span or outside."""
        return is_recorded(self.history, *names)

    def columns(self, axis: str | None = None) -> list[str]:
        """Returns the names of the columns of the full History."""
        return self.history.columns(axis)

    def _column(self, name: str) -> Column:
        values, known = self.history._column(name)
        return Column(values[self.start : self.stop], known[self.start : self.stop])


class SignalCache:
    """The signals of one growing History computed so far."""

    def __init__(self) -> None:
        self._signals: dict[Any, SignalRows] = {}
        self._spans: dict[tuple[int, int], RowSpan] = {}
        self._structure: list[Any] = []
        self._recorded_columns: set[str] = set()
        self._length = 0

    def follow(self, history: History) -> None:
        """Continues with `history`; drops all signals if new columns or new descriptions were recorded."""
        structure = [record for record in history.records if record.kind in STRUCTURE]
        same = [id(record) for record in structure] == [id(record) for record in self._structure]
        if not same or len(history) < self._length:
            self._structure, self._recorded_columns, self._length = structure, set(), 0
            self._signals.clear()
        new_columns = {
            name
            for name in history.columns()
            if name not in self._recorded_columns and history.known(name)[self._length :].any()
        }
        if new_columns:
            self._signals.clear()
        self._recorded_columns |= new_columns
        self._length = len(history)

    def has(self, *names: str) -> bool:
        """Whether each of these columns has a recorded value ("update_ratio" is no column of its own)."""
        return self._recorded_columns.issuperset(names)

    def span(self, history: History, start: int, stop: int) -> RowSpan:
        """Returns a span of rows; all signals of a diagnosis get the same object and so share memoized values."""
        if (start, stop) not in self._spans:
            self._spans[start, stop] = RowSpan(history, start, stop)
        return self._spans[start, stop]

    def forget_spans(self) -> None:
        """Drops the spans, which belong to one diagnosis."""
        self._spans.clear()

    def computed(
        self, key: Any, history: History, stop: int, compute: Callable[[RowSpan, Carry], Any], *, settles: bool
    ) -> SignalRows:
        """Returns the signal with this key, computed up to row `stop`; `settles`: it is made by `settling`."""
        signal, room = self._signals.setdefault(key, SignalRows()), len(history)
        if not signal.results and not stop:  # an empty History: the result has no rows, but it has its shape
            signal.append(0, 0, compute(RowSpan(history, 0, 0), Carry()))
        for start, end in _span_bounds(signal.length, stop):
            signal.carry.begin(start)
            if settles and start and signal.carry.is_settled:
                signal.repeat(start, end, room)
            else:
                signal.append(start, end, compute(self.span(history, start, end), signal.carry), room)
        return signal


def _span_bounds(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Yields the bounds of the spans from row `start` to `stop`, at fixed rows, so that all signals are cut alike."""
    while start < stop:
        end = min(stop, (start // SPAN_ROWS + 1) * SPAN_ROWS)
        yield start, end
        start = end


_active_caches: WeakKeyDictionary[History, SignalCache] = WeakKeyDictionary()


@contextmanager
def signals_cached(history: History, cache: SignalCache) -> Iterator[None]:
    """Computes the signals of `history` with `cache` inside the `with` block."""
    cache.follow(history)
    _active_caches[history] = cache
    try:
        yield
    finally:
        _active_caches.pop(history, None)
        cache.forget_spans()


def is_recorded(history: History, *names: str) -> bool:
    """Whether each of these columns has at least one recorded value; faster than `History.has`."""
    cache = _active_caches.get(history)
    return history.has(*names) if cache is None else cache.has(*names)


def incremental(function: Compute[P, R]) -> Callable[Concatenate[History, P], R]:
    """Makes `function(span, carry, ...)` a signal of a full History whose rows are computed once.

    `function` gets a span of rows and returns an array (or a tuple of arrays) with one entry per row, or None. It must
    call the same methods of `carry` in the same order for every span, so it may branch on records and on which columns
    are recorded, but not on numbers. Called with a History, the signal returns all its rows, read-only; called with a
    span, from within another signal, it returns the rows of that span.
    """
    return _signal(function, settles=False)


def settling(function: Compute[P, R]) -> Callable[Concatenate[History, P], R]:
    """Makes a signal as `incremental` does, of records and `carry.first_known` alone: known once, its rows repeat."""
    return _signal(function, settles=True)


def _signal(function: Compute[P, R], *, settles: bool) -> Callable[Concatenate[History, P], R]:
    @wraps(function)
    def signal(history: History, /, *args: P.args, **kwargs: P.kwargs) -> R:
        start, stop = (history.start, history.stop) if isinstance(history, RowSpan) else (0, len(history))
        full = full_history(history)
        cache = _active_caches.get(full) or SignalCache()
        key = (function, args, tuple(sorted(kwargs.items())))
        rows = cache.computed(
            key, full, stop, lambda span, carry: function(span, carry, *args, **kwargs), settles=settles
        )
        result: R = rows.read(start, stop)
        return result

    return signal


def restrict(rows: History, values: NDArray[Any]) -> NDArray[Any]:
    """Returns the rows of a `[T]` signal of the full History that belong to a span; all of them for a History."""
    return values[rows.start : rows.stop] if isinstance(rows, RowSpan) else values


def full_history(rows: History) -> History:
    """Returns the History to which a span belongs; a History itself."""
    return rows.history if isinstance(rows, RowSpan) else rows
