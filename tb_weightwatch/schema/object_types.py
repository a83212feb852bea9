"""The types of objects in a record: with fields of their own, or with names for keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .field_types import MAX_LABEL, FieldType, Invalid, Plain, Problems


class Fields:
    """An object with fields of its own.

    Args:
        required: fields without which it is invalid, as it is if one of them does not fit its type.
        optional: fields that are left out if they do not fit.
        others: the type of further fields, which later versions may write; None: they are left out, and not noted.
        check: says what is wrong with its fields together; "" if nothing is.
    """

    def __init__(
        self,
        required: Mapping[str, FieldType] | None = None,
        optional: Mapping[str, FieldType] | None = None,
        *,
        others: FieldType | None = Plain(),  # noqa: B008
        check: Callable[[Mapping[str, Any]], str] | None = None,
    ) -> None:
        self._required, self._others, self._check = required or {}, others, check
        self._types = {**self._required, **(optional or {})}

    def read(self, value: Any, problems: Problems) -> Any:
        """Returns the object without fields that do not fit, its fields in the order in which they came."""
        if not isinstance(value, (dict, Mapping)):  # a dict is recognized several times as fast
            raise Invalid("an object")
        kept = {}
        for name, item in value.items():
            kind = self._types.get(name, self._others)
            if kind is None:
                continue
            try:
                kept[name] = kind.read(item, problems)
            except Invalid as error:
                if name in self._required:
                    raise Invalid(f"{name} to be {error}") from None
                problems[f"{name if name in self._types else 'another field'} must be {error}"] += 1
        missing = [name for name in self._required if name not in kept]
        if missing:
            raise Invalid(f"an object with {' and '.join(sorted(missing))}")
        wrong = self._check(kept) if self._check is not None else ""
        if wrong:
            raise Invalid(wrong)
        return kept


class Named:
    """An object whose keys are names and whose values have one type; a value that does not fit is left out.

    Args:
        inner: the type of the values.
        most: how many there may be.
    """

    def __init__(self, inner: FieldType, most: int = 10_000) -> None:
        self._inner, self._most = inner, most

    def read(self, value: Any, problems: Problems) -> Any:
        """Returns the object without the values that do not fit."""
        if not isinstance(value, Mapping) or len(value) > self._most or any(len(name) > MAX_LABEL for name in value):
            raise Invalid(f"an object of at most {self._most:,} names")
        kept = {}
        for name, item in value.items():
            try:
                kept[name] = self._inner.read(item, problems)
            except Invalid as error:
                problems[f"a value must be {error}"] += 1
        return kept
