"""Numbers as text, for people and for JSON."""

from __future__ import annotations

import math
from typing import Any

SNAP_DIGITS = 12  # significant digits; the rest differs between processors


def snapped(value: float) -> float:
    """Returns a number without its last bits, so that a number halfway between two roundings stays halfway."""
    return float(f"{value:.{SNAP_DIGITS - 1}e}")


def number(value: float, digits: int = 3) -> str:
    """Returns a number in the form that people read: 1.2e-5, 0.31, 12,300, NaN."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Inf" if value > 0 else "-Inf")
    if value == 0:
        return "0"
    rounded = float(f"{snapped(value):.{digits - 1}e}")
    if not 1e-3 <= abs(rounded) < 1e6:
        mantissa, exponent = f"{rounded:.{digits - 1}e}".split("e")
        return f"{_without_trailing_zeros(mantissa)}e{int(exponent)}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return _without_trailing_zeros(f"{rounded:,.{decimals}f}")


def _without_trailing_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def jsonable(value: Any) -> Any:
    """Returns `value`; a non-finite float as a string, since JSON has no such numbers."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value
