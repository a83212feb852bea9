"""Runs that somebody else wrote, through a data provider: scalars and histograms, as far as TensorBoard keeps them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ..assembly import Launch
from ..third_party.history import third_party_launches
from ..third_party.series import MAX_MODEL, MAX_POINTS, MAX_SNAPSHOTS, TagCollector
from ..third_party.tag_names import histogram_kind, scalar_kind
from .change_stamps import TagVersions, splittable

WRITER = "tf.summary or PyTorch's SummaryWriter"  # which of them is not to be told here
# Data of a tag, in both loaders, unless --samples_per_plugin says otherwise.
KEPT = {"scalars": 1000, "histograms": 500}
MAX_BYTES = 1 << 25  # of one call
_MOST = {"scalars": MAX_POINTS, "histograms": MAX_SNAPSHOTS}
_MODEL = "graph_keras_model"
# Listing every tag of every run takes long where there are many: at most a twentieth of the time goes there.
_SHARE = 20


class Written:
    """What was read of one such run; only tags that changed are read again."""

    def __init__(self) -> None:
        self.curves = TagCollector(WRITER)
        self.seen: TagVersions = {}


class ThirdPartyReader:
    """Reads such runs.

    Args:
        provider: TensorBoard's `context.data_provider`.
        hints: how many data of a tag are kept, by plugin (`context.sampling_hints`); 0: all.
    """

    def __init__(self, provider: Any, hints: Mapping[str, int]) -> None:
        self._provider, self._hints = provider, hints
        self._listed: dict[str, tuple[float, dict[str, TagVersions]]] = {}  # until when it holds, and what it is

    def listed(self, ctx: Any, experiment: str) -> dict[str, TagVersions]:
        """Returns run -> tags that matter, with what changes when their data do; not always the very newest."""
        until, found = self._listed.get(experiment, (0.0, {}))
        began = time.monotonic()
        if began >= until:
            found = self._list(ctx, experiment, None)
            now = time.monotonic()
            self._listed[experiment] = (now + _SHARE * (now - began), found)
        return found

    def of(self, ctx: Any, experiment: str, run: str) -> TagVersions:
        """Returns a run's tags that matter, as they stand now; {} if there are none."""
        found = self._list(ctx, experiment, run).get(run, {})
        _, listed = self._listed.get(experiment, (0.0, {}))
        if run in listed:  # so that the next look at all runs does not take it for another state
            listed[run] = found
        return found

    def read(self, ctx: Any, experiment: str, run: str, written: Written, stamps: TagVersions) -> list[Launch]:
        """Reads what changed and returns the run's launches."""
        curves, where = written.curves, (ctx, experiment, run)
        changed = [key for key, stamp in stamps.items() if written.seen.get(key) != stamp]
        for key in {*changed, *(written.seen.keys() - stamps.keys())}:
            curves.forget(*key.split("/", 1))
        for plugin in ("scalars", "histograms"):
            tags = [key.split("/", 1)[1] for key in changed if key.startswith(f"{plugin}/")]
            for tag, data in self._series(where, plugin, tags):
                curves.sampled |= {tag} if self._sampled(plugin, data) else set()
                for datum in data:
                    if plugin == "scalars":
                        curves.scalar(datum, tag, float(datum.value))
                    else:
                        curves.buckets(datum, tag, np.asarray(datum.numpy))
        if any(key.startswith(f"{_MODEL}/") for key in changed):
            curves.model = self._model(where)
        written.seen = dict(stamps)
        return third_party_launches([curves], run)

    # -- what there is

    def _list(self, ctx: Any, experiment: str, run: str | None) -> dict[str, TagVersions]:
        from tensorboard.data.provider import RunTagFilter

        chosen = None if run is None else RunTagFilter(runs=[run])
        found: dict[str, TagVersions] = {}
        for plugin, ask, kind in (
            ("scalars", self._provider.list_scalars, scalar_kind),
            ("histograms", self._provider.list_tensors, histogram_kind),
            (_MODEL, self._provider.list_blob_sequences, bool),
        ):
            listed = ask(ctx, experiment_id=experiment, plugin_name=plugin, run_tag_filter=chosen)
            for name, tags in listed.items():
                for tag, series in tags.items():
                    if kind(tag):
                        stamp = (series.max_step, series.max_wall_time)
                        found.setdefault(name, {})[f"{plugin}/{tag}"] = stamp
        # A model alone, or rates without a loss and weights, tell nothing.
        return {name: stamps for name, stamps in found.items() if any(not k.startswith(_MODEL) for k in stamps)}

    # -- data

    def _series(self, where: tuple[Any, str, str], plugin: str, tags: list[str]) -> Iterator[tuple[str, list[Any]]]:
        """Yields tag and data, several tags a call, as many as their size allows."""
        ask = self._provider.read_scalars if plugin == "scalars" else self._provider.read_tensors
        start, at_once = 0, 64 if plugin == "scalars" else 4
        while start < len(tags):
            batch = tags[start : start + at_once]
            found = self._fetch(ask, where, plugin, batch)
            yield from found.items()
            start += len(batch)
            if plugin == "histograms":
                size = sum(datum.numpy.nbytes + 200 for data in found.values() for datum in data)
                at_once = int(np.clip(MAX_BYTES * len(batch) // max(size, 1), 1, 64))

    def _fetch(
        self, ask: Callable[..., Any], where: tuple[Any, str, str], plugin: str, tags: list[str]
    ) -> dict[str, list[Any]]:
        from tensorboard.data.provider import RunTagFilter

        ctx, experiment, run = where
        try:
            found = ask(
                ctx,
                experiment_id=experiment,
                plugin_name=plugin,
                downsample=_MOST[plugin],
                run_tag_filter=RunTagFilter(runs=[run], tags=tags),
            )
        except Exception as error:
            if not splittable(error):
                raise
            if len(tags) == 1:  # too large for a reply, or nothing that can be converted
                return {}
            middle = len(tags) // 2
            halves = [self._fetch(ask, where, plugin, part) for part in (tags[:middle], tags[middle:])]
            return {**halves[0], **halves[1]}
        return {tag: list(data) for tag, data in found.get(run, {}).items()}

    def _sampled(self, plugin: str, data: list[Any]) -> bool:
        """Says whether data may have been dropped: there are as many as are kept, and their steps are uneven."""
        kept = self._hints.get(plugin, KEPT[plugin]) or _MOST[plugin]
        steps = [datum.step for datum in data]
        return len(data) >= min(kept, _MOST[plugin]) and (len(data) < 3 or bool(np.ptp(np.diff(steps))))

    def _model(self, where: tuple[Any, str, str]) -> bytes:
        """Returns what Keras' callback wrote of the model, JSON; b"" if it can't be read."""
        from tensorboard.data.provider import RunTagFilter

        ctx, experiment, run = where
        try:
            found = self._provider.read_blob_sequences(
                ctx,
                experiment_id=experiment,
                plugin_name=_MODEL,
                downsample=1,
                run_tag_filter=RunTagFilter(runs=[run]),
            )
            (data, *_) = found[run].values()
            content = self._provider.read_blob(ctx, blob_key=data[-1].values[0].blob_key)
        except Exception as error:
            if splittable(error) or isinstance(error, LookupError):
                return b""
            raise
        return bytes(content) if len(content) <= MAX_MODEL else b""
