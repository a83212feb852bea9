"""How an error message names what came: its type and what tells it apart, never the values of arrays."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

_LONGEST = 40  # characters of a string that are shown


def received(value: Any) -> str:
    """Returns a value in a few words: "None", "the class Adam", "a list of 3 strings", "a tensor of shape (4, 2)"."""
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, (str, bytes)):
        return f"the string {value[:_LONGEST]!r}" if isinstance(value, str) else "bytes"
    if isinstance(value, (bool, int, float)):
        return repr(value)
    if inspect.isroutine(value):
        return f"the function {getattr(value, '__name__', 'without a name')}"
    if isinstance(value, Mapping):
        names = ", ".join(str(name)[:_LONGEST] for name in list(value)[:4])
        return f"a dict with the keys {names}{', ...' if len(value) > 4 else ''}" if value else "an empty dict"
    if isinstance(value, (list, tuple)):
        return _received_sequence(value)
    shape = static_shape(value)
    return f"{_with_article(type(value).__name__)}" + ("" if shape is None else f" of shape {shape_text(shape)}")


def static_shape(value: Any) -> tuple[int | None, ...] | None:
    """Returns the shape of an array or a number, None for each length that is not known; None if it has no shape."""
    if isinstance(value, (bool, int, float)):
        return ()
    shape = getattr(value, "shape", None)
    try:
        return None if shape is None else tuple(shape)
    except (TypeError, ValueError):  # a shape of unknown rank, or an attribute of that name that is something else
        return None


def shape_text(shape: tuple[int | None, ...]) -> str:
    """Returns a shape as Python shows it: "(32, 1)"; a length that is not known is None."""
    return str(tuple(shape))


def _received_sequence(value: list[Any] | tuple[Any, ...]) -> str:
    kind = "tuple" if isinstance(value, tuple) else "list"
    if not value:
        return f"an empty {kind}"
    kinds = {type(item).__name__ for item in value}
    if kinds == {"str"}:
        return f"a {kind} of {len(value)} string{'s' * (len(value) > 1)}"
    return f"a {kind} of {len(value)} ({', '.join(sorted(kinds)[:3])})"


def _with_article(name: str) -> str:
    name = {"EagerTensor": "tensor", "SymbolicTensor": "tensor", "ndarray": "numpy array"}.get(name, name)
    return f"{'an' if name[:1] in 'AEIOUaeiou' else 'a'} {name}"
