"""Assembles the data of a run to launches, the same way for event files and for a data provider."""

from __future__ import annotations

from typing import Any

from ..schema import Tag
from .launch import Launch, SkipCounts
from .launch_builder import CellBudget, LaunchBuilder

MAX_LAUNCHES = 2000  # of one run
MAX_RUN_CELLS = 1 << 29  # values of all launches of a run
MAX_WAITING = 1 << 29  # bytes of one run that are not decoded yet


class RunAssembler:
    """Assembles the data of one run, put in any order and over any time; its Histories only grow.

    Args:
        maps: histograms, motion maps and tensors are assembled as well; all of a launch's must be put before
            `launches` is called.

    Attributes:
        skipped: what could not be read and belongs to no launch.
    """

    def __init__(self, *, maps: bool = False) -> None:
        self.skipped = SkipCounts()
        self._with_maps = maps
        self._builders: dict[str, LaunchBuilder] = {}
        self._waiting_bytes = 0
        self._budget = CellBudget(MAX_RUN_CELLS, MAX_RUN_CELLS)

    def __bool__(self) -> bool:
        """Whether any data were put."""
        return bool(self._builders)

    def put(self, tag: Tag, data: Any) -> None:
        """Adds the datum of a tag; anything but bytes counts as a damaged datum."""
        if tag.kind == "maps" and not self._with_maps:
            return
        if not isinstance(data, bytes):
            data = b""
        if tag.launch not in self._builders and len(self._builders) >= MAX_LAUNCHES:
            self.skipped[f"more than {MAX_LAUNCHES:,} launches in a run"] += 1
        elif self._waiting_bytes + len(data) > MAX_WAITING:
            self.skipped[f"more than {MAX_WAITING:,} bytes in a run"] += 1
        else:
            builder = self._builders.setdefault(tag.launch, LaunchBuilder(tag.launch, self._budget))
            self._waiting_bytes += builder.put(tag.kind, tag.number, data)

    def launches(self) -> list[Launch]:
        """Returns the launches, oldest first; missing data make a History incomplete and are counted."""
        self._waiting_bytes = 0
        launches: list[Launch] = []
        for builder in self._builders.values():
            launch = builder.build()
            if launch.now or len(launch.history) or launch.history.records:
                launches.append(launch)
            else:  # none of its data could be read
                self.skipped.update(launch.skipped)
                launch.skipped.clear()
        return sorted(launches, key=lambda launch: (launch.history.started, launch.history.launch))

    @property
    def nbytes(self) -> int:
        """About how many bytes of memory it takes."""
        return self._waiting_bytes + sum(8 * builder.cells + 2000 for builder in self._builders.values())
