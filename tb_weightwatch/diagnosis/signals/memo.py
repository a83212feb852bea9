"""Keeps what was derived from a History for as long as that History lives and has not grown."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from ...history import History
from .incremental import full_history

P = ParamSpec("P")
R = TypeVar("R")
_memo: WeakKeyDictionary[History, dict[Any, Any]] = WeakKeyDictionary()


def memoized(function: Callable[P, R]) -> Callable[P, R]:
    """Keeps what `function(history, ...)` derives for as long as that History lives and has not grown.

    A History only grows, so its two lengths say whether a kept value still stands. `diagnose` works on a prefix of
    its own, so nothing outlives a diagnosis.
    """

    @wraps(function)
    def kept(*args: P.args, **kwargs: P.kwargs) -> R:
        history: Any = args[0]
        known = _memo.setdefault(history, {})
        key = (function, args[1:], tuple(sorted(kwargs.items())), len(history), len(history.records))
        if key not in known:
            known[key] = function(*args, **kwargs)
        found: R = known[key]
        return found

    return kept


def from_records(function: Callable[[History], R]) -> Callable[[History], R]:
    """Keeps likewise what `function(history)` reads from the records alone; a stretch has that of its whole."""
    kept = memoized(function)
    return wraps(function)(lambda history: kept(full_history(history)))
