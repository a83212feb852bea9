"""Fetches third-party data of a run through a data provider, in requests of a size that it can answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..third_party import MAX_MODEL, MAX_POINTS, MAX_SNAPSHOTS
from .tag_versions import retry_with_fewer_tags

# Data of a tag that both loaders of TensorBoard keep, unless --samples_per_plugin says otherwise.
KEPT_BY_TENSORBOARD = {"scalars": 1000, "histograms": 500}
MODEL = "graph_keras_model"  # plugin of a model's description
MAX_BYTES = 1 << 25  # of one call
_MAX_DATA = {"scalars": MAX_POINTS, "histograms": MAX_SNAPSHOTS}
RunKey = tuple[Any, str, str]  # request context, experiment, run


class ThirdPartyFetcher:
    """Fetches scalars, histograms and models of third-party runs.

    Args:
        provider: TensorBoard's `context.data_provider`.
        hints: plugin -> how many data of a tag are kept (`context.sampling_hints`); 0: all.
    """

    def __init__(self, provider: Any, hints: Mapping[str, int]) -> None:
        self._provider, self._hints = provider, hints

    def batches(self, where: RunKey, plugin: str, tags: list[str]) -> Iterator[tuple[str, list[Any]]]:
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

    def _fetch(self, request: Callable[..., Any], where: RunKey, plugin: str, tags: list[str]) -> dict[str, list[Any]]:
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

    def is_sampled(self, plugin: str, data: Sequence[Any]) -> bool:
        """Checks whether data may have been dropped: there are as many as are kept, and their steps are uneven."""
        kept = self._hints.get(plugin, KEPT_BY_TENSORBOARD[plugin]) or _MAX_DATA[plugin]
        steps = [datum.step for datum in data]
        return len(data) >= min(kept, _MAX_DATA[plugin]) and (len(data) < 3 or bool(np.ptp(np.diff(steps))))

    def model(self, where: RunKey) -> bytes:
        """Returns the description of the model that Keras' callback writes, JSON; b"" if it cannot be read."""
        from tensorboard.data.provider import RunTagFilter

        ctx, experiment, run = where
        try:
            reply = self._provider.read_blob_sequences(
                ctx,
                experiment_id=experiment,
                plugin_name=MODEL,
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
