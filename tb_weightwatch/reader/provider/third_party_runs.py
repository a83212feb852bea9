"""Reads third-party runs through a data provider: scalars and histograms, as far as TensorBoard keeps them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..launch import Launch
from ..third_party import (
    MAX_MODEL,
    MAX_POINTS,
    MAX_SNAPSHOTS,
    TagCollector,
    histogram_kind,
    scalar_kind,
    third_party_launches,
)
from .tag_versions import TagVersions, retry_with_fewer_tags

WRITER = "tf.summary or PyTorch's SummaryWriter"  # a data provider does not reveal which of them
# Data of a tag that both loaders of TensorBoard keep, unless --samples_per_plugin says otherwise.
KEPT_BY_TENSORBOARD = {"scalars": 1000, "histograms": 500}
MAX_BYTES = 1 << 25  # of one call
LISTING_INTERVAL = 20  # a list of all runs is used this many times as long as it took: many runs take long to list
_MAX_DATA = {"scalars": MAX_POINTS, "histograms": MAX_SNAPSHOTS}
_MODEL = "graph_keras_model"


class ThirdPartyRun:
    """What was read of a third-party run; only tags that changed are read again."""

    def __init__(self) -> None:
        self.collector = TagCollector(WRITER)
        self.read: TagVersions = {}


class ThirdPartyReader:
    """Reads third-party runs. Their tags are named "<plugin>/<tag>" here.

    Args:
        provider: TensorBoard's `context.data_provider`.
        hints: plugin -> how many data of a tag are kept (`context.sampling_hints`); 0: all.
    """

    def __init__(self, provider: Any, hints: Mapping[str, int]) -> None:
        self._provider, self._hints = provider, hints
        self._lists: dict[str, tuple[float, dict[str, TagVersions]]] = {}  # experiment -> (valid until, run -> tags)

    def all_tags(self, ctx: Any, experiment: str) -> dict[str, TagVersions]:
        """Returns run -> tags that can be used; the list may be a little old."""
        valid_until, tags = self._lists.get(experiment, (0.0, {}))
        began = time.monotonic()
        if began >= valid_until:
            tags = self._request_tags(ctx, experiment, None)
            ended = time.monotonic()
            self._lists[experiment] = (ended + LISTING_INTERVAL * (ended - began), tags)
        return tags

    def tags(self, ctx: Any, experiment: str, run: str) -> TagVersions:
        """Returns the tags of a run that can be used, as they are now; {} if there are none."""
        tags = self._request_tags(ctx, experiment, run).get(run, {})
        _, all_tags = self._lists.get(experiment, (0.0, {}))
        if run in all_tags:  # or the next list of all runs would seem to show a change
            all_tags[run] = tags
        return tags

    def read(self, ctx: Any, experiment: str, run: str, read: ThirdPartyRun, listed: TagVersions) -> list[Launch]:
        """Reads the tags that changed and returns the run's launches.

        Args:
            ctx: request context.
            experiment: its identifier.
            run: its name.
            read: what was read of it so far; updated in place.
            listed: its tags.
        """
        collector, where = read.collector, (ctx, experiment, run)
        changed = [key for key, version in listed.items() if read.read.get(key) != version]
        for key in {*changed, *(read.read.keys() - listed.keys())}:
            collector.forget(*key.split("/", 1))
        for plugin in ("scalars", "histograms"):
            tags = [key.split("/", 1)[1] for key in changed if key.startswith(f"{plugin}/")]
            for tag, data in self._fetch_batches(where, plugin, tags):
                if self._is_sampled(plugin, data):
                    collector.sampled.add(tag)
                for datum in data:
                    if plugin == "scalars":
                        collector.put_scalar(datum, tag, float(datum.value))
                    else:
                        collector.put_buckets(datum, tag, np.asarray(datum.numpy))
        if any(key.startswith(f"{_MODEL}/") for key in changed):
            collector.model = self._model(where)
        read.read = dict(listed)
        return third_party_launches([collector], run)

    # -- listing

    def _request_tags(self, ctx: Any, experiment: str, run: str | None) -> dict[str, TagVersions]:
        from tensorboard.data.provider import RunTagFilter

        run_filter = None if run is None else RunTagFilter(runs=[run])
        tags: dict[str, TagVersions] = {}
        for plugin, request, is_usable in (
            ("scalars", self._provider.list_scalars, scalar_kind),
            ("histograms", self._provider.list_tensors, histogram_kind),
            (_MODEL, self._provider.list_blob_sequences, bool),
        ):
            reply = request(ctx, experiment_id=experiment, plugin_name=plugin, run_tag_filter=run_filter)
            for name, series_by_tag in reply.items():
                for tag, series in series_by_tag.items():
                    if is_usable(tag):
                        tags.setdefault(name, {})[f"{plugin}/{tag}"] = (series.max_step, series.max_wall_time)
        # A model's description without any data is not a training.
        return {name: of_run for name, of_run in tags.items() if any(not key.startswith(_MODEL) for key in of_run)}

    # -- reading

    def _fetch_batches(
        self, where: tuple[Any, str, str], plugin: str, tags: list[str]
    ) -> Iterator[tuple[str, list[Any]]]:
        """Yields each tag with its data; as many tags are requested at a time as the size of their data allows."""
        request = self._provider.read_scalars if plugin == "scalars" else self._provider.read_tensors
        start, batch_size = 0, 64 if plugin == "scalars" else 4
        while start < len(tags):
            batch = tags[start : start + batch_size]
            reply = self._fetch(request, where, plugin, batch)
            yield from reply.items()
            start += len(batch)
            if plugin == "histograms":
                size = sum(datum.numpy.nbytes + 200 for data in reply.values() for datum in data)
                batch_size = int(np.clip(MAX_BYTES * len(batch) // max(size, 1), 1, 64))

    def _fetch(
        self, request: Callable[..., Any], where: tuple[Any, str, str], plugin: str, tags: list[str]
    ) -> dict[str, list[Any]]:
        from tensorboard.data.provider import RunTagFilter

        ctx, experiment, run = where
        try:
            reply = request(
                ctx,
                experiment_id=experiment,
                plugin_name=plugin,
                downsample=_MAX_DATA[plugin],
                run_tag_filter=RunTagFilter(runs=[run], tags=tags),
            )
        except Exception as error:
            if not retry_with_fewer_tags(error):
                raise
            if len(tags) == 1:  # too large for a reply, or it cannot be converted
                return {}
            middle = len(tags) // 2
            first, second = (self._fetch(request, where, plugin, part) for part in (tags[:middle], tags[middle:]))
            return {**first, **second}
        return {tag: list(data) for tag, data in reply.get(run, {}).items()}

    def _is_sampled(self, plugin: str, data: Sequence[Any]) -> bool:
        """Checks whether data may have been dropped: there are as many as are kept, and their steps are uneven."""
        kept = self._hints.get(plugin, KEPT_BY_TENSORBOARD[plugin]) or _MAX_DATA[plugin]
        steps = [datum.step for datum in data]
        return len(data) >= min(kept, _MAX_DATA[plugin]) and (len(data) < 3 or bool(np.ptp(np.diff(steps))))

    def _model(self, where: tuple[Any, str, str]) -> bytes:
        """Returns the description of the model that Keras' callback writes, JSON; b"" if it cannot be read."""
        from tensorboard.data.provider import RunTagFilter

        ctx, experiment, run = where
        try:
            reply = self._provider.read_blob_sequences(
                ctx,
                experiment_id=experiment,
                plugin_name=_MODEL,
                downsample=1,
                run_tag_filter=RunTagFilter(runs=[run]),
            )
            (data, *_) = reply[run].values()
            content = self._provider.read_blob(ctx, blob_key=data[-1].values[0].blob_key)
        except Exception as error:
            if retry_with_fewer_tags(error) or isinstance(error, LookupError):
                return b""
            raise
        return bytes(content) if len(content) <= MAX_MODEL else b""
