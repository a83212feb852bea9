"""The results of `ww.preflight`, kept for each model until a recording of that model adopts them."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

_results: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()


def remember(model: Any, result: dict[str, Any]) -> None:
    """Keeps the result for as long as the model exists; a later result replaces it."""
    _results[model] = result


def recall(model: Any) -> dict[str, Any] | None:
    """Returns the last result for that model, as the data of a record; None if there is none."""
    try:
        return _results.get(model)
    except TypeError:  # an object that is no Keras model may not be hashable
        return None
