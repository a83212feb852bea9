"""Text for terminals: text from disk must not be able to control the terminal."""

from __future__ import annotations

import sys
import unicodedata


def printable(text: str) -> str:
    """Returns text with control and direction characters made visible, since they could control a terminal."""
    return "".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else "�" for c in text)


def warn(message: str) -> None:
    """Prints a message to stderr."""
    print(f"weightwatch: {printable(message)}", file=sys.stderr)


def fail(message: str) -> int:
    """Prints why the command cannot be done, and returns its exit code."""
    warn(message)
    return 2
