"""Numbers to integer codes and back, element by element: what each encoding preserves and what it rounds.

A code depends on its number alone, not on its neighbours, nor on the machine's logarithm: codes of "size" and "share"
are the leading bits of the number itself. So rounding is the same everywhere, and numbers that were read once do not
change when they are written and read again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[Any]
_BITS = 7  # of the mantissa: steps of 0.4 to 0.8 %
_SHIFT = 52 - _BITS
_HALF = np.int64(1 << (_SHIFT - 1))
_NAN, _INF, _MINUS_INF = 65535, 65534, 65533
_TINY, _HUGE = 2.0**-149, float(np.finfo(np.float32).max)
_COSINE_STEPS = 512


class Codec(NamedTuple):
    """Encodes and decodes numbers of one kind.

    Attributes:
        encode: float64 values to unsigned codes.
        decode: codes to float32 values, counts to float64.
        dtype: of the codes.
    """

    encode: Callable[[NDArray[np.float64]], Codes]
    decode: Callable[[Codes], NDArray[Any]]
    dtype: type[np.unsignedinteger[Any]]

    @property
    def itemsize(self) -> int:
        """Bytes of a code."""
        return np.dtype(self.dtype).itemsize


def _leading_bits(values: NDArray[np.float64], exponent: int) -> NDArray[np.int64]:
    """Returns the leading bits of positive values, rounded, counted from 2**exponent; they grow with the value."""
    return ((values.view(np.int64) + _HALF) >> _SHIFT) - ((1023 + exponent) << _BITS)


def _from_leading_bits(codes: NDArray[np.int64], exponent: int) -> NDArray[np.float64]:
    return ((codes + ((1023 + exponent) << _BITS)) << _SHIFT).view(np.float64)


def _with_nonfinite(codes: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Replaces the codes of values that are NaN or infinite."""
    if not np.isfinite(values).all():
        codes = np.where(np.isnan(values), _NAN, codes)
        codes = np.where(np.isposinf(values), _INF, codes)
        codes = np.where(np.isneginf(values), _MINUS_INF, codes)
    return codes.astype(np.uint16)


def _lookup_table(finite: NDArray[np.float64]) -> NDArray[np.float32]:
    table = np.full(65536, np.nan, np.float32)
    table[: len(finite)] = finite  # exact: each is a float32
    table[_INF], table[_MINUS_INF] = np.inf, -np.inf
    return table


# -- size: 0, then from 2^-149 to the largest float32

_SIZE_CODES = (127 + 149 << _BITS) + (1 << _BITS)


def _size_encode(values: NDArray[np.float64]) -> Codes:
    codes = np.clip(_leading_bits(values, -149) + 1, 1, _SIZE_CODES)
    codes[values == 0] = 0
    if (values < 0).any():  # a size is never negative: NaN
        values = np.where(values < 0, np.where(np.isinf(values), values, np.nan), values)
    return _with_nonfinite(codes, values)


_SIZE_VALUES = _lookup_table(
    np.concatenate([[0.0], _from_leading_bits(np.arange(_SIZE_CODES), -149).astype(np.float32).astype(np.float64)])
)

_FIRST_NORMAL = (149 - 126 << _BITS) + 1  # code of 2^-126: from here on, a code and the leading bits of a float32 ...
_BIAS = (149 - 127 << _BITS) + 1  # ... differ by this


def _size_decode(codes: Codes) -> NDArray[np.float32]:
    bits = codes.astype(np.uint32)
    bits -= np.uint32(_BIAS)
    bits <<= np.uint32(16)
    values = bits.view(np.float32)
    others = codes - np.uint16(_FIRST_NORMAL) > _SIZE_CODES - _FIRST_NORMAL  # 0, subnormal, not finite: wraps around
    if others.any():
        values[others] = _SIZE_VALUES[codes[others]]
    return values


# -- share: 0; from 2^-64 to 1/2 by the share; from 1/2 to 1 - 2^-24 (the float32 before 1) by its distance from 1; 1

_LOW_CODES, _HIGH_CODES = 63 << _BITS, 23 << _BITS


def _share_encode(values: NDArray[np.float64]) -> Codes:
    low = np.clip(_leading_bits(values, -64), 0, _LOW_CODES)
    high = _LOW_CODES + _HIGH_CODES - np.clip(_leading_bits(1.0 - values, -24), 0, _HIGH_CODES)
    codes = np.where(values <= 0.5, low, high) + 1
    codes[values <= 0] = 0
    codes[values >= 1] = _LOW_CODES + _HIGH_CODES + 2
    return _with_nonfinite(codes, values)


_SHARE_VALUES = _lookup_table(
    np.concatenate(
        [
            [0.0],
            _from_leading_bits(np.arange(_LOW_CODES + 1), -64),
            (1.0 - _from_leading_bits(np.arange(_HIGH_CODES)[::-1], -24)).astype(np.float32).astype(np.float64),
            [1.0],
        ]
    )
)

# -- cosine, flag


def _cosine_encode(values: NDArray[np.float64]) -> Codes:
    steps = np.rint(np.clip(np.where(np.isfinite(values), values, 0.0), -1, 1) * _COSINE_STEPS)
    return _with_nonfinite(steps.astype(np.int64) + _COSINE_STEPS, values)


_COSINE_VALUES = _lookup_table(np.arange(-_COSINE_STEPS, _COSINE_STEPS + 1) / _COSINE_STEPS)


def _flag_encode(values: NDArray[np.float64]) -> Codes:
    return _with_nonfinite((values != 0).astype(np.int64), values)


_FLAG_VALUES = _lookup_table(np.array([0.0, 1.0]))

# -- count: int64; NaN and infinities have codes at the ends of its range

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
    nonfinite = (signed > _LIMIT) | (signed < -_LIMIT)
    if nonfinite.any():
        marks = signed[nonfinite]
        values[nonfinite] = np.where(marks == _LIMIT + 1, np.nan, np.sign(marks) * np.inf)
    return values


# -- exact: float32; a finite number stays finite, a number that is not zero stays so


def _exact_encode(values: NDArray[np.float64]) -> Codes:
    with np.errstate(over="ignore", under="ignore"):
        single = values.astype(np.float32)
    overflowed = np.isinf(single) & np.isfinite(values)
    single[overflowed] = np.copysign(_HUGE, values[overflowed])
    underflowed = (single == 0) & (values != 0)
    single[underflowed] = np.copysign(_TINY, values[underflowed])
    single[np.isnan(single)] = np.nan
    return single.view(np.uint32)


def _exact_decode(codes: Codes) -> NDArray[np.float32]:
    return codes.view(np.float32)


def _lookup(table: NDArray[np.float32]) -> Callable[[Codes], NDArray[np.float32]]:
    return lambda codes: table.take(codes, mode="wrap")  # every 16 bits have a value: NumPy need not look whether


CODECS: dict[str, Codec] = {
    "size": Codec(_size_encode, _size_decode, np.uint16),
    "share": Codec(_share_encode, _lookup(_SHARE_VALUES), np.uint16),
    "count": Codec(_count_encode, _count_decode, np.uint64),
    "flag": Codec(_flag_encode, _lookup(_FLAG_VALUES), np.uint16),
    "cosine": Codec(_cosine_encode, _lookup(_COSINE_VALUES), np.uint16),
    "exact": Codec(_exact_encode, _exact_decode, np.uint32),
}
