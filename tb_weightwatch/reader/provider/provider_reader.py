"""Reads runs through TensorBoard's data provider: in few calls, only what changed; what was read is cached."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from ... import schema
from ...maps import Map
from ...schema import MAX_ALL_VALUES, ValueBudget
from ..run_directories import preferred
from .run_cache import CachedRun
from .tag_listing import TagListing
from .tag_versions import TagVersions, revision_of
from .tensor_fetcher import TensorFetcher
from .third_party_runs import ThirdPartyReader, ThirdPartyRun
from .variable_maps import read_variable_maps

BUDGET = 1 << 28  # bytes of decoded Histories that are cached
PATIENCE = 2.0  # seconds that one poll may spend on reading third-party runs


class ProviderReader:
    """Reads runs through a data provider; safe for threads.

    Args:
        provider: TensorBoard's `context.data_provider`.
        budget: bytes of decoded Histories that are cached; the least recently used run is dropped first.
        hints: plugin -> how many data of a tag TensorBoard keeps (`context.sampling_hints`).
    """

    def __init__(self, provider: Any, budget: int = BUDGET, hints: Mapping[str, int] | None = None) -> None:
        self._budget = budget
        self._listing = TagListing(provider)
        self._fetcher = TensorFetcher(provider)
        self._third_party = ThirdPartyReader(provider, hints or {})
        # Of the last poll: third-party tags, tags of ours, and the names that follow from them.
        self._third_party_names: tuple[Any, Any, set[str]] = None, None, set()
        self._runs: OrderedDict[tuple[str, str], CachedRun] = OrderedDict()
        self._sizes: dict[tuple[str, str], int] = {}  # bytes that each run takes; it is slow to ask all of them
        self._records = ValueBudget(MAX_ALL_VALUES)  # of all runs
        self._lock = threading.Lock()

    def poll(self, ctx: Any, experiment: str) -> dict[str, CachedRun]:
        """Returns all runs with their dated records and statuses, without new rows: a few small calls for all of them.

        Third-party runs have no status and are read as a whole, as many of them as `PATIENCE` allows. So a long list of
        them is complete after several polls.
        """
        # Third-party tags come first, so that a run that TensorBoard loads between the two lists is known to be ours.
        of_others = self._third_party.all_tags(ctx, experiment)
        listed = self._listing.tags(ctx, experiment, None)
        third_party = self._third_party_tags(of_others, listed)
        present = {*listed, *third_party}
        with self._lock:
            for key in [k for k in self._runs if k[0] == experiment and k[1] not in present]:
                self._drop(key)
        runs = {name: self._cached(experiment, name) for name in listed}
        needed = {name: runs[name].statuses_to_read(tags) for name, tags in listed.items()}
        data = self._fetcher.fetch_runs(ctx, experiment, {name: n.tags for name, n in needed.items()})
        for name, run in runs.items():
            # The list does not wait for a run that is being read or drawn, unless nothing is known of it yet.
            if not run.is_read(listed[name]) and run.lock.acquire(blocking=not run.launches):
                with ExitStack() as stack:
                    stack.callback(run.lock.release)
                    run.update(needed[name], data.get(name, {}))
                    with self._lock:
                        self._measure((experiment, name))
        return runs | self._poll_third_party(ctx, experiment, third_party)

    def read_runs(self, ctx: Any, experiment: str, names: Collection[str]) -> Iterator[tuple[str, CachedRun]]:
        """Reads several runs as the last list has them, with their rows, and yields those that exist, not locked.

        A call to a data server takes tens of milliseconds whatever it returns, so several runs share a call. Each is
        decoded when it is its turn. Third-party runs are read one by one, and so are runs that another thread reads.
        """
        listed = self._listing.tags(ctx, experiment, None)
        runs = {name: self._cached(experiment, name) for name in names if listed.get(name)}
        needed = {name: run.tags_to_read(listed[name]) for name, run in runs.items()}
        data = self._fetcher.fetch_runs(ctx, experiment, {name: n.tags for name, n in needed.items()})
        for name in names:
            if name in runs and runs[name].update(needed[name], data.pop(name, {})):
                self._evict(keep=(experiment, name))
                yield name, runs[name]
                continue
            with suppress(KeyError):
                with self.locked_run(ctx, experiment, name) as run:
                    pass
                yield name, run

    @contextmanager
    def locked_run(self, ctx: Any, experiment: str, name: str) -> Iterator[CachedRun]:
        """Reads a run as it is now and gives it to this thread alone.

        Raises:
            KeyError: there is no such run, or it has no data that can be used.
        """
        run = self._cached(experiment, name)
        updates = run.updates
        # Not locked, since a call to a data server takes long. A run whose rows were read before may have been read
        # with a later list than the recent one.
        list_tags = self._listing.tags if run.has_rows else self._listing.recent_tags
        tags = list_tags(ctx, experiment, name).get(name)
        with run.lock:
            if run.updates != updates:  # by another thread, which may have had a later list
                tags = self._listing.tags(ctx, experiment, name).get(name)
            if tags:
                needed = run.tags_to_read(tags)
                run.update(needed, self._fetcher.fetch_run(ctx, experiment, name, needed.tags))
                self._evict(keep=(experiment, name))
            else:
                tags = self._third_party.tags(ctx, experiment, name)
                if not tags:
                    with self._lock:
                        self._drop((experiment, name))
                    raise KeyError(name)
                self._read_third_party(ctx, experiment, name, run, tags)
            yield run

    def maps(self, ctx: Any, experiment: str, run: str, launch: str, variable: str) -> tuple[list[Map], int]:
        """Returns histograms and motion maps of a variable, and how many data were too many to read."""
        tags = self._listing.tags(ctx, experiment, run).get(run, {})
        return read_variable_maps(self._fetcher, (ctx, experiment, run), tags, launch, variable)

    # -- third-party runs

    def _third_party_tags(
        self, tags: dict[str, TagVersions], ours: Mapping[str, TagVersions]
    ) -> dict[str, TagVersions]:
        """Returns run -> tags of the third-party runs whose training tb_weightwatch did not record."""
        of_tags, of_ours, names = self._third_party_names
        if of_tags is not tags or of_ours is not ours:  # lists are mostly those of the last poll
            recorded = {*ours, *(run.rpartition("/")[0] or "." for run in ours if run.endswith(schema.PLUGIN))}
            names = preferred(tags, recorded) - recorded
            self._third_party_names = tags, ours, names
        return {name: versions for name, versions in tags.items() if name in names}

    def _poll_third_party(self, ctx: Any, experiment: str, tags: Mapping[str, TagVersions]) -> dict[str, CachedRun]:
        deadline, runs = time.monotonic() + PATIENCE, {}
        for name, versions in sorted(tags.items()):
            run = self._cached(experiment, name)
            if run.revision != revision_of(versions) and time.monotonic() < deadline:
                with run.lock:
                    self._read_third_party(ctx, experiment, name, run, versions)
            if run.revision:
                runs[name] = run
        return runs

    def _read_third_party(self, ctx: Any, experiment: str, name: str, run: CachedRun, tags: TagVersions) -> None:
        if run.third_party is None:
            run.third_party = ThirdPartyRun()
        if run.third_party.read != tags:
            launches = self._third_party.read(ctx, experiment, name, run.third_party, tags)
            run.replace_launches(launches, revision_of(tags))
            self._evict(keep=(experiment, name))

    # -- cache

    def _cached(self, experiment: str, name: str) -> CachedRun:
        with self._lock:
            run = self._runs.get((experiment, name))
            if run is None:
                run = self._runs[experiment, name] = CachedRun(self._records)
            self._runs.move_to_end((experiment, name))
            return run

    def _evict(self, keep: tuple[str, str]) -> None:
        with self._lock:
            self._measure(keep)
            total = sum(self._sizes.values())
            for key in list(self._runs):
                if total <= self._budget:
                    break
                if key != keep:
                    total -= self._sizes.get(key, 0)
                    run = self._drop(key)
                    if run is not None and run.third_party is not None:
                        self._runs[key] = run.without_rows()

    def _measure(self, key: tuple[str, str]) -> None:
        """Notes how many bytes a run takes; the lock is held."""
        if key in self._runs:
            self._sizes[key] = self._runs[key].nbytes

    def _drop(self, key: tuple[str, str]) -> CachedRun | None:
        """Removes a run from the cache and returns it; the lock is held."""
        run = self._runs.pop(key, None)
        self._sizes.pop(key, None)
        if run is not None:
            run.forget()
        return run
