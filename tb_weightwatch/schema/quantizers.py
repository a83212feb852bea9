"""Numbers to integer codes and back, element by element: what the encodings keep and what they round.

Nothing here depends on a neighbour, on chunking or on a logarithm of the machine: codes of "size" and "share" are the
leading bits of the number itself, so rounding is the same everywhere and reading back what was read changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[Any]
_BITS = 7  # of mantissa: steps of 0.4 to 0.8 %
_SHIFT = 52 - _BITS
_HALF = np.int64(1 << (_SHIFT - 1))
_NAN, _INF, _MINUS_INF = 65535, 65534, 65533
_TINY, _HUGE = 2.0**-149, float(np.finfo(np.float32).max)
_COSINE_STEPS = 512


class Codec(NamedTuple):
    """Encoding of one kind: values (float64) to unsigned codes, and back: to float32, counts to float64."""

    encode: Callable[[NDArray[np.float64]], Codes]
    decode: Callable[[Codes], NDArray[Any]]
    dtype: type[np.unsignedinteger[Any]]


def _leading(values: NDArray[np.float64], exponent: int) -> NDArray[np.int64]:
    """Returns sign-less leading bits, rounded, counted from 2**exponent; grows with the value."""
    return ((values.view(np.int64) + _HALF) >> _SHIFT) - ((1023 + exponent) << _BITS)


def _value(codes: NDArray[np.int64], exponent: int) -> NDArray[np.float64]:
    return ((codes + ((1023 + exponent) << _BITS)) << _SHIFT).view(np.float64)


def _mark(codes: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Puts the codes of NaN and infinities where they belong."""
    if not np.isfinite(values).all():
        codes = np.where(np.isnan(values), _NAN, codes)
        codes = np.where(np.isposinf(values), _INF, codes)
        codes = np.where(np.isneginf(values), _MINUS_INF, codes)
    return codes.astype(np.uint16)


def _table(finite: NDArray[np.float64]) -> NDArray[np.float32]:
    table = np.full(65536, np.nan, np.float32)
    table[: len(finite)] = finite  # exact: no code stands for what float32 can not hold
    table[_INF], table[_MINUS_INF] = np.inf, -np.inf
    return table


# -- size: 0, then 2^-149 ... the largest float32

_SIZE_CODES = (127 + 149 << _BITS) + (1 << _BITS)


def _size_encode(values: NDArray[np.float64]) -> Codes:
    codes = np.clip(_leading(values, -149) + 1, 1, _SIZE_CODES)
    codes[values == 0] = 0
    if (values < 0).any():  # no size: not a number
        values = np.where(values < 0, np.where(np.isinf(values), values, np.nan), values)
    return _mark(codes, values)


_SIZES = _table(np.concatenate([[0.0], _value(np.arange(_SIZE_CODES), -149).astype(np.float32).astype(np.float64)]))

# -- share: 0, then 2^-64 ... 1/2 by the share, 1/2 ... 1 - 2^-24 (float32's last below 1) by what is missing, 1

_LOW, _HIGH = 63 << _BITS, 23 << _BITS


def _share_encode(values: NDArray[np.float64]) -> Codes:
    low = np.clip(_leading(values, -64), 0, _LOW)
    high = _LOW + _HIGH - np.clip(_leading(1.0 - values, -24), 0, _HIGH)
    codes = np.where(values <= 0.5, low, high) + 1
    codes[values <= 0] = 0
    codes[values >= 1] = _LOW + _HIGH + 2
    return _mark(codes, values)


_SHARES = _table(
    np.concatenate(
        [
            [0.0],
            _value(np.arange(_LOW + 1), -64),
            (1.0 - _value(np.arange(_HIGH)[::-1], -24)).astype(np.float32).astype(np.float64),
            [1.0],
        ]
    )
)

# -- cosine, flag


def _cosine_encode(values: NDArray[np.float64]) -> Codes:
    steps = np.rint(np.clip(np.where(np.isfinite(values), values, 0.0), -1, 1) * _COSINE_STEPS)
    return _mark(steps.astype(np.int64) + _COSINE_STEPS, values)


_COSINES = _table(np.arange(-_COSINE_STEPS, _COSINE_STEPS + 1) / _COSINE_STEPS)


def _flag_encode(values: NDArray[np.float64]) -> Codes:
    return _mark((values != 0).astype(np.int64), values)


_FLAGS = _table(np.array([0.0, 1.0]))

# -- count: int64 as it is; NaN and infinities at the ends of the range

_LIMIT = 1 << 62


def _count_encode(values: NDArray[np.float64]) -> Codes:
    finite = np.isfinite(values)
    codes = np.rint(np.clip(np.where(finite, values, 0.0), -_LIMIT, _LIMIT)).astype(np.int64)
    if not finite.all():
        marks = np.where(np.isnan(values), _LIMIT + 1, np.where(values > 0, _LIMIT + 2, -_LIMIT - 2))
        codes = np.where(finite, codes, marks)
    return np.asarray(codes.view(np.uint64))


def _count_decode(codes: Codes) -> NDArray[np.float64]:
    signed = codes.view(np.int64)
    values = signed.astype(np.float64)
    odd = (signed > _LIMIT) | (signed < -_LIMIT)
    if odd.any():
        values[odd] = np.where(signed[odd] == _LIMIT + 1, np.nan, np.sign(signed[odd]) * np.inf)
    return values


# -- exact: float32; what is finite stays finite, what is not zero stays so


def _exact_encode(values: NDArray[np.float64]) -> Codes:
    with np.errstate(over="ignore", under="ignore"):
        single = values.astype(np.float32)
    forged = np.isinf(single) & np.isfinite(values)
    single[forged] = np.copysign(_HUGE, values[forged])
    forged = (single == 0) & (values != 0)
    single[forged] = np.copysign(_TINY, values[forged])
    single[np.isnan(single)] = np.nan
    return single.view(np.uint32)


def _exact_decode(codes: Codes) -> NDArray[np.float32]:
    return codes.view(np.float32)


def _looked_up(table: NDArray[np.float32]) -> Callable[[Codes], NDArray[np.float32]]:
    return table.take


CODECS: dict[str, Codec] = {
    "size": Codec(_size_encode, _looked_up(_SIZES), np.uint16),
    "share": Codec(_share_encode, _looked_up(_SHARES), np.uint16),
    "count": Codec(_count_encode, _count_decode, np.uint64),
    "flag": Codec(_flag_encode, _looked_up(_FLAGS), np.uint16),
    "cosine": Codec(_cosine_encode, _looked_up(_COSINES), np.uint16),
    "exact": Codec(_exact_encode, _exact_decode, np.uint32),
}
