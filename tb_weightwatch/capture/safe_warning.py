"""Warnings of a recorder, which must never end a training: `python -W error` turns warnings into exceptions."""

from __future__ import annotations

import contextlib
import sys
import warnings


def warn(message: str) -> None:
    """Gives a RuntimeWarning; where that raises an exception, the message goes to the standard error instead."""
    try:
        warnings.warn(message, RuntimeWarning, stacklevel=3)
    except Exception:  # warnings are errors, or what the program has put in the place of `showwarning` fails
        with contextlib.suppress(Exception):
            print(f"RuntimeWarning: {message}", file=sys.stderr, flush=True)
