"""What was read of a run through a data provider."""

from __future__ import annotations

import threading
from typing import Any

from ... import schema
from ...history import History
from ...schema import GUARANTEED_VALUES, ValueBudget
from ..assembly import RunAssembler
from ..launch import Launch, SkipCounts
from .tag_versions import STATUS_KINDS, TagVersions, changed_tags, launches_of, map_tags, restarted, revision_of
from .tensor_fetcher import Data
from .third_party_runs import ThirdPartyRun


class CachedRun:
    """What was read of a run.

    Args:
        shared: the JSON values that the dated records of all runs may hold together; None: there is no such limit.

    Attributes:
        revision: changes when the run's data do; "" before anything was read.
        launches: oldest first.
        map_revisions: launch -> a digest that changes when arrays of single variables come; they are read on demand.
        memo: cache for what is derived from this revision; emptied when it changes.
        third_party: what was read of a third-party run; None for a run of tb_weightwatch.
        lock: to be held while the run is read.
    """

    def __init__(self, shared: ValueBudget | None = None) -> None:
        self.revision = ""
        self.launches: list[Launch] = []
        self.map_revisions: dict[str, str] = {}
        self.memo: dict[Any, Any] = {}
        self.third_party: ThirdPartyRun | None = None
        self.lock = threading.RLock()
        self._shared = shared
        self._assembler = self._new_assembler()
        self._has_rows = False
        self._read: TagVersions = {}
        self._listed: TagVersions = {}  # by the last update

    @property
    def skipped(self) -> SkipCounts:
        """What could not be read and belongs to no launch."""
        return self._assembler.skipped

    def changed_statuses(self, listed: TagVersions) -> list[str]:
        """Returns the tags of dated records and statuses to read; for a run that has ended it costs next to nothing."""
        return [] if listed == self._listed else changed_tags(self._read, listed, STATUS_KINDS)

    def changed_tags(self, listed: TagVersions) -> list[str]:
        """Returns all tags to read."""
        return changed_tags(self._read, listed)

    def update(self, listed: TagVersions, changed: list[str], data: Data, *, with_rows: bool = False) -> None:
        """Adds the data of the changed tags.

        Args:
            listed: all tags of the run with their versions.
            changed: those that were requested.
            data: those that came; the others will be requested again.
            with_rows: whether tags of rows were requested as well.
        """
        if not changed and listed == self._listed and self._has_rows >= with_rows:
            return
        if restarted(self._read, listed):
            self.forget()
            self._assembler, self._read, self._has_rows = self._new_assembler(), {}, False
        for name in changed:
            tag = schema.parse_tag(name)
            if tag is not None and name in data:
                self._assembler.put(tag, data[name])
                self._read[name] = listed[name]
        self._listed = listed if all(name in data for name in changed) else {}
        revision = revision_of(listed)
        if revision != self.revision or changed or self._has_rows < with_rows:
            self._has_rows |= with_rows
            kinds = ("header", "rows") if self._has_rows else ("header",)
            self.launches, self.revision = self._assembler.launches(kinds), revision
            launches = launches_of(map_tags(listed))
            self.map_revisions = {launch: revision_of(map_tags(listed, launch)) for launch in launches}
            self.memo.clear()

    def _new_assembler(self) -> RunAssembler:
        return RunAssembler(shared=self._shared, guaranteed=GUARANTEED_VALUES)

    def forget(self) -> None:
        """Gives back what the run took of what all runs may hold."""
        self._assembler.forget()

    def replace_launches(self, launches: list[Launch], revision: str) -> None:
        """Replaces the launches of a third-party run."""
        self.launches, self.revision = launches, revision
        self.memo.clear()

    def without_rows(self) -> CachedRun:
        """Returns a third-party run without rows and series, which are read again when it is opened."""
        run = CachedRun()
        run.revision, run.third_party = self.revision, ThirdPartyRun()
        run.launches = [Launch(_records_only(x.history), x.now, x.skipped) for x in self.launches]
        return run

    @property
    def nbytes(self) -> int:
        """About how many bytes of memory it takes."""
        if self.third_party is not None:
            return sum(_nbytes(one.history) for one in self.launches) + self.third_party.collector.nbytes
        return self._assembler.nbytes + 300 * len(self._read)


def _nbytes(history: History) -> int:
    """Returns about how many bytes of memory a History's rows take."""
    width = 5 * len(history.described("variables"))
    return len(history) * (width * len(history.columns("variable")) + 9 * len(history.columns("run")))


def _records_only(history: History) -> History:
    """Returns a History with the dated records, but no rows."""
    copy = History(history.launch, started=history.started, complete=history.complete)
    for record in history.records:
        copy.add(record)
    return copy
