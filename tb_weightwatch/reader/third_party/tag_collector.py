"""Collects third-party scalars and histograms by tag, in bounded memory, from events or from a data provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .histograms import HistogramSeries, Snapshot, from_buckets, from_proto, is_bucket_table, put_tables
from .series import BoundedSeries, Points
from .tag_names import has_moving_objective, histogram_kind, scalar_kind
from .tensors import to_array

MAX_POINTS = 4096  # data of a scalar
MAX_SNAPSHOTS = 512  # data of a histogram
MAX_TAGS = 5_000  # of a run
MAX_MODEL = 1 << 24  # bytes of a model's description


class TagCollector:
    """Collects what an event file, or a run of a data provider, contains of a training.

    Args:
        writer: what wrote the data, if the source knows; "": it is guessed from the data.

    Attributes:
        scalars: by tag, those whose kind is known.
        histograms: by tag, those whose kind is known.
        sampled: tags of which the source has dropped data.
        model: Keras' description of the model, JSON; b"" if there is none.
        tensors: number of data written in the manner of tf.summary.
        unused: number of scalars and histograms whose kind is not known.
        skipped: reason -> number of data that could not be read.
        unit: what a step is, "step" or "epoch"; "": the name of the loss tells.
        is_text: whether it holds a text file, whose rows have an order, but no times.
        moving_objective: whether a tag shows that the loss may rise while the model learns.
    """

    def __init__(self, writer: str = "") -> None:
        self.writer = writer
        self.scalars: dict[str, BoundedSeries] = {}
        self.histograms: dict[str, HistogramSeries] = {}
        self.sampled: set[str] = set()
        self.model: bytes = b""
        self.tensors = 0
        self.unused = 0
        self.skipped: dict[str, int] = {}
        self.unit = ""
        self.is_text = self.moving_objective = False
        self._plugins: dict[str, str] = {}  # tag -> plugin: only a tag's first event may have it

    def __bool__(self) -> bool:
        """Whether it holds any data."""
        return bool(self.scalars or self.histograms or self.model)

    @property
    def thinned(self) -> bool:
        """Whether data were dropped, by the source or to bound the memory."""
        return bool(self.sampled) or any(s.thinned for s in (*self.scalars.values(), *self.histograms.values()))

    @property
    def nbytes(self) -> int:
        """About how many bytes of memory it takes."""
        series = (*self.scalars.values(), *self.histograms.values())
        return sum(one.nbytes for one in series) + len(self.model)

    def put(self, event: Any) -> None:
        """Adds a parsed event; values that are neither scalars nor histograms are ignored."""
        self.note_plugins(event)
        for value in event.summary.value:
            kind = value.WhichOneof("value")
            if kind == "simple_value":
                self.put_scalar(event, value.tag, value.simple_value)
            elif kind == "histo":
                self._put_snapshot(event, value.tag, from_proto(value.histo), exact=True)
            elif kind == "tensor":
                self._put_tensor(event, value, self.plugin_of(value.tag))

    def note_plugins(self, event: Any) -> None:
        """Notes to which plugins the tags of a parsed event belong."""
        for value in event.summary.value:
            plugin = value.metadata.plugin_data.plugin_name
            if plugin and len(self._plugins) < MAX_TAGS:
                self._plugins.setdefault(value.tag, plugin)

    def plugin_of(self, tag: str) -> str:
        """Returns the plugin of a tag, as far as it is known; "" if it is not."""
        return self._plugins.get(tag, "")

    def _put_tensor(self, event: Any, value: Any, plugin: str) -> None:
        if plugin == "graph_keras_model":
            model = value.tensor.string_val[0] if value.tensor.string_val else b""
            self.model = model if len(model) <= MAX_MODEL else b""
        elif plugin in ("scalars", "histograms"):
            self.tensors += 1
            if not (scalar_kind if plugin == "scalars" else histogram_kind)(value.tag):
                self.note_name(value.tag)
                self.unused += 1
                return
            array = to_array(value.tensor)
            if plugin == "scalars" and array is not None and array.size == 1:
                self.put_scalar(event, value.tag, float(array.reshape(-1)[0]))
            elif plugin == "histograms" and array is not None:
                self.put_buckets(event, value.tag, array)
            else:
                self.skip(f"{plugin}: damaged")

    def put_scalar(self, event: Any, tag: str, number: float) -> None:
        """Adds a scalar; `event` has its step and wall time."""
        self.note_name(tag)
        if not scalar_kind(tag):
            self.unused += 1
        elif tag in self.scalars or self._has_room():
            series = self.scalars.setdefault(tag, BoundedSeries(1, MAX_POINTS))
            if self._has_valid_step(event):
                series.put(event.step, event.wall_time, (number,))

    def open_series(self, tag: str, *, is_histogram: bool) -> None:
        """Gives a tag its place among the others before its data are put, if its kind is known and there is room."""
        if len(self.scalars) + len(self.histograms) < MAX_TAGS:
            if is_histogram and histogram_kind(tag):
                self.histograms.setdefault(tag, HistogramSeries(MAX_SNAPSHOTS))
            elif not is_histogram and scalar_kind(tag):
                self.scalars.setdefault(tag, BoundedSeries(1, MAX_POINTS))

    def put_scalars(self, tag: str, points: Points, *, is_tensor: bool) -> None:
        """Adds several data of a scalar with valid steps; `is_tensor`: written in the manner of tf.summary."""
        self.tensors += len(points.steps) * is_tensor
        self.note_name(tag)
        if not scalar_kind(tag):
            self.unused += len(points.steps)
        elif tag in self.scalars or self._has_room(len(points.steps)):
            self.scalars.setdefault(tag, BoundedSeries(1, MAX_POINTS)).put_many(points)

    def put_bucket_tables(self, points: Mapping[str, Points], shape: tuple[int, ...]) -> None:
        """Adds data of histograms, by tag, with valid steps and written in the manner of tf.summary: [n, 3] each."""
        snapshots = []
        for tag, of_tag in points.items():
            count = len(of_tag.steps)
            self.tensors += count
            if not histogram_kind(tag):
                self.note_name(tag)
                self.unused += count
            elif tag in self.histograms or self._has_room(count):
                snapshots.append((self.histograms.setdefault(tag, HistogramSeries(MAX_SNAPSHOTS)), of_tag))
        if snapshots and (damaged := put_tables(snapshots, shape)):
            self.skip("histograms: damaged", damaged)

    def put_buckets(self, event: Any, tag: str, buckets: NDArray[Any]) -> None:
        """Adds a histogram, `[n, 3]`: left edge, right edge, count; `event` has its step and wall time."""
        if is_bucket_table(buckets):
            self._put_snapshot(event, tag, from_buckets(buckets.astype(np.float64, copy=False)), exact=False)
        else:
            self.skip("histograms: damaged")

    def _put_snapshot(self, event: Any, tag: str, snapshot: Snapshot | None, *, exact: bool) -> None:
        if not histogram_kind(tag):
            self.unused += 1
            return
        if tag not in self.histograms:
            if not self._has_room():
                return
            self.histograms[tag] = HistogramSeries(MAX_SNAPSHOTS)
        if not self._has_valid_step(event):
            return
        if snapshot is None:
            self.skip("histograms: damaged")
            return
        self.histograms[tag].exact |= exact
        self.histograms[tag].put_snapshot(event.step, event.wall_time, snapshot)

    def note_name(self, tag: str) -> None:
        """Notes what the name of a scalar tells of the training, whether its kind is known or not."""
        self.moving_objective |= has_moving_objective(tag)

    def forget(self, plugin: str, tag: str) -> None:
        """Drops the data of a tag, which will be put again."""
        if plugin == "scalars":
            self.scalars.pop(tag, None)
        else:
            self.histograms.pop(tag, None)
        self.sampled.discard(tag)

    def _has_room(self, count: int = 1) -> bool:
        if len(self.scalars) + len(self.histograms) < MAX_TAGS:
            return True
        self.skip(f"more than {MAX_TAGS:,} scalars and histograms in a run", count)
        return False

    def _has_valid_step(self, event: Any) -> bool:
        if 0 <= event.step < 1 << 53:
            return True
        self.skip("steps that are negative or too large")
        return False

    def skip(self, reason: str, count: int = 1) -> None:
        """Counts data that could not be read."""
        self.skipped[reason] = self.skipped.get(reason, 0) + count
