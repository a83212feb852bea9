"""Numbers as text, for people and for JSON. `frontend/src/lib/format.ts` follows the same rule (tests/numbers.json)."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context
from typing import Any

SNAP_DIGITS = 12  # significant digits; the rest differs between processors


def snapped(value: float) -> float:
    """Returns a number without its last bits, so that a number halfway between two roundings stays halfway."""
    return float(f"{value:.{SNAP_DIGITS - 1}e}")


def number(value: float, digits: int = 3) -> str:
    """Returns a number in the form that people read: 12,300, 0.31, 1e-3, NaN.

    Integers below a million have all their digits, other numbers so many significant ones. Numbers below 0.01 and
    those from a million on have an exponent.
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Inf" if value > 0 else "-Inf")
    exact = snapped(value)
    if exact.is_integer() and abs(exact) < 1e6:
        return f"{int(exact):,}"
    # Halves are rounded up, as the browser does.
    rounded = float(Context(prec=digits, rounding=ROUND_HALF_UP).create_decimal_from_float(exact))
    if not 1e-2 <= abs(rounded) < 1e6:
        mantissa, exponent = f"{rounded:.{digits - 1}e}".split("e")
        return f"{_without_trailing_zeros(mantissa)}e{int(exponent)}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return _without_trailing_zeros(f"{rounded:,.{decimals}f}")


def factor(value: float, digits: int = 3) -> str:
    """Returns how many times as large something is: 0.31, 10,000, 10 million, 1e15; as `number`, without 1e7."""
    rounded = float(f"{value:.{digits - 1}e}")
    for size, name in ((1e9, "billion"), (1e6, "million")):
        if size <= rounded < 1e12:
            return f"{number(value / size, digits)} {name}"
    return number(value, digits)


def _without_trailing_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def jsonable(value: Any) -> Any:
    """Returns `value`; a non-finite float as a string, since JSON has no such numbers."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value
