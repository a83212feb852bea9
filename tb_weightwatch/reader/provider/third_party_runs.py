"""Reads third-party runs through a data provider: scalars and histograms, as far as TensorBoard keeps them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..launch import Launch
from ..third_party import (
    VALIDATION,
    TagCollector,
    histogram_kind,
    scalar_kind,
    third_party_launches,
    validation_halves,
)
from .tag_versions import TagVersions
from .third_party_fetcher import MODEL, RunKey, ThirdPartyFetcher

WRITER = "tf.summary or PyTorch's SummaryWriter"  # a data provider does not reveal which of them
LISTING_INTERVAL = 20  # a list of all runs is used this many times as long as it took: many runs take long to list


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
        self._provider, self._fetcher = provider, ThirdPartyFetcher(provider, hints)
        self._lists: dict[str, tuple[float, dict[str, TagVersions]]] = {}  # experiment -> (valid until, run -> tags)
        self._validation_of: dict[tuple[str, str], str] = {}  # (experiment, training) -> run of its validation

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
        validation = self._validation_of.get((experiment, run))
        tags = self._request_tags(ctx, experiment, [run, validation] if validation else [run]).get(run, {})
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
            plugin, tag = key.split("/", 1)
            collector.forget(*(("scalars", key) if plugin == VALIDATION else (plugin, tag)))
        for plugin in ("scalars", "histograms"):
            tags = [key.split("/", 1)[1] for key in changed if key.startswith(f"{plugin}/")]
            for tag, data in self._fetcher.batches(where, plugin, tags):
                if self._fetcher.is_sampled(plugin, data):
                    collector.sampled.add(tag)
                for datum in data:
                    if plugin == "scalars":
                        collector.put_scalar(datum, tag, float(datum.value))
                    else:
                        collector.put_buckets(datum, tag, np.asarray(datum.numpy))
        self._read_validation(where, collector, [k.split("/", 1)[1] for k in changed if k.startswith(f"{VALIDATION}/")])
        if any(key.startswith(f"{MODEL}/") for key in changed):
            collector.model = self._fetcher.model(where)
        read.read = dict(listed)
        return third_party_launches([collector], run)

    def _read_validation(self, where: RunKey, collector: TagCollector, tags: list[str]) -> None:
        """Reads the losses of the validation half of a run into the collector of its training half."""
        ctx, experiment, run = where
        validation = self._validation_of.get((experiment, run))
        if validation is not None:
            for tag, data in self._fetcher.batches((ctx, experiment, validation), "scalars", tags):
                for datum in data:
                    collector.put_scalar(datum, f"{VALIDATION}/{tag}", float(datum.value))

    # -- listing

    def _request_tags(self, ctx: Any, experiment: str, runs: list[str] | None) -> dict[str, TagVersions]:
        from tensorboard.data.provider import RunTagFilter

        run_filter = None if runs is None else RunTagFilter(runs=runs)
        tags: dict[str, TagVersions] = {}
        for plugin, request, is_usable in (
            ("scalars", self._provider.list_scalars, scalar_kind),
            ("histograms", self._provider.list_tensors, histogram_kind),
            (MODEL, self._provider.list_blob_sequences, bool),
        ):
            reply = request(ctx, experiment_id=experiment, plugin_name=plugin, run_tag_filter=run_filter)
            for name, series_by_tag in reply.items():
                for tag, series in series_by_tag.items():
                    if is_usable(tag):
                        tags.setdefault(name, {})[f"{plugin}/{tag}"] = (series.max_step, series.max_wall_time)
        self._add_validations(experiment, tags)
        # A model's description without any data is not a training.
        return {name: of_run for name, of_run in tags.items() if any(not key.startswith(MODEL) for key in of_run)}

    def _add_validations(self, experiment: str, tags: dict[str, TagVersions]) -> None:
        """Adds the losses of each validation half to the tags of its training half, in place."""
        for run, validation in validation_halves(tags).items():
            self._validation_of[experiment, run] = validation
            for key, version in tags[validation].items():
                plugin, tag = key.split("/", 1)
                if plugin == "scalars" and scalar_kind(tag) == "loss":
                    tags[run][f"{VALIDATION}/{tag}"] = version
