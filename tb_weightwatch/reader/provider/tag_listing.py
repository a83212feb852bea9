"""Lists the tags of tb_weightwatch. A complete list costs a data server tens of milliseconds, so it is cached."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from ... import schema
from .shared_results import SharedResults
from .tag_versions import TagVersions

MAX_AGE = 5.0  # seconds after which a complete list is requested again
FRESH = 0.5  # seconds for which a list of all runs serves to open one of them too: a panel does so after the list
MAX_LISTS = 64  # that are cached


class _CompleteList(NamedTuple):
    """A complete list.

    Attributes:
        requested_at: monotonic seconds.
        runs: names of all runs, if the list is of all.
        statuses: run -> tags of its launches' statuses, which change whenever a launch goes on; runs that have any.
        tags: run -> all tags.
    """

    requested_at: float
    runs: frozenset[str]
    statuses: dict[str, TagVersions]
    tags: dict[str, TagVersions]


class TagListing:
    """Lists runs and tags of tb_weightwatch.

    A launch that goes on writes its status again. So a cached list is used while no status changes and no run comes or
    goes. Data that were written without a status, or in a new launch of a run, are found within `MAX_AGE` seconds.

    Args:
        provider: TensorBoard's `context.data_provider`.
    """

    def __init__(self, provider: Any) -> None:
        self._provider = provider
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="weightwatch-list")
        self._lists: dict[tuple[str, str | None], _CompleteList] = {}
        self._shared = SharedResults[dict[str, TagVersions]]()

    def tags(self, ctx: Any, experiment: str, run: str | None) -> dict[str, TagVersions]:
        """Returns run -> its tags with their versions, of one run or (None) of all; threads share the calls."""
        return self._shared.get((experiment, run), lambda: self._current(ctx, experiment, run))

    def recent_tags(self, ctx: Any, experiment: str, run: str) -> dict[str, TagVersions]:
        """Returns what `tags` does of one run, without a call if all were listed within the last `FRESH` seconds."""
        of_all = self._lists.get((experiment, None))
        if of_all is None or run not in of_all.tags or time.monotonic() - of_all.requested_at >= FRESH:
            return self.tags(ctx, experiment, run)
        tags = {run: of_all.tags[run]}
        self._keep((experiment, run), of_all.requested_at, frozenset(), tags)
        return tags

    def _current(self, ctx: Any, experiment: str, run: str | None) -> dict[str, TagVersions]:
        key, now = (experiment, run), time.monotonic()
        cached = self._lists.get(key)
        if cached is not None and now - cached.requested_at < MAX_AGE and self._holds(ctx, experiment, run, cached):
            return cached.tags
        runs, tags = self._runs_and_tags(ctx, experiment, run, None)
        self._keep(key, now, runs, tags)
        return tags

    def _keep(
        self, key: tuple[str, str | None], requested_at: float, runs: frozenset[str], tags: dict[str, TagVersions]
    ) -> None:
        if len(self._lists) >= MAX_LISTS:
            self._lists.clear()
        statuses = {name: of_run for name, versions in tags.items() if (of_run := _statuses(versions))}
        self._lists[key] = _CompleteList(requested_at, runs, statuses, tags)

    def _holds(self, ctx: Any, experiment: str, run: str | None, cached: _CompleteList) -> bool:
        """Checks whether no status changed and no run came or went; a list without a status cannot be checked."""
        if not cached.statuses:
            return False
        tags = sorted({tag for statuses in cached.statuses.values() for tag in statuses})
        return self._runs_and_tags(ctx, experiment, run, tags) == (cached.runs, cached.statuses)

    def _runs_and_tags(
        self, ctx: Any, experiment: str, run: str | None, tags: list[str] | None
    ) -> tuple[frozenset[str], dict[str, TagVersions]]:
        """Returns the names of all runs, if all are listed, and what `_request` returns.

        A data server answers each of the two calls after 44 ms, whatever it is asked, so they are made at once.
        """
        if run is not None:
            return frozenset(), self._request(ctx, experiment, run, tags)
        runs = self._pool.submit(self._runs, ctx, experiment)
        of_tags = self._request(ctx, experiment, run, tags)
        return runs.result(), of_tags

    def _runs(self, ctx: Any, experiment: str) -> frozenset[str]:
        return frozenset(run.run_name for run in self._provider.list_runs(ctx, experiment_id=experiment))

    def _request(self, ctx: Any, experiment: str, run: str | None, tags: list[str] | None) -> dict[str, TagVersions]:
        """Returns run -> tags with their versions, of one run or of all, of some tags or of all."""
        from tensorboard.data.provider import RunTagFilter

        reply = self._provider.list_tensors(
            ctx,
            experiment_id=experiment,
            plugin_name=schema.PLUGIN,
            run_tag_filter=RunTagFilter(runs=None if run is None else [run], tags=tags),
        )
        return {
            name: {
                tag: (series.max_step, series.max_wall_time)
                for tag, series in tags_of_run.items()
                if schema.parse_tag(tag) is not None
            }
            for name, tags_of_run in reply.items()
        }


def _statuses(versions: TagVersions) -> TagVersions:
    return {tag: version for tag, version in versions.items() if tag.endswith("/now")}
