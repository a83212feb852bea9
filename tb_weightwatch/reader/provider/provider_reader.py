"""TensorBoard's data provider to Histories: what changed is read, in few calls; what was read stays, within bounds."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ... import schema
from ...maps import Map
from ..assembly import RunAssembler
from ..run_directories import chosen
from .change_stamps import TagVersions, changed_tags, launches_of, maps_of, revision_of, rewritten, splittable
from .run_cache import CachedRun
from .tag_listing import Listing
from .third_party_runs import ThirdPartyReader, Written
from .variable_maps import of_variable

MAX_TAGS, MAX_BYTES = 64, 1 << 25  # of one call
MAX_MAPS = 1 << 27  # bytes of arrays that are looked through for one variable
BUDGET = 1 << 28  # bytes of decoded Histories that are kept
PATIENCE = 2.0  # seconds that one look at all runs may spend on reading runs that somebody else wrote


class ProviderReader:
    """Reads runs through a data provider; safe for threads.

    Args:
        provider: TensorBoard's `context.data_provider`.
        budget: bytes of decoded Histories that are kept; the least recently used run goes first.
        hints: how many data of a tag TensorBoard keeps, by plugin (`context.sampling_hints`).
    """

    def __init__(self, provider: Any, budget: int = BUDGET, hints: Mapping[str, int] | None = None) -> None:
        self._provider, self._budget = provider, budget
        self._elsewhere = ThirdPartyReader(provider, hints or {})
        self._listing = Listing(provider)
        self._runs: OrderedDict[tuple[str, str], CachedRun] = OrderedDict()
        self._lock = threading.Lock()
        self._largest = 1 << 16  # bytes of a datum, at most so far

    def peek(self, ctx: Any, experiment: str) -> dict[str, CachedRun]:
        """Returns all runs with their dated records and states, without new rows: a few small reads for all of them.

        Runs that somebody else wrote have no state to look at: they are read whole, as many as `PATIENCE` allows, so a
        long list of them fills up over several calls.
        """
        listed = self._listing.of(ctx, experiment, None)
        others = self._others(ctx, experiment, listed)
        with self._lock:
            for key in [k for k in self._runs if k[0] == experiment and k[1] not in listed and k[1] not in others]:
                del self._runs[key]
        entries = {run: self._entry(experiment, run) for run in listed}
        changed = {run: entries[run].changed(stamps) for run, stamps in listed.items()}
        got: dict[str, dict[str, Any]] = {}
        wanted = [(run, tag) for run, tags in changed.items() for tag in tags]
        for start in range(0, len(wanted), MAX_TAGS):
            batch = wanted[start : start + MAX_TAGS]
            for run, data in self._fetch(ctx, experiment, [r for r, _ in batch], [t for _, t in batch]).items():
                got.setdefault(run, {}).update(data)
        for run, stamps in listed.items():
            with entries[run]._lock:
                self._take(entries[run], stamps, changed[run], got.get(run, {}))
        return entries | self._peek_others(ctx, experiment, others)

    def _others(self, ctx: Any, experiment: str, ours: Mapping[str, TagVersions]) -> dict[str, TagVersions]:
        """Returns the runs that somebody else wrote and that stand for a training that we did not watch."""
        found = self._elsewhere.listed(ctx, experiment)
        watched = {*ours, *(run.rpartition("/")[0] or "." for run in ours if run.endswith(schema.PLUGIN))}
        kept = chosen(found, watched) - watched
        return {run: stamps for run, stamps in found.items() if run in kept}

    def _peek_others(self, ctx: Any, experiment: str, others: Mapping[str, TagVersions]) -> dict[str, CachedRun]:
        until, entries = time.monotonic() + PATIENCE, {}
        for run, stamps in sorted(others.items()):
            entry = self._entry(experiment, run)
            if entry.revision != revision_of(stamps) and time.monotonic() < until:
                with entry._lock:
                    self._read_other(ctx, experiment, run, entry, stamps)
            if entry.revision:
                entries[run] = entry
        return entries

    def _read_other(self, ctx: Any, experiment: str, run: str, entry: CachedRun, stamps: TagVersions) -> None:
        if entry.foreign is None:
            entry.foreign = Written()
        if entry.foreign.seen != stamps:
            launches = self._elsewhere.read(ctx, experiment, run, entry.foreign, stamps)
            entry.take_foreign(launches, revision_of(stamps))
            self._evict(keep=(experiment, run))

    @contextmanager
    def opened(self, ctx: Any, experiment: str, run: str) -> Iterator[CachedRun]:
        """Gives a run as it stands now, for this thread alone.

        Raises:
            KeyError: there is no such run, or it holds no data of ours.
        """
        entry = self._entry(experiment, run)
        with entry._lock:
            stamps = self._listing.of(ctx, experiment, run).get(run)
            if not stamps:
                others = self._elsewhere.of(ctx, experiment, run)
                if not others:
                    with self._lock:
                        self._runs.pop((experiment, run), None)
                    raise KeyError(run)
                self._read_other(ctx, experiment, run, entry, others)
                yield entry
                return
            entry.foreign = None  # it may have been somebody else's until now
            changed = changed_tags(entry._seen, stamps, None)
            got: dict[str, Any] = {}
            while len(got) < len(changed):
                batch = changed[len(got) : len(got) + max(1, min(MAX_TAGS, MAX_BYTES // self._largest))]
                data = self._fetch(ctx, experiment, [run], batch).get(run, {})
                self._largest = max(self._largest, *(len(content or b"") for content in data.values()), 0)
                got.update({tag: data.get(tag) for tag in batch})
            self._take(entry, stamps, changed, got)
            self._evict(keep=(experiment, run))
            yield entry

    def maps(self, ctx: Any, experiment: str, run: str, launch: str, variable: str) -> tuple[list[Map], int]:
        """Returns histograms and motion maps of a variable, and how many data were too many to read.

        The newest are read first. Nothing is kept: what is looked through has no more than `MAX_MAPS` bytes.
        """
        tags = sorted(maps_of(self._listing.of(ctx, experiment, run).get(run, {}), launch), reverse=True)
        found: list[Map] = []
        read, looked, at_once = 0, 0, 2
        while read < len(tags) and looked < MAX_MAPS:
            batch = tags[read : read + at_once]
            data = self._fetch(ctx, experiment, [run], batch).get(run, {})
            found += of_variable(filter(None, data.values()), variable)
            sizes = [len(content or b"") for content in data.values()]
            read, looked = read + len(batch), looked + sum(sizes)
            at_once = max(1, min(MAX_TAGS, MAX_BYTES // max(*sizes, 1 << 16)))
        return found, len(tags) - read

    # -- what changed

    def _entry(self, experiment: str, run: str) -> CachedRun:
        with self._lock:
            entry = self._runs.setdefault((experiment, run), CachedRun())
            self._runs.move_to_end((experiment, run))
            return entry

    def _evict(self, keep: tuple[str, str]) -> None:
        with self._lock:
            total = sum(entry.nbytes for entry in self._runs.values())
            for key in list(self._runs):
                if total <= self._budget:
                    break
                if key != keep:
                    entry = self._runs.pop(key)
                    total -= entry.nbytes
                    if entry.foreign is not None:
                        self._runs[key] = entry.bare()

    def _take(self, entry: CachedRun, stamps: TagVersions, changed: list[str], got: Mapping[str, Any]) -> None:
        if not changed and stamps == entry._listed:
            return
        if rewritten(entry._seen, stamps):
            entry._assembly, entry._seen = RunAssembler(), {}
        for name in changed:
            tag = schema.parse_tag(name)
            if tag is not None and name in got:
                entry._assembly.put(tag, got[name])
                entry._seen[name] = stamps[name]
        entry._listed = stamps if all(name in got for name in changed) else {}  # what did not come is asked for again
        revision = revision_of(stamps)
        if revision != entry.revision or changed:
            entry.launches, entry.revision = entry._assembly.launches(), revision
            entry.maps = {launch: revision_of(maps_of(stamps, launch)) for launch in launches_of(maps_of(stamps))}
            entry.memo.clear()

    # -- reading

    def _fetch(self, ctx: Any, experiment: str, runs: list[str], tags: list[str]) -> dict[str, dict[str, Any]]:
        """Returns run -> tag -> bytes (None for what is no datum of ours)."""
        from tensorboard.data.provider import RunTagFilter

        try:
            found = self._provider.read_tensors(
                ctx,
                experiment_id=experiment,
                plugin_name=schema.PLUGIN,
                downsample=1,
                run_tag_filter=RunTagFilter(runs=sorted(set(runs)), tags=sorted(set(tags))),
            )
        except Exception as error:
            if not splittable(error):
                raise
            if len(tags) == 1:
                return {run: {tags[0]: None} for run in runs}
            middle = len(tags) // 2
            halves = [self._fetch(ctx, experiment, runs, part) for part in (tags[:middle], tags[middle:])]
            return {run: {**halves[0].get(run, {}), **halves[1].get(run, {})} for run in {*halves[0], *halves[1]}}
        return {run: {tag: self._content(data) for tag, data in series.items()} for run, series in found.items()}

    @staticmethod
    def _content(data: Any) -> bytes | None:
        array = data[-1].numpy if data else None
        if array is None or array.size != 1 or not isinstance(array.item(), bytes):
            return None
        content: bytes = array.item()
        return content
