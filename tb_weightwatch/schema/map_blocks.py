"""Arrays of single variables (histograms, motion maps, tensors) to bytes and back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..maps import HISTOGRAMS, KINDS, MOTION, OCTAVES, SIDE, Map
from . import weightwatch_pb2 as pb
from .bounds import MAX_DIMENSIONS, MAX_ELEMENTS, MAX_STEP, MAX_TIME
from .decode_error import DecodeError
from .envelope import decode_envelope, encode_envelope
from .field_types import MAX_LABEL

PART = 1 << 24  # bytes of an array in one datum
_LEVEL_KINDS = (*HISTOGRAMS, *MOTION)  # a byte for each element; all other kinds are stored exactly
_LEVELS_PER_OCTAVE = 4
_EXACT_DTYPES = ("float16", "float32", "float64")


class MapPart(NamedTuple):
    """A part of an array, as one datum holds it.

    Attributes:
        map: its values are the flat elements of this part.
        shape: of the array as a whole.
        first: position of the first element of this part in the flat array.
    """

    map: Map
    shape: tuple[int, ...]
    first: int


def encode_maps(maps: Iterable[Map], *, started: float = 0.0) -> Iterator[bytes]:
    """Yields data that hold the arrays of one step; a large array is divided among several."""
    message, size = pb.Maps(), 0
    for one in maps:
        message.step, message.time = one.step, one.time
        values = np.asarray(one.values, order="C")  # ascontiguousarray would give a scalar a dimension
        is_exact = one.kind not in _LEVEL_KINDS
        if is_exact and values.dtype.name not in _EXACT_DTYPES:
            values = values.astype(np.float32)  # represents bfloat16 exactly
        flat = values.reshape(-1)
        elements_in_part = PART // (values.itemsize if is_exact else 1)
        for first in range(0, max(flat.size, 1), elements_in_part):
            elements = flat[first : first + elements_in_part]
            part = message.arrays.add(variable=one.variable, kind=one.kind, shape=values.shape, first=first)
            if is_exact:
                part.encoding, part.dtype = pb.Array.EXACT, values.dtype.name
                part.data = elements.astype(values.dtype.newbyteorder("<")).tobytes()
            else:
                part.top, part.data = _to_levels(elements)
            size += len(part.data)
            if size >= PART:
                yield encode_envelope("MAPS", message, started)
                message, size = pb.Maps(step=one.step, time=one.time), 0
    if message.arrays:
        yield encode_envelope("MAPS", message, started)


def decode_maps(data: bytes, tag: str = "") -> list[MapPart]:
    """Returns the arrays of a datum, or parts of them; those of kinds of later versions are left out.

    Args:
        data: the datum.
        tag: under which it was found; "": it is not checked.

    Raises:
        DecodeError: they cannot be read.
    """
    message, _ = decode_envelope("MAPS", data, pb.Maps, tag)
    if message.step > MAX_STEP:
        raise DecodeError("out of bounds: the step of arrays")
    step, time = max(0, message.step), message.time if abs(message.time) <= MAX_TIME else 0.0
    return [_decoded_part(array, step, time) for array in message.arrays if array.kind in KINDS]


def _decoded_part(array: pb.Array, step: int, time: float) -> MapPart:
    shape, is_exact = tuple(array.shape), array.encoding == pb.Array.EXACT
    if not _can_have(array.kind, shape, is_exact) or len(array.variable) > MAX_LABEL:
        raise DecodeError(f"out of bounds: an array of shape {shape[:4]}")
    values = _from_exact(array) if is_exact else _from_levels(array.top, array.data)
    if array.first + values.size > math.prod(shape):
        raise DecodeError(f"damaged: more elements than an array of shape {shape[:4]} has")
    return MapPart(Map(step, array.variable, array.kind, values, time), shape, array.first)


def _can_have(kind: str, shape: tuple[int, ...], is_exact: bool) -> bool:
    """Checks whether an array of this kind can have this shape and encoding."""
    if kind in HISTOGRAMS:
        return shape == (OCTAVES,) and not is_exact
    if kind in MOTION:
        return len(shape) == 2 and max(shape) <= SIDE and not is_exact
    return len(shape) <= MAX_DIMENSIONS and math.prod(shape) <= MAX_ELEMENTS and is_exact


def join_parts(parts: Iterable[MapPart]) -> tuple[list[Map], int]:
    """Returns the complete arrays, in the order of their first part, and how many incomplete ones were left out."""
    parts_of: dict[tuple[int, str, str], list[MapPart]] = {}
    for part in parts:
        parts_of.setdefault((part.map.step, part.map.variable, part.map.kind), []).append(part)
    arrays = [_joined(parts) for parts in parts_of.values()]
    return [array for array in arrays if array is not None], arrays.count(None)


def _joined(parts: list[MapPart]) -> Map | None:
    """Returns the array that all its parts make up; None if some are missing."""
    by_position = {part.first: part for part in parts}  # a part that was written twice counts once
    ordered = [by_position[first] for first in sorted(by_position)]
    ends = np.cumsum([0, *(part.map.values.size for part in ordered)])
    first, shape, _ = ordered[0]
    has_all = [part.first for part in ordered] == ends[:-1].tolist() and ends[-1] == math.prod(shape)
    if not has_all or any(part.shape != shape for part in ordered):
        return None
    values = np.concatenate([part.map.values for part in ordered]) if len(ordered) > 1 else first.values
    return Map(first.step, first.variable, first.kind, values.reshape(shape), first.time)


def map_as_stored(one: Map) -> Map:
    """Returns the array as a reader will get it."""
    (stored,), _ = join_parts(part for data in encode_maps([one]) for part in decode_maps(data))
    return stored


def _to_levels(values: NDArray[np.float64]) -> tuple[float, bytes]:
    """Returns the largest finite value, and a byte for each: 0 is zero, 255 not finite, else logarithmic below it."""
    finite = np.isfinite(values)
    top = float(values[finite].max(initial=0.0))
    codes = np.zeros(values.shape, np.uint8)
    positive = finite & (values > 0)
    below_top = _LEVELS_PER_OCTAVE * np.log2(top / values[positive].astype(np.float64)) if top else np.zeros(0)
    codes[positive] = np.clip(np.rint(254 - below_top), 1, 254)
    codes[~finite] = 255
    return top, codes.tobytes()


def _from_levels(top: float, data: bytes) -> NDArray[np.float32]:
    if len(data) > SIDE * SIDE:
        raise DecodeError("out of bounds: elements of a histogram or motion map")
    if not (math.isfinite(top) and top >= 0):
        raise DecodeError("damaged: an array without a scale")
    table = top * 2.0 ** ((np.arange(256) - 254.0) / _LEVELS_PER_OCTAVE)
    table[0], table[255] = 0.0, np.nan
    with np.errstate(over="ignore"):
        return table.astype(np.float32)[np.frombuffer(data, np.uint8)]


def _from_exact(array: pb.Array) -> NDArray[np.floating]:
    if array.dtype not in _EXACT_DTYPES or len(array.data) % np.dtype(array.dtype).itemsize:
        raise DecodeError(f"damaged: an array of type {array.dtype[:20]!r}")
    return np.frombuffer(array.data, np.dtype(array.dtype).newbyteorder("<")).astype(array.dtype)
