"""Keeps faults of ours away from the user's program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class FaultGuard:
    """Hands an error to `fail` and goes on; every step passes one, and a generator would take several times as long."""

    __slots__ = ("_fail",)

    def __init__(self, fail: Callable[[Exception], None]) -> None:
        self._fail = fail

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> bool:
        if not isinstance(error, Exception):
            return False
        self._fail(error)
        return True
