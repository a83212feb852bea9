"""JSON to text and back: what is parsed is counted before memory is taken for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from .decode_error import DecodeError


def to_json(data: Mapping[str, Any]) -> str:
    """Returns the text of an object; what JSON has no form for is written as its `str`.

    Raises:
        ValueError: it contains itself.
    """
    return json.dumps(data, default=_jsonable, separators=(",", ":"))


def _jsonable(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    return str(value)


def value_count(text: str) -> int:
    """Returns how many values a JSON text holds at most; what stands in strings counts as well."""
    return 1 + text.count(",") + text.count("[") + text.count("{") + text.count(":")


def parse_object(text: str, most_values: int) -> dict[str, Any]:
    """Returns the object that a text holds.

    Raises:
        DecodeError: it is no JSON, no object, nests too deep, or holds more values than `most_values`.
    """
    if len(text) > most_values and value_count(text) > most_values:  # a value takes one character at least
        raise DecodeError(f"out of bounds: a record holds more than {most_values:,} values")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise DecodeError("damaged: a record is not JSON") from None
    if not isinstance(data, dict):
        raise DecodeError("damaged: a record must be a JSON object")
    return data
