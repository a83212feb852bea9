"""Keeps our own exceptions out of the user's program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class FaultGuard:
    """A context manager that passes an exception to `on_fault` and suppresses it.

    It is a class since every step enters one, and a generator-based context manager takes several times as long.
    """

    __slots__ = ("_on_fault",)

    def __init__(self, on_fault: Callable[[Exception], None]) -> None:
        self._on_fault = on_fault

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> bool:
        if not isinstance(error, Exception):
            return False
        self._on_fault(error)
        return True
