"""The boundary that keeps our own exceptions out of the user's program.

`entry_point` is put on what Keras or the user's program calls on training's thread, and `FaultGuard` around parts of
it after which something must still happen. What fails inside either is told once, recording stops, training goes on.
The three methods that each step calls catch exceptions themselves, since the decorator would take 0.2 us more, as long
as a step that is not recorded takes. An exception of the user's own code never passes through any of these.
"""

from __future__ import annotations

import dis
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

_PACKAGE = str(Path(__file__).resolve().parents[2]) + os.sep

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class TakesFaults(Protocol):
    """What has entry points."""

    def _on_fault(self, error: Exception) -> None:
        """Takes what failed in an entry point; raises it only if the caller is to see it."""


Owner = TypeVar("Owner", bound=TakesFaults)


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


def entry_point(
    method: Callable[Concatenate[Owner, Arguments], Result],
) -> Callable[Concatenate[Owner, Arguments], Result | None]:
    """Decorates a method that Keras or the user's program calls: it returns None where something of ours fails."""

    @functools.wraps(method)
    def entry(self: Owner, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result | None:
        try:
            return method(self, *arguments, **named)
        except Exception as error:
            self._on_fault(error)
            return None

    return entry  # type: ignore[return-value]  # mypy would have its first argument named


def is_callers_mistake(error: BaseException) -> bool:
    """Whether a check of ours raised an error on purpose, because a method was called wrongly.

    Anything else is a fault of ours, also a TypeError or ValueError in the checks themselves.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or not isinstance(error, (TypeError, ValueError, RuntimeError)):
        return False
    code = trace.tb_frame.f_code
    return code.co_filename.startswith(_PACKAGE) and dis.opname[code.co_code[trace.tb_lasti]] == "RAISE_VARARGS"
