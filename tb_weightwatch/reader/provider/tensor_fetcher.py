"""Reads data of tb_weightwatch through a data provider; a reply that is too large is requested in parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import schema
from .tag_versions import retry_with_fewer_tags

Data = dict[str, bytes | None]  # tag -> datum; None: not a datum of tb_weightwatch
MAX_TAGS, MAX_BYTES = 64, 1 << 25  # of one call
MAX_RUN_TAGS = 128  # of one call for one run: each call takes at least 44 ms, and most runs need one
MAX_STATUSES = 512  # tags of one call for many runs, whose data are small


class TensorFetcher:
    """Reads data by tag.

    Args:
        provider: TensorBoard's `context.data_provider`.
    """

    def __init__(self, provider: Any) -> None:
        self._provider = provider
        self._largest = 1 << 16  # bytes of a datum, at most so far

    def fetch(self, ctx: Any, experiment: str, runs: Sequence[str], tags: Sequence[str]) -> dict[str, Data]:
        """Returns run -> tag -> the latest datum, of those tags that the runs have."""
        from tensorboard.data.provider import RunTagFilter

        try:
            reply = self._provider.read_tensors(
                ctx,
                experiment_id=experiment,
                plugin_name=schema.PLUGIN,
                downsample=1,
                run_tag_filter=RunTagFilter(runs=sorted(set(runs)), tags=sorted(set(tags))),
            )
        except Exception as error:
            if not retry_with_fewer_tags(error):
                raise
            if len(tags) == 1:
                return {run: {tags[0]: None} for run in runs}
            middle = len(tags) // 2
            first, second = (self.fetch(ctx, experiment, runs, part) for part in (tags[:middle], tags[middle:]))
            return {run: {**first.get(run, {}), **second.get(run, {})} for run in {*first, *second}}
        return {run: {tag: _content(series) for tag, series in by_tag.items()} for run, by_tag in reply.items()}

    def fetch_run(self, ctx: Any, experiment: str, run: str, tags: Sequence[str]) -> Data:
        """Returns tag -> the latest datum of one run, for each of the tags, in replies of limited size."""
        data: Data = {}
        while len(data) < len(tags):
            batch = tags[len(data) : len(data) + max(1, min(MAX_RUN_TAGS, MAX_BYTES // self._largest))]
            reply = self.fetch(ctx, experiment, [run], batch).get(run, {})
            self._largest = max(self._largest, *(len(content or b"") for content in reply.values()), 0)
            data.update({tag: reply.get(tag) for tag in batch})
        return data

    def fetch_runs(self, ctx: Any, experiment: str, tags: dict[str, list[str]]) -> dict[str, Data]:
        """Returns run -> tag -> the latest datum of many runs, for each of `tags` (run -> tags), in few calls."""
        pairs = [(run, tag) for run, tags_of_run in tags.items() for tag in tags_of_run]
        data: dict[str, Data] = {}
        start, most = 0, MAX_TAGS
        while start < len(pairs):
            size = max(1, min(most, MAX_BYTES // self._largest))
            most = min(2 * most, MAX_STATUSES)  # the first data tell how large they are
            runs, batch = zip(*pairs[start : start + size], strict=True)
            replies = self.fetch(ctx, experiment, runs, batch)
            for run, tag in pairs[start : start + size]:
                content = replies.get(run, {}).get(tag)
                data.setdefault(run, {})[tag] = content
                self._largest = max(self._largest, len(content or b""))
            start += size
        return data


def _content(series: Any) -> bytes | None:
    """Returns the latest datum of a tag; None if it is not a single string."""
    array = series[-1].numpy if series else None
    if array is None or array.size != 1 or not isinstance(array.item(), bytes):
        return None
    content: bytes = array.item()
    return content
