"""Assembles the data of a run to launches, the same way for event files and for a data provider."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..schema import MAX_DATA, MAX_LAUNCHES, MAX_RUN_CELLS, MAX_WAITING, Tag, ValueBudget
from .budgets import CellBudget, RunBudgets
from .launch import Launch, SkipCounts
from .launch_builder import LaunchBuilder


class RunAssembler:
    """Assembles the data of one run, put in any order and over any time; its Histories only grow.

    Args:
        maps: histograms, motion maps and tensors are assembled as well; all of a launch's must be put before
            `launches` is called.
        shared: the JSON values that the dated records of all runs may hold together; None: there is no such limit.
        guaranteed: how many of them this run may hold in any case.

    Attributes:
        skipped: what could not be read and belongs to no launch.
    """

    def __init__(self, *, maps: bool = False, shared: ValueBudget | None = None, guaranteed: int = 0) -> None:
        self.skipped = SkipCounts()
        self._with_maps = maps
        self._builders: dict[str, LaunchBuilder] = {}
        self._waiting_bytes = self._data = 0
        records = ValueBudget(shared=shared, guaranteed=guaranteed)
        self._budgets = RunBudgets(CellBudget(MAX_RUN_CELLS, MAX_RUN_CELLS), records)

    def __bool__(self) -> bool:
        """Whether any data were put."""
        return bool(self._builders)

    def put(self, tag: Tag, data: Any) -> None:
        """Adds the datum of a tag; anything but bytes counts as a damaged datum."""
        if tag.kind == "maps" and not self._with_maps:
            return
        if not isinstance(data, bytes):
            data = b""
        builder = self._builders.get(tag.launch)
        if builder is None and len(self._builders) >= MAX_LAUNCHES:
            self.skipped.note(f"more than {MAX_LAUNCHES:,} launches in a run")
        elif self._waiting_bytes + len(data) > MAX_WAITING:
            self.skipped.note(f"more than {MAX_WAITING:,} bytes in a run")
        elif self._data >= MAX_DATA and (builder is None or not builder.has_read(tag)):
            self.skipped.note(f"more than {MAX_DATA:,} data in a run")
        else:
            if builder is None:
                builder = self._builders[tag.launch] = LaunchBuilder(tag.launch, self._budgets)
            self._data += not builder.has_read(tag)
            self._waiting_bytes += builder.put(tag, data)

    def launches(self, kinds_read: Collection[str] = ("header", "rows"), *, settled: bool = False) -> list[Launch]:
        """Returns the launches, oldest first; missing data make a History incomplete and are counted.

        Args:
            kinds_read: as for `LaunchBuilder.build`.
            settled: as for `LaunchBuilder.build`.
        """
        self._waiting_bytes = 0
        launches: list[Launch] = []
        for builder in self._builders.values():
            launch = builder.build(kinds_read, settled=settled)
            if launch.now or len(launch.history) or launch.history.records:
                launches.append(launch)
            else:  # none of its data could be read
                self.skipped.note_all(launch.skipped)
                launch.skipped.clear()
        return sorted(launches, key=lambda launch: (launch.history.started, launch.history.launch))

    def forget(self) -> None:
        """Gives back what its dated records took of what all runs may hold."""
        self._budgets.records.give_back()

    @property
    def nbytes(self) -> int:
        """About how many bytes of memory it takes, dated records excepted, which have a bound of their own."""
        return self._waiting_bytes + sum(8 * builder.cells + 2000 for builder in self._builders.values())
