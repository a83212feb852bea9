"""What an error message suggests for a name that does not exist."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

_MOST = 40  # names that are listed


def nearest(name: object, names: Sequence[str]) -> str:
    """Returns "did you mean 'x'?" for the name that is nearest to an unknown one, or else which names there are."""
    close = get_close_matches(str(name), names, 1)
    if close:
        return f"did you mean {close[0]!r}?"
    rest = f" and {len(names) - _MOST:,} more" if len(names) > _MOST else ""
    return f"known are {', '.join(names[:_MOST]) or 'none'}{rest}"
