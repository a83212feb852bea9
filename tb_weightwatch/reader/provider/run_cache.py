"""What was read of a run through a data provider."""

from __future__ import annotations

import threading
from typing import Any

from ...history import History
from ..assembly import Launch, RunAssembler, SkipCounts
from .change_stamps import LIGHT, TagVersions, changed_tags
from .third_party_runs import Written


class CachedRun:
    """What was read of a run.

    Attributes:
        revision: changes when the run's data do.
        launches: oldest first.
        skipped: what could not be read and belongs to no launch.
        maps: launch -> what changes when arrays of single variables come; they are read on demand.
        memo: for what is derived from this revision; emptied when it changes.
        foreign: what was read of a run that somebody else wrote; None for one of ours.
    """

    def __init__(self) -> None:
        self.revision = ""
        self.launches: list[Launch] = []
        self.maps: dict[str, str] = {}
        self.memo: dict[Any, Any] = {}
        self.foreign: Written | None = None
        self._assembly = RunAssembler()
        self._seen: TagVersions = {}
        self._listed: TagVersions = {}  # as of the last time
        self._lock = threading.RLock()

    @property
    def skipped(self) -> SkipCounts:
        """What was skipped while reading the run, and how often."""
        return self._assembly.skipped

    def changed(self, stamps: TagVersions) -> list[str]:
        """Returns the tags of dated records and states to read; a poll of what ended costs no more than a look."""
        return [] if stamps == self._listed else changed_tags(self._seen, stamps, LIGHT)

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        if self.foreign is not None:
            return sum(_nbytes(one.history) for one in self.launches) + self.foreign.curves.nbytes
        return self._assembly.nbytes + 300 * len(self._seen)

    def take_foreign(self, launches: list[Launch], revision: str) -> None:
        """Takes the launches of a run that somebody else wrote."""
        self.launches, self.revision = launches, revision
        self.memo.clear()

    def bare(self) -> CachedRun:
        """Returns a run that somebody else wrote without rows and curves, which come again when it is opened."""
        found = CachedRun()
        found.revision, found.foreign = self.revision, Written()
        found.launches = [Launch(_without_rows(x.history), x.now, x.skipped) for x in self.launches]
        return found


def _nbytes(history: History) -> int:
    """Returns about how much memory a History's rows take."""
    width = 5 * len(history.described("variables"))
    return len(history) * (width * len(history.columns("variable")) + 9 * len(history.columns("run")))


def _without_rows(history: History) -> History:
    """Returns a History with the dated records alone."""
    bare = History(history.launch, started=history.started, complete=history.complete)
    for record in history.records:
        bare.add(record)
    return bare
