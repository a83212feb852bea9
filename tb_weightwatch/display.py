"""How objects show themselves: text without control characters, one line for `repr`, and HTML for notebooks.

The types of all floors use this module, so it imports none of them. What makes the HTML stands on a higher floor and is
handed in: `tb_weightwatch` does it when it is imported.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

_MOST_CHARACTERS = 80  # of a name in a `repr`
_renderers: list[Callable[[Any], str]] = []


def printable(text: str) -> str:
    """Returns text with control and direction characters made visible, since they could control a terminal."""
    return "".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else "�" for c in text)


def shortened(text: Any, most: int = _MOST_CHARACTERS) -> str:
    """Returns text as one printable line of at most `most` characters, cut in its middle where it is longer."""
    line = printable(" ".join(str(text).split()))
    tail = (most - 1) // 2
    return line if len(line) <= most else f"{line[: most - 1 - tail]}…{line[-tail:]}"


def shortened_list(names: Iterable[Any], most: int = 4) -> str:
    """Returns "a, b, c" of at most `most` names: "a, b, c, d and 5 more"."""
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(shortened(name, 40) for name in names[:most]) + more


def counted(count: int, noun: str) -> str:
    """Returns "1 row", "12,000 rows"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def repr_of(instance: Any, name: str, *facts: str) -> str:
    """Returns the `repr` of an object: "<History run-1: 12 rows, steps 1 to 12>"; empty facts are left out."""
    title = " ".join(filter(None, [type(instance).__name__, shortened(name)]))
    known = ", ".join(shortened(fact, 200) for fact in facts if fact)
    return f"<{title}: {known}>" if known else f"<{title}>"


def provide_html(renderer: Callable[[Any], str]) -> None:
    """Sets what renders a Diagnosis or a History as HTML."""
    _renderers[:] = [renderer]


def html_of(value: Any) -> str | None:
    """Returns an object as HTML; None, for which notebooks show the `repr`, if nothing has been handed in."""
    return _renderers[0](value) if _renderers else None
