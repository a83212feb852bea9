"""Histograms and motion maps of one variable, picked from data that hold those of all."""

from __future__ import annotations

from collections.abc import Iterable

from ... import schema
from ...maps import HISTOGRAMS, MOTION, Map


def of_variable(data: Iterable[bytes], variable: str) -> list[Map]:
    """Returns the variable's histograms and motion maps; what can not be read is left out, and so are full tensors."""
    parts: list[schema.MapPart] = []
    for one in data:
        try:
            found = schema.decode_maps(one)
        except schema.DecodeError:
            continue
        parts += [p for p in found if p.map.variable == variable and p.map.kind in (*HISTOGRAMS, *MOTION)]
    whole, _ = schema.join_parts(parts)
    return whole
