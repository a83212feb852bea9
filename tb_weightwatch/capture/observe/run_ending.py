"""How a training ended, as it is recorded: of an exception only its type, its meaning, and when it was raised."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from .exception_meaning import has_type, meaning_of

# Loops that run until the data end, or the program says so, end with one of these.
_ENDS_OF_DATA = ("StopIteration", "StopAsyncIteration", "OutOfRangeError")


class Ending(NamedTuple):
    """The content of an "end" record.

    Attributes:
        how: "completed", "closed", "exception", "signal", or "stopped" (by `on_verdict`).
        detail: name of the exception's type, of the signal, or of the cause for which it was stopped.
        about: of an exception its "meaning", and "step", the step that raised it, or "after", the completed steps.
    """

    how: str
    detail: str = ""
    about: Mapping[str, Any] = {}


def ending_of(
    error: BaseException | None, completed: int, *, in_step: bool = False, without: str = "completed"
) -> Ending:
    """Returns how a training ended.

    Args:
        error: the exception that ended it; None if there was none.
        completed: how many steps were completed.
        in_step: whether the exception was raised in the step after these. It may else come from before or after it.
        without: how it ended if there was no exception, or one that says that the data ended.
    """
    if error is None or has_type(error, *_ENDS_OF_DATA):
        return Ending(without)
    when = {"step": completed + 1} if in_step else {"after": completed}
    return Ending("exception", type(error).__name__, {"meaning": meaning_of(error), **when})


def exception_at_exit() -> BaseException | None:
    """Returns the exception that ends the interpreter; None in an interactive one, which outlives exceptions."""
    return None if hasattr(sys, "ps1") else getattr(sys, "last_value", None)


def handled_exception() -> BaseException | None:
    """Returns the exception that an `except` or `finally` block of the caller is handling."""
    return sys.exc_info()[1]


def latest_exceptions() -> list[BaseException]:
    """Returns the exception that is being handled, and the last one that an interactive interpreter has shown."""
    shown = getattr(sys, "last_value", None) if hasattr(sys, "ps1") else None
    return [error for error in (handled_exception(), shown) if error is not None]


def exception_of_fit(model: Any, earlier: Collection[int]) -> BaseException | None:
    """Returns the latest exception that `model.fit` has raised; None if there is none.

    Args:
        model: the model that was trained.
        earlier: ids of exceptions that are not looked at, since they are older.
    """
    errors = (error for error in latest_exceptions() if id(error) not in earlier)
    return next((error for error in errors if _raised_by_fit(error, model)), None)


def _raised_by_fit(error: BaseException, model: Any) -> bool:
    """Whether an exception has passed through `model.fit`, by the frames of its traceback."""
    trace = error.__traceback__
    while trace is not None:
        frame, trace = trace.tb_frame, trace.tb_next
        if frame.f_globals.get("__name__", "").partition(".")[0] not in ("keras", "tf_keras"):
            continue
        values = frame.f_locals
        # Keras removes its own frames from the traceback, except for that of the wrapper that removes them.
        arguments: Any = values.get("args") or (None,)
        called = getattr(values.get("fn"), "__name__", "") == "fit" and arguments[0] is model
        if called or (frame.f_code.co_name == "fit" and values.get("self") is model):
            return True
    return False
