"""Arrays of single variables (histograms, motion maps, tensors) to bytes and back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from google.protobuf.message import DecodeError as _ProtobufError
from numpy.typing import NDArray

from ..maps import HISTOGRAMS, MOTION, Map
from . import weightwatch_pb2 as pb
from .envelope import DecodeError, seal, unseal

MAX_ELEMENTS = 1 << 30  # of one array
PART = 1 << 24  # bytes of an array in one datum
_LEVELS = (*HISTOGRAMS, *MOTION)
_STEPS = 4  # levels to an octave
_EXACT = ("float16", "float32", "float64")


class Part(NamedTuple):
    """A piece of an array: its elements from `first` on, flat; `whole` has the shape and no elements of its own."""

    map: Map
    shape: tuple[int, ...]
    first: int


def encode_maps(maps: Iterable[Map], *, started: float = 0.0) -> Iterator[bytes]:
    """Yields data that hold the arrays of one step; a large one is divided among several."""
    message, size = pb.Maps(), 0
    for one in maps:
        message.step, message.time = one.step, one.time
        values = np.asarray(one.values, order="C")  # ascontiguousarray would give a scalar a dimension
        exact = one.kind not in _LEVELS
        if exact and values.dtype.name not in _EXACT:
            values = values.astype(np.float32)  # bfloat16 is exact in it
        flat = values.reshape(-1)
        per = PART // (values.itemsize if exact else 1)
        for first in range(0, max(flat.size, 1), per):
            piece = flat[first : first + per]
            part = message.arrays.add(variable=one.variable, kind=one.kind, shape=values.shape, first=first)
            if exact:
                part.encoding, part.dtype = pb.Array.EXACT, values.dtype.name
                part.data = piece.astype(values.dtype.newbyteorder("<")).tobytes()
            else:
                part.top, part.data = _levels(piece)
            size += len(part.data)
            if size >= PART:
                yield seal("MAPS", message, started)
                message, size = pb.Maps(step=one.step, time=one.time), 0
    if message.arrays:
        yield seal("MAPS", message, started)


def decode_maps(data: bytes) -> list[Part]:
    """Returns the arrays of a datum, or parts of them.

    Raises:
        DecodeError: they can not be read.
    """
    body, _ = unseal("MAPS", data)
    try:
        message = pb.Maps.FromString(body)
    except _ProtobufError:
        raise DecodeError("damaged: not arrays") from None
    time = message.time if math.isfinite(message.time) else 0.0
    found = []
    for one in message.arrays:
        shape = tuple(one.shape)
        if math.prod(shape) > MAX_ELEMENTS or len(shape) > 32:
            raise DecodeError(f"out of bounds: an array of shape {shape[:8]}")
        values = _exact(one) if one.encoding == pb.Array.EXACT else _values(one.top, one.data)
        if one.first + values.size > math.prod(shape):
            raise DecodeError(f"damaged: more elements than an array of shape {shape} has")
        found.append(Part(Map(max(0, message.step), one.variable, one.kind, values, time), shape, one.first))
    return found


def join_parts(parts: Iterable[Part]) -> tuple[list[Map], int]:
    """Returns whole arrays in the order of their first part, and how many lack elements and were left out."""
    found: dict[tuple[int, str, str], list[Part]] = {}
    for part in parts:
        found.setdefault((part.map.step, part.map.variable, part.map.kind), []).append(part)
    whole, lacking = [], 0
    for pieces in found.values():
        held = {piece.first: piece for piece in pieces}  # one that stands there twice counts once
        ordered = [held[first] for first in sorted(held)]
        ends = np.cumsum([0, *(piece.map.values.size for piece in ordered)])
        one, shape, _ = ordered[0]
        complete = [piece.first for piece in ordered] == ends[:-1].tolist() and ends[-1] == math.prod(shape)
        if not complete or any(piece.shape != shape for piece in ordered):
            lacking += 1
            continue
        values = np.concatenate([piece.map.values for piece in ordered]) if len(ordered) > 1 else one.values
        whole.append(Map(one.step, one.variable, one.kind, values.reshape(shape), one.time))
    return whole, lacking


def map_as_stored(one: Map) -> Map:
    """Returns the array as a reader will get it."""
    (found,), _ = join_parts(part for data in encode_maps([one]) for part in decode_maps(data))
    return found


def _levels(values: NDArray[np.float64]) -> tuple[float, bytes]:
    finite = np.isfinite(values)
    top = float(values[finite].max(initial=0.0))
    codes = np.zeros(values.shape, np.uint8)
    some = finite & (values > 0)
    below = _STEPS * np.log2(top / values[some].astype(np.float64)) if top else np.zeros(0)
    codes[some] = np.clip(np.rint(254 - below), 1, 254)
    codes[~finite] = 255
    return top, codes.tobytes()


def _values(top: float, data: bytes) -> NDArray[np.float32]:
    if not (math.isfinite(top) and top >= 0):
        raise DecodeError("damaged: an array without a scale")
    table = top * 2.0 ** ((np.arange(256) - 254.0) / _STEPS)
    table[0], table[255] = 0.0, np.nan
    with np.errstate(over="ignore"):
        return table.astype(np.float32)[np.frombuffer(data, np.uint8)]


def _exact(one: pb.Array) -> NDArray[np.floating]:
    if one.dtype not in _EXACT or len(one.data) % np.dtype(one.dtype).itemsize:
        raise DecodeError(f"damaged: an array of type {one.dtype[:20]!r}")
    return np.frombuffer(one.data, np.dtype(one.dtype).newbyteorder("<")).astype(one.dtype)
