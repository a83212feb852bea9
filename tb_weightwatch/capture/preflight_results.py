"""What `preflight` found of a model, until a recording of that model takes it in."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

_found: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()


def remember(model: Any, found: dict[str, Any]) -> None:
    """Keeps it for as long as the model lives; a later one takes its place."""
    _found[model] = found


def recall(model: Any) -> dict[str, Any] | None:
    """Returns what the last `preflight` of that model found, as the data of a record; None if there was none."""
    try:
        return _found.get(model)
    except TypeError:  # what is no Keras model may not be hashable
        return None
