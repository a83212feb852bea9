"""Which data of ours there are. A whole list costs a data server tens of milliseconds, so it is asked for seldom."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from ... import schema
from .change_stamps import TagVersions

WHOLE = 5.0  # seconds after which a list is asked for again, whatever the states of its launches say
MOST = 64  # lists that are kept


class _Seen(NamedTuple):
    """A whole list as it came."""

    at: float
    runs: frozenset[str]  # all there were, when `listed` is of all
    states: dict[str, TagVersions]  # of `listed`, the data that change whenever a launch goes on; of runs that have any
    listed: dict[str, TagVersions]


class Listing:
    """Lists runs and the tags of our data. A launch that goes on writes its state anew: while no state changes and no
    run comes or goes, the list stands. What was written without its state, or in a new launch of a run, is seen within
    `WHOLE` seconds.

    Args:
        provider: TensorBoard's `context.data_provider`.
    """

    def __init__(self, provider: Any) -> None:
        self._provider = provider
        self._seen: dict[tuple[str, str | None], _Seen] = {}

    def of(self, ctx: Any, experiment: str, run: str | None) -> dict[str, TagVersions]:
        """Returns run -> tag -> stamp, of one run or (None) of all."""
        key, now = (experiment, run), time.monotonic()
        seen = self._seen.get(key)
        if seen is not None and seen.states and now - seen.at < WHOLE and self._stands(ctx, experiment, run, seen):
            return seen.listed
        runs = self._runs(ctx, experiment) if run is None else frozenset[str]()
        listed = self._list(ctx, experiment, None if run is None else [run], None)
        if len(self._seen) >= MOST:
            self._seen.clear()
        states = {name: told for name, tags in listed.items() if (told := _states(tags))}
        self._seen[key] = _Seen(now, runs, states, listed)
        return listed

    def _stands(self, ctx: Any, experiment: str, run: str | None, seen: _Seen) -> bool:
        if run is None and self._runs(ctx, experiment) != seen.runs:
            return False
        tags = sorted({tag for states in seen.states.values() for tag in states})
        found = self._list(ctx, experiment, None if run is None else [run], tags)
        return seen.states == found

    def _runs(self, ctx: Any, experiment: str) -> frozenset[str]:
        return frozenset(run.run_name for run in self._provider.list_runs(ctx, experiment_id=experiment))

    def _list(
        self, ctx: Any, experiment: str, runs: list[str] | None, tags: list[str] | None
    ) -> dict[str, TagVersions]:
        from tensorboard.data.provider import RunTagFilter

        found = self._provider.list_tensors(
            ctx,
            experiment_id=experiment,
            plugin_name=schema.PLUGIN,
            run_tag_filter=RunTagFilter(runs=runs, tags=tags),
        )
        return {
            name: {
                tag: (series.max_step, series.max_wall_time)
                for tag, series in tags.items()
                if schema.parse_tag(tag) is not None
            }
            for name, tags in found.items()
        }


def _states(tags: TagVersions) -> TagVersions:
    return {tag: stamp for tag, stamp in tags.items() if tag.endswith("/now")}
