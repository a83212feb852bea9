"""Small curves as inline SVG: a quantity over the recorded steps, and the loss by learning rate."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..verdict import RateCurve, number
from .markup import BLUE, GREEN, RED, svg, text_element

_WIDTH, _HEIGHT = 384, 118
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 376, 26, 92  # of the plot
_LOG_RANGE = 50.0  # largest over smallest value from which an axis is logarithmic


class _Axis(NamedTuple):
    """A linear or logarithmic axis from `low` to `high`, drawn from pixel `start` to pixel `end`."""

    low: float
    high: float
    log: bool
    start: float
    end: float

    def pixels(self, values: Any) -> NDArray[np.float64]:
        """Returns where the values are drawn."""
        values = np.asarray(values, np.float64)
        low, high, shown = self.low, self.high, values
        if self.log:
            low, high, shown = math.log10(low), math.log10(high), np.log10(values)
        share = (shown - low) / (high - low) if high > low else np.full(shown.shape, 0.5)
        return np.asarray(self.start + share * (self.end - self.start))


def curve_svg(title: str, steps: NDArray[np.int64], values: NDArray[np.float64]) -> str:
    """Returns a curve of what was recorded; steps that were not recorded are gaps.

    NaN and infinities are marks above the curve. On a logarithmic axis zeros are marks below it.

    Args:
        title: name of the quantity.
        steps: `[N]` steps at which it was recorded, N >= 1.
        values: `[N]` its values.
    """
    finite = np.isfinite(values)
    positive = finite & (values > 0)
    low, high = (float(f(values[positive])) if positive.any() else 1.0 for f in (np.min, np.max))
    log = bool(positive.any() and not (values[finite] < 0).any() and high > _LOG_RANGE * low)
    drawn = positive if log else finite
    if not log and finite.any():
        low, high = float(values[finite].min()), float(values[finite].max())
    x = _Axis(float(steps[0]), float(steps[-1]), False, _LEFT, _RIGHT)
    y = _Axis(low, high, log, _BOTTOM - 4, _TOP + 6)
    parts = [_frame(), f'<path d="{_path(steps[drawn], values[drawn], x, y)}" {_stroke(BLUE)}/>']
    parts += _marks(x.pixels(steps[~finite]), _TOP, "NaN, Inf", RED)
    if log:
        parts += _marks(x.pixels(steps[finite & ~positive]), _BOTTOM + 1, "0", BLUE)
    parts.append(text_element(0, 12, title + (", log scale" if log else ""), 'font-weight="600"'))
    parts.append(text_element(_RIGHT, 12, f"last: {number(float(values[-1]))}", 'text-anchor="end"'))
    for value in {high, low} if drawn.any() else ():
        parts.append(_label(_LEFT - 4, float(y.pixels(value)) + 3, number(value), "end"))
    parts.append(_label(_LEFT, _HEIGHT - 6, f"step {steps[0]:,}"))
    parts.append(_label(_RIGHT, _HEIGHT - 6, f"{steps[-1]:,}", "end"))
    return svg(_WIDTH, _HEIGHT, f"{title}, {number(float(values[0]))} to {number(float(values[-1]))}", "".join(parts))


def _path(steps: NDArray[np.int64], values: NDArray[np.float64], x: _Axis, y: _Axis) -> str:
    """Returns the path: a column of pixels goes from its smallest to its largest value; gaps are not bridged."""
    if not len(steps):
        return ""
    column = np.rint(x.pixels(steps) / 2).astype(int) * 2
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    ends = np.append(starts[1:], len(steps)) - 1
    lowest, highest = (y.pixels(f.reduceat(values, starts)) for f in (np.minimum, np.maximum))
    seen = 2 * max(1.0, (x.high - x.low) / (_RIGHT - _LEFT))  # a gap of fewer steps cannot be seen
    parts = []
    for index, start in enumerate(starts):
        gap = steps[start] - steps[ends[index - 1]] if index else np.inf
        command = "L" if gap == 1 or gap < seen else "M"
        stroke = f"V{highest[index]:.1f}" if lowest[index] - highest[index] > 0.5 else "h0" if command == "M" else ""
        parts.append(f"{command}{column[start]} {lowest[index]:.1f}{stroke}")
    return "".join(parts)


def _stroke(colour: str) -> str:
    return f'fill="none" stroke="{colour}" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"'


def _frame() -> str:
    return f'<path d="M{_LEFT} {_TOP}V{_BOTTOM + 4}H{_RIGHT}" fill="none" stroke="currentColor" stroke-opacity=".4"/>'


def _marks(pixels: NDArray[np.float64], y: float, label: str, colour: str) -> Iterator[str]:
    """Yields short strokes at a height that has no number of its own, with the label of that height."""
    places = np.unique(np.rint(pixels).astype(int))
    if len(places):
        yield f'<path d="{"".join(f"M{place} {y}v3" for place in places)}" {_stroke(colour)}/>'
        yield _label(_LEFT - 4, y + 4, label, "end")


def _label(x: float, y: float, text: str, anchor: str = "start") -> str:
    return text_element(x, y, text, f'text-anchor="{anchor}" font-size="10" opacity=".75"')


def rates_svg(curve: RateCurve) -> str:
    """Returns how far the loss falls by learning rate: a dot for each rate that was tried, the present rate marked.

    A loss that rises, or is not finite, is a red dot on the lower edge.
    """
    known = [(rate, fall) for rate, fall in zip(curve.rates, curve.falls, strict=True) if rate > 0]
    if not known:
        return ""
    rates, falls = (np.array(side, np.float64) for side in zip(*known, strict=True))
    rises = ~(falls >= 0)
    best = max([0.01, *falls[~rises]])
    x, y = _Axis(rates.min(), rates.max(), True, _LEFT + 8, _RIGHT - 8), _Axis(0.0, best, False, _BOTTOM, _TOP + 6)
    across, down = x.pixels(rates), y.pixels(np.where(rises, 0.0, falls))
    parts = [_frame(), text_element(0, 12, "Fall of the loss by learning rate", 'font-weight="600"')]
    if rises.any():
        parts.append(text_element(_RIGHT, 12, "red: it rises or is not finite", 'text-anchor="end"'))
    parts += _rate_line("present", curve.present, "currentColor", x)
    parts += _rate_line("recommended", curve.recommended, GREEN, x)
    parts += [
        f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="3" fill="{RED if rising else BLUE}"/>'
        for cx, cy, rising in zip(across, down, rises, strict=True)
    ]
    for share in (0.0, best):
        parts.append(_label(_LEFT - 4, float(y.pixels(share)) + 3, f"{number(100 * share)} %", "end"))
    parts.append(_label(_LEFT, _HEIGHT - 6, number(float(rates.min()))))
    parts.append(_label(_RIGHT, _HEIGHT - 6, number(float(rates.max())), "end"))
    return svg(_WIDTH, _HEIGHT, "fall of the loss by learning rate", "".join(parts))


def _rate_line(name: str, rate: float | None, colour: str, x: _Axis) -> Iterator[str]:
    """Yields a vertical line at a learning rate, and its label, if it lies on the axis."""
    if rate is not None and x.low <= rate <= x.high:
        place = float(x.pixels(rate))
        yield f'<path d="M{place:.1f} {_TOP}V{_BOTTOM + 4}" stroke="{colour}" stroke-dasharray="3 3"/>'
        is_left = place < (_LEFT + _RIGHT) / 2
        yield _label(place + (4 if is_left else -4), _TOP + 4, f"{name}: {number(rate)}", "start" if is_left else "end")
