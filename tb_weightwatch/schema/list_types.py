"""The types of lists in a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .field_types import FieldType, Invalid, Problems

_MOST_ITEMS = 1 << 17  # of a list, if nothing else is said


@dataclass(frozen=True)
class Many:
    """A list of values of one type.

    Attributes:
        inner: their type.
        most: how many there may be.
        unique: a field of the values (objects) in which no two of them may agree; "": there is none.
    """

    inner: FieldType
    most: int = _MOST_ITEMS
    unique: str = ""

    def read(self, value: Any, problems: Problems) -> Any:
        """Returns the list."""
        if not isinstance(value, (list, tuple)) or len(value) > self.most:
            raise Invalid(f"a list of at most {self.most:,}")
        items = [self.inner.read(item, problems) for item in value]
        if self.unique and len({item[self.unique] for item in items}) < len(items):
            raise Invalid(f"a list in which no {self.unique} occurs twice")
        return items


@dataclass(frozen=True)
class Texts:
    """A list of strings, checked several times as fast as `Many` checks it.

    Attributes:
        longest: characters that one of them may have.
        most: how many there may be.
    """

    longest: int
    most: int = _MOST_ITEMS

    def read(self, value: Any, problems: Problems) -> Any:
        """Returns the list."""
        if not isinstance(value, (list, tuple)) or len(value) > self.most:
            raise Invalid(f"a list of at most {self.most:,}")
        are_strings = all(issubclass(kind, str) for kind in set(map(type, value)))
        if not are_strings or max(map(len, value), default=0) > self.longest:
            raise Invalid(f"texts of at most {self.longest:,} characters")
        return list(value)
