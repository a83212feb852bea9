"""What was read of a run through a data provider."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from ... import schema
from ...history import History
from ...schema import GUARANTEED_VALUES, ValueBudget
from ..assembly import RunAssembler
from ..launch import Launch, SkipCounts
from .tag_versions import STATUS_KINDS, TagVersions, changed_tags, launches_of, map_tags, restarted, revision_of
from .tensor_fetcher import Data
from .third_party_runs import ThirdPartyRun


class Needed(NamedTuple):
    """What must be read of a run.

    Attributes:
        listed: all tags of the run with their versions.
        tags: those to read.
        updates: how often the run had been updated when this was found.
        with_rows: whether rows are among them.
    """

    listed: TagVersions
    tags: list[str]
    updates: int
    with_rows: bool


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
        updates: how often something was read.
        has_rows: whether its rows were read, and not only its dated records and statuses.
    """

    def __init__(self, shared: ValueBudget | None = None) -> None:
        self.revision = ""
        self.launches: list[Launch] = []
        self.map_revisions: dict[str, str] = {}
        self.memo: dict[Any, Any] = {}
        self.third_party: ThirdPartyRun | None = None
        self.lock = threading.RLock()
        self.updates = 0
        self._shared = shared
        self._assembler = self._new_assembler()
        self.has_rows = False
        self._read: TagVersions = {}
        self._listed: TagVersions = {}  # by the last update

    @property
    def skipped(self) -> SkipCounts:
        """What could not be read and belongs to no launch."""
        return self._assembler.skipped

    def is_read(self, listed: TagVersions) -> bool:
        """Checks whether nothing changed since the last update."""
        return listed == self._listed

    def statuses_to_read(self, listed: TagVersions) -> Needed:
        """Returns the tags of dated records and statuses to read; for a run that has ended it costs next to nothing."""
        updates = self.updates
        changed = [] if self.is_read(listed) else changed_tags(self._read, listed, STATUS_KINDS)
        return Needed(listed, changed, updates, with_rows=False)

    def tags_to_read(self, listed: TagVersions) -> Needed:
        """Returns all tags to read."""
        updates = self.updates
        return Needed(listed, changed_tags(self._read, listed), updates, with_rows=True)

    def update(self, needed: Needed, data: Data) -> bool:
        """Adds data, unless another thread has added some since they were needed; returns whether it did.

        Args:
            needed: what was requested.
            data: what came; the rest will be requested again.
        """
        with self.lock:
            if self.updates != needed.updates:
                return False
            if needed.tags or not self.is_read(needed.listed) or self.has_rows < needed.with_rows:
                self.third_party = None  # until now there may have been only third-party data
                self._add(needed, data)
            return True

    def _add(self, needed: Needed, data: Data) -> None:
        listed, changed = needed.listed, needed.tags
        self.updates += 1
        anew = restarted(self._read, listed)
        if anew:
            self.forget()
            self._assembler, self.has_rows = self._new_assembler(), False
        read = {} if anew else dict(self._read)  # a copy: other threads compare theirs with a list
        for name in changed:
            tag = schema.parse_tag(name)
            if tag is not None and name in data:
                self._assembler.put(tag, data[name])
                read[name] = listed[name]
        self._read = read
        self._listed = listed if all(name in data for name in changed) else {}
        revision = revision_of(listed)
        if revision != self.revision or changed or self.has_rows < needed.with_rows:
            self.has_rows |= needed.with_rows
            kinds = ("header", "rows") if self.has_rows else ("header",)
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
        self.updates += 1
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
