"""The types of the fields of a record, and how a value from a file is checked against them.

A value that does not fit makes an optional field be left out, and anything else invalid that contains it: an element of
a list cannot be left out, since the others would move. What was left out is noted as a problem.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any, Protocol

from .bounds import MAX_DIMENSIONS, MAX_STEP

MAX_TEXT = 1 << 16  # characters of a message or a fix that names some variables; ours have less than 3,000
MAX_LABEL = 1 << 14  # characters of a name
_MAX_DEPTH = 12  # of values of any kind: settings of an optimizer nest four deep below a list of optimizers
_MOST_PLAIN = 1 << 14  # values within one such value
_NONFINITE = ("NaN", "Infinity", "-Infinity")  # as `verdict.jsonable` writes them


class Problems(Counter[str]):
    """What was left out: reason -> how often."""


class Invalid(ValueError):
    """A value does not fit its type; the message says what was expected."""


class FieldType(Protocol):
    """The type of a field."""

    def read(self, value: Any, problems: Problems) -> Any:
        """Returns the value as consumers get it; raises `Invalid` if it does not fit."""


@dataclass(frozen=True)
class Text:
    """A string."""

    longest: int = MAX_TEXT
    shortest: int = 0

    def read(self, value: Any, problems: Problems) -> Any:
        """Returns the string."""
        if isinstance(value, str) and self.shortest <= len(value) <= self.longest:
            return value
        raise Invalid(f"a text of {self.shortest} to {self.longest:,} characters")


@dataclass(frozen=True)
class Choice:
    """One of some strings."""

    options: tuple[str, ...]

    def read(self, value: Any, problems: Problems) -> Any:
        """Returns the string."""
        if isinstance(value, str) and value in self.options:
            return value
        raise Invalid("one of a few words")


@dataclass(frozen=True)
class Flag:
    """True or False."""

    def read(self, value: Any, problems: Problems) -> Any:
        """Returns the flag."""
        if isinstance(value, bool):
            return value
        raise Invalid("true or false")


@dataclass(frozen=True)
class Whole:
    """An integer."""

    lowest: int = 0
    highest: int = MAX_STEP

    def read(self, value: Any, problems: Problems) -> Any:
        """Returns the integer."""
        if isinstance(value, int) and not isinstance(value, bool) and self.lowest <= value <= self.highest:
            return value
        raise Invalid(f"an integer from {self.lowest:,} to {self.highest:,}")


@dataclass(frozen=True)
class Number:
    """A number: an integer of any size that float64 holds, or a float.

    Attributes:
        lowest: smallest one.
        highest: largest one.
        nonfinite: whether NaN and infinities fit as well, also in words.
    """

    lowest: float = -math.inf
    highest: float = math.inf
    nonfinite: bool = False

    def read(self, value: Any, problems: Problems) -> Any:
        """Returns the number, of the type it has."""
        if self.nonfinite and (value in _NONFINITE if isinstance(value, str) else _is_nonfinite(value)):
            return value
        if _is_finite(value) and self.lowest <= value <= self.highest:
            return value
        raise Invalid("a number" if self.nonfinite else "a finite number in its range")


def _is_finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63


def _is_nonfinite(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


@dataclass(frozen=True)
class Optional:
    """None, or a value of another type."""

    inner: FieldType

    def read(self, value: Any, problems: Problems) -> Any:
        """Returns None or the value."""
        return None if value is None else self.inner.read(value, problems)


_LENGTH = Whole()


@dataclass(frozen=True)
class Shape:
    """A shape: a list of lengths, whose product is a number of elements; a length may be unknown (None)."""

    unknown_lengths: bool = False

    def read(self, value: Any, problems: Problems) -> Any:
        """Returns the list."""
        if isinstance(value, (list, tuple)) and len(value) <= MAX_DIMENSIONS:
            size = 1
            for length in value:
                if length is not None or not self.unknown_lengths:
                    size *= _LENGTH.read(length, problems) or 1
            if size <= MAX_STEP:
                return value
        raise Invalid("a shape")


@dataclass(frozen=True)
class Plain:
    """A value of any kind, of bounded size and depth: settings of objects of the user's, fields of later versions."""

    def read(self, value: Any, problems: Problems) -> Any:
        """Returns the value."""
        if _plain_size(value, 0) > _MOST_PLAIN:
            raise Invalid(f"at most {_MOST_PLAIN:,} values")
        return value


def _plain_size(value: Any, depth: int) -> int:
    """Returns how many values a value consists of; raises `Invalid` if it is too deep, or holds what is too large."""
    if isinstance(value, (dict, list, tuple)):
        if depth >= _MAX_DEPTH:
            raise Invalid(f"values that nest at most {_MAX_DEPTH} deep")
        items = [*value, *value.values()] if isinstance(value, dict) else value
        return 1 + sum(_plain_size(item, depth + 1) for item in items)
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise Invalid(f"texts of at most {MAX_TEXT:,} characters")
    elif isinstance(value, int) and abs(value) >= 1 << 63:
        raise Invalid("integers of 64 bits")
    elif value is not None and not isinstance(value, (int, float)):
        raise Invalid("values that JSON has")
    return 1
