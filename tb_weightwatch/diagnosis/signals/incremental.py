"""Signals that are causal, computed stretch by stretch: rows once judged are never computed again.

A rule looks at `[T, V]` numbers and says something of each row, `[T]`. Since a History only grows, and a row's signal
depends on that row and those before it alone, what was derived of earlier rows stands. So each signal is a function of
a `RowSpan` of rows and of a `Carry`, what it carries over from the rows before. `diagnose` starts from nothing and goes
over all rows; a `Judge` keeps what it has and goes over the new ones. Both run the same functions over stretches in
the same order of arithmetic, so they agree to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ...history import Column, History
from .carry import Carry

P = ParamSpec("P")
R = TypeVar("R")
SPAN_ROWS = 512  # of a stretch: its arrays stay within a processor's cache
STATED = ("facts", "variables", "layers")  # records on which signals depend


class RowSpan(History):
    """Consecutive rows `start` to `stop` of a History; has the columns and the records of the whole."""

    def __init__(self, whole: History, start: int, stop: int) -> None:
        super().__init__(whole.launch, started=whole.started, complete=whole.complete)
        self.whole, self.start, self.stop = whole, start, stop
        self.records, self._view, self._length = whole.records, whole, stop - start
        self._steps, self._times = whole.steps[start:stop], whole.times[start:stop]

    def axis(self, name: str) -> str:
        """Returns the axis of a column that the whole has recorded, "" for any other."""
        return self.whole.axis(name)

    def has(self, *names: str) -> bool:
        """Says whether the whole has recorded each of these, be it outside this stretch."""
        return is_recorded(self.whole, *names)

    def columns(self, axis: str | None = None) -> list[str]:
        """Returns the names of the columns of the whole."""
        return self.whole.columns(axis)

    def _column(self, name: str) -> Column:
        values, known = self.whole._column(name)
        return Column(values[self.start : self.stop], known[self.start : self.stop])


class LastRowOnly(NamedTuple):
    """A result of which the last row alone is kept."""

    values: NDArray[Any]


class _CachedSignal:
    """One signal as far as it has been computed: what it carries, and its rows in storage that doubles."""

    def __init__(self) -> None:
        self.done, self.carry = 0, Carry()
        self.parts: list[NDArray[Any] | LastRowOnly | None] = []
        self.single = True

    def put(self, stretch: RowSpan, found: Any) -> None:
        self.single = not isinstance(found, tuple) or isinstance(found, LastRowOnly)
        parts = [found] if self.single else list(found)
        self.parts += [None] * (len(parts) - len(self.parts))
        for i, part in enumerate(parts):
            self.parts[i] = part if part is None or isinstance(part, LastRowOnly) else self._stored(i, stretch, part)
        self.done = stretch.stop

    def _stored(self, i: int, stretch: RowSpan, part: NDArray[Any]) -> NDArray[Any]:
        old = self.parts[i]
        if old is None and stretch.start:
            raise RuntimeError("a signal that had no rows so far has some: it branches on numbers, not on records")
        if not isinstance(old, np.ndarray) or len(old) < stretch.stop:
            new = np.empty((max(2 * stretch.start, stretch.stop), *part.shape[1:]), part.dtype)
            if isinstance(old, np.ndarray):
                new[: stretch.start] = old[: stretch.start]
            old = new
        old[stretch.start : stretch.stop] = part
        return old

    def take(self, start: int, stop: int) -> Any:
        found = [_frozen(part, start, stop) for part in self.parts]
        return found[0] if self.single else tuple(found)


def _frozen(part: Any, start: int, stop: int) -> Any:
    if not isinstance(part, np.ndarray):
        return part.values if isinstance(part, LastRowOnly) else None
    shown = part[start:stop]
    shown.flags.writeable = False  # it is kept: a rule that wrote into it would forge later answers
    return shown


class SignalCache:
    """What has been derived of a History so far."""

    def __init__(self) -> None:
        self.series: dict[Any, _CachedSignal] = {}
        self.stretches: dict[tuple[int, int], RowSpan] = {}
        self._stated: list[Any] = []
        self._present: set[str] = set()
        self._seen = 0

    def follow(self, history: History) -> None:
        """Goes on with `history`: what was derived stands unless other columns or descriptions have come."""
        stated = [r for r in history.records if r.kind in STATED]
        same = len(stated) == len(self._stated) and all(a is b for a, b in zip(stated, self._stated, strict=True))
        if not same or len(history) < self._seen:
            self._stated, self._present, self._seen = stated, set(), 0
            self.series.clear()
        new = {name for name in history.columns() if name not in self._present
               and history.known(name)[self._seen :].any()}  # fmt: skip
        if new:
            self.series.clear()
        self._present |= new
        self._seen = len(history)

    def has(self, *names: str) -> bool:
        """Says whether each of these columns has a recorded value ("update_ratio" is no column of its own)."""
        return self._present.issuperset(names)

    def stretch(self, history: History, start: int, stop: int) -> RowSpan:
        """Returns a stretch of rows, the same object to all that ask in one diagnosis, so that they share."""
        key = (start, stop)
        if key not in self.stretches:
            self.stretches[key] = RowSpan(history, start, stop)
        return self.stretches[key]

    def reach(self, key: Any, history: History, stop: int, compute: Callable[[RowSpan, Carry], Any]) -> _CachedSignal:
        """Returns the signal of that key, computed up to `stop`."""
        series = self.series.setdefault(key, _CachedSignal())
        if not series.parts and not stop:  # of no row: shapes all the same
            series.put(RowSpan(history, 0, 0), compute(RowSpan(history, 0, 0), Carry()))
        for start, end in _spans(series.done, stop):
            rows = self.stretch(history, start, end)
            series.carry.begin(start)
            series.put(rows, compute(rows, series.carry))
        return series


def _spans(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Yields the stretches from row `start` to `stop`, at fixed places, so that all signals are cut alike."""
    while start < stop:
        end = min(stop, (start // SPAN_ROWS + 1) * SPAN_ROWS)
        yield start, end
        start = end


_stores: WeakKeyDictionary[History, SignalCache] = WeakKeyDictionary()


class signals_cached:
    """Lets signals of `history` be kept in `store` as long as the `with` block lasts."""

    def __init__(self, history: History, store: SignalCache) -> None:
        self.history, self.store = history, store

    def __enter__(self) -> None:
        self.store.follow(self.history)
        _stores[self.history] = self.store

    def __exit__(self, *_: object) -> None:
        _stores.pop(self.history, None)
        self.store.stretches.clear()


def is_recorded(history: History, *names: str) -> bool:
    """Says whether each of these columns has at least one recorded value; quicker than `History.has`."""
    store = _stores.get(history)
    return history.has(*names) if store is None or isinstance(history, RowSpan) else store.has(*names)


def incremental(function: Callable[Concatenate[Any, Carry, P], R]) -> Callable[Concatenate[History, P], R]:
    """Makes `function(rows, carry, ...)` a signal of a whole History, of which no row is computed twice.

    `function` gets a stretch of rows and returns an array (or a tuple of them) with one entry a row, or None. It must
    call the same methods of `carry` in the same order for every stretch, so it may branch on what the records say and
    on which columns there are, but not on numbers. Called with a History, the signal has all its rows, and they can
    not be written to; called with a stretch, from within another signal, it has the rows of that stretch.
    """

    def signal(history: History, /, *args: P.args, **kwargs: P.kwargs) -> R:
        whole = history.whole if isinstance(history, RowSpan) else history
        start, stop = (history.start, history.stop) if isinstance(history, RowSpan) else (0, len(history))
        store = _stores.get(whole) or SignalCache()
        key = (function, args, tuple(sorted(kwargs.items())))
        series = store.reach(key, whole, stop, lambda rows, carry: function(rows, carry, *args, **kwargs))
        found: R = series.take(start, stop)
        return found

    signal.__name__, signal.__doc__ = function.__name__, function.__doc__
    return signal


def restrict(rows: History, values: NDArray[Any]) -> NDArray[Any]:
    """Returns the part of a `[T]` signal of the whole History that belongs to a stretch of it."""
    return values[rows.start : rows.stop] if isinstance(rows, RowSpan) else values


def full_history(rows: History) -> History:
    """Returns the History that a stretch belongs to; a History itself."""
    return rows.whole if isinstance(rows, RowSpan) else rows
