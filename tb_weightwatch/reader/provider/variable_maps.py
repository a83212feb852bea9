"""Reads the histograms and motion maps of one variable from data that hold those of all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ... import schema
from ...maps import HISTOGRAMS, MOTION, Map
from ...schema import ARRAY_BYTES
from ..budgets import ArrayBudget
from .tag_versions import TagVersions, map_tags
from .tensor_fetcher import MAX_BYTES, MAX_TAGS, TensorFetcher

MAX_MAPS = 1 << 27  # bytes of data that are searched for one variable


def read_variable_maps(
    fetcher: TensorFetcher, where: tuple[Any, str, str], tags: TagVersions, launch: str, variable: str
) -> tuple[list[Map], int]:
    """Returns the histograms and motion maps of a variable, and how many data were left unread.

    The newest data are read first, until they have `MAX_MAPS` bytes. Nothing is cached.

    Args:
        fetcher: reads the data.
        where: request context, experiment and run.
        tags: of the run.
        launch: identifier of the launch.
        variable: its name.
    """
    ctx, experiment, run = where
    newest_first = sorted(map_tags(tags, launch), reverse=True)
    maps: list[Map] = []
    budget = ArrayBudget()
    data_read, bytes_read, batch_size = 0, 0, 2
    while data_read < len(newest_first) and bytes_read < MAX_MAPS and not budget.refused:
        batch = newest_first[data_read : data_read + batch_size]
        data = fetcher.fetch(ctx, experiment, [run], batch).get(run, {})
        maps += maps_of_variable(filter(None, data.values()), variable, budget)
        sizes = [len(content or b"") for content in data.values()]
        data_read, bytes_read = data_read + len(batch), bytes_read + sum(sizes)
        batch_size = max(1, min(MAX_TAGS, MAX_BYTES // max(*sizes, 1 << 16)))
    return maps, len(newest_first) - data_read


def maps_of_variable(data: Iterable[bytes], variable: str, budget: ArrayBudget) -> list[Map]:
    """Returns the variable's histograms and motion maps, without full tensors; damaged data are left out.

    Args:
        data: the data that hold them.
        variable: its name.
        budget: how many bytes they may take.
    """
    parts: list[schema.MapPart] = []
    for datum in data:
        try:
            decoded = schema.decode_maps(datum)
        except schema.DecodeError:
            continue
        budget.earn(len(datum))
        parts += [
            part
            for part in decoded
            if part.map.variable == variable
            and part.map.kind in (*HISTOGRAMS, *MOTION)
            and budget.take(ARRAY_BYTES + part.map.values.nbytes)
        ]
    maps, _ = schema.join_parts(parts)
    return maps
