"""Caches values derived from a History until the History grows."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from ...history import History
from .incremental import full_history

P = ParamSpec("P")
R = TypeVar("R")
_values: WeakKeyDictionary[History, dict[Any, Any]] = WeakKeyDictionary()


def memoized(function: Callable[Concatenate[History, P], R]) -> Callable[Concatenate[History, P], R]:
    """Caches `function(history, ...)` until the History grows.

    A History only grows, so its numbers of rows and of records show whether a cached value is still valid. `diagnose`
    works on a prefix of its own, so no value outlives a diagnosis.
    """
    return _memoized(function, lambda history: history)


def from_records(function: Callable[Concatenate[History, P], R]) -> Callable[Concatenate[History, P], R]:
    """Caches a `function(history)` that reads the records only; a span shares the value of its full History."""
    return _memoized(function, full_history)


def _memoized(
    function: Callable[Concatenate[History, P], R], owner: Callable[[History], History]
) -> Callable[Concatenate[History, P], R]:
    @wraps(function)
    def cached(history: History, /, *args: P.args, **kwargs: P.kwargs) -> R:
        history = owner(history)
        values = _values.setdefault(history, {})
        key = (function, args, tuple(sorted(kwargs.items())), len(history), len(history.records))
        if key not in values:
            values[key] = function(history, *args, **kwargs)
        value: R = values[key]
        return value

    return cached
