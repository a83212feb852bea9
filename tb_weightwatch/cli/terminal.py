"""Words for terminals: what comes from disk can not command them."""

from __future__ import annotations

import sys
import unicodedata


def printable(text: str) -> str:
    """Returns text from disk with control and direction characters made visible: they could command a terminal."""
    return "".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else "�" for c in text)


def warn(message: str) -> None:
    """Says something beside the answer."""
    print(f"weightwatch: {printable(message)}", file=sys.stderr)


def fail(message: str) -> int:
    """Says why nothing can be done, and returns the exit code."""
    warn(message)
    return 2
