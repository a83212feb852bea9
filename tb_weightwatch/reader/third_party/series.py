"""Scalars and histograms that somebody else wrote, collected in bounded memory from serialized events."""

from __future__ import annotations

import math
from array import array
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .tag_names import histogram_kind, scalar_kind

MAX_POINTS = 4096  # kept of a scalar
MAX_SNAPSHOTS = 512  # kept of a histogram
MAX_TAGS = 5_000  # of a run
MAX_BUCKETS = 1 << 16
MAX_MODEL = 1 << 24  # bytes of a model's description
_PLAIN = {1: "<f4", 2: "<f8"}  # DT_FLOAT, DT_DOUBLE
# Of a snapshot; drift and changes are sums over all snapshots so far, so that a thinned series loses none of them.
STATISTICS = ("low", "high", "norm", "mean", "size", "drift", "changes")


class Points(NamedTuple):
    """A series' data in the order in which they came: `[n]` steps, times, and `[n, k]` values."""

    steps: NDArray[np.int64]
    times: NDArray[np.float64]
    values: NDArray[np.float64]


def taken(points: Points, which: Any) -> Points:
    """Returns some of the data, or all in another order."""
    return Points(points.steps[which], points.times[which], points.values[which])


class BoundedSeries:
    """A tag's data. When it is full, every second datum goes; the first that is not finite and the last one stay."""

    def __init__(self, width: int, most: int) -> None:
        self.width, self.most = width, most
        self.count = 0
        self.stride = 1
        self._flat = array("d")
        self._kept = 0
        self._odd: tuple[float, ...] | None = None  # the first that is not finite
        self._last: tuple[float, ...] = ()

    def put(self, step: int, time: float, values: tuple[float, ...]) -> None:
        """Adds one point."""
        self._last = (float(step), time if math.isfinite(time) else 0.0, *values)
        if self._odd is None and not all(map(math.isfinite, values)):
            self._odd = self._last
        if self.count % self.stride == 0:
            if self._kept == self.most:
                self._halve()
            if self.count % self.stride == 0:
                self._flat.extend(self._last)
                self._kept += 1
        self.count += 1

    def _halve(self) -> None:
        rows = np.frombuffer(self._flat, np.float64).reshape(-1, self.width + 2)[::2].copy()
        self._flat = array("d", rows.tobytes())
        self._kept = len(rows)
        self.stride *= 2

    @property
    def thinned(self) -> bool:
        """Whether points have been dropped to bound the memory."""
        return self.stride > 1

    @property
    def nbytes(self) -> int:
        """Memory that the series takes, in bytes."""
        return 8 * len(self._flat) + 400

    def points(self) -> Points:
        """Returns the points kept, in the order of their steps."""
        rows = np.frombuffer(self._flat, np.float64).reshape(-1, self.width + 2)
        if self.thinned:  # the two that must stay, each in its place and once
            for one in (self._odd, self._last):
                if one is not None and not (rows[:, :2] == one[:2]).all(axis=1).any():
                    at = len(rows) if one is self._last else int(np.searchsorted(rows[:, 1], one[1], side="right"))
                    rows = np.insert(rows, at, one, axis=0)
        return Points(rows[:, 0].astype(np.int64), rows[:, 1].copy(), rows[:, 2:].copy())


class TagCollector:
    """What event files hold of a training that nobody watched: scalars by tag, histograms reduced to a few numbers.

    Args:
        writer: who wrote them, as far as the source tells; "": what they look like says it.
    """

    def __init__(self, writer: str = "") -> None:
        self.writer = writer
        self.sampled: set[str] = set()  # tags of which the source has dropped data
        self.scalars: dict[str, BoundedSeries] = {}
        self.histograms: dict[str, BoundedSeries] = {}
        self.exact: set[str] = set()  # histograms that tell norm and mean, not just their buckets
        self.model: bytes = b""  # Keras' description of it, JSON
        self.tensors = 0  # data in the manner of tf.summary
        self.others = 0  # scalars and histograms that nothing is known of
        self.skipped: dict[str, int] = {}
        self._plugins: dict[str, str] = {}
        self._before: dict[str, tuple[tuple[Any, ...], float, int]] = {}

    def __bool__(self) -> bool:
        return bool(self.scalars or self.histograms or self.model)

    @property
    def nbytes(self) -> int:
        """Memory that the series takes, in bytes."""
        """About how much memory it takes."""
        return sum(one.nbytes for held in (self.scalars, self.histograms) for one in held.values()) + len(self.model)

    def put(self, event: Any) -> None:
        """Takes a parsed event; what is neither a scalar nor a histogram is passed over."""
        for value in event.summary.value:
            plugin = value.metadata.plugin_data.plugin_name
            if plugin and len(self._plugins) < MAX_TAGS:
                self._plugins.setdefault(value.tag, plugin)
            kind = value.WhichOneof("value")
            if kind == "simple_value":
                self.scalar(event, value.tag, value.simple_value)
            elif kind == "histo":
                self._histogram(event, value.tag, _from_proto(value.histo), exact=True)
            elif kind == "tensor":
                self._tensor(event, value, self._plugins.get(value.tag, ""))

    def _tensor(self, event: Any, value: Any, plugin: str) -> None:
        if plugin == "graph_keras_model":
            found = value.tensor.string_val[0] if value.tensor.string_val else b""
            self.model = found if len(found) <= MAX_MODEL else b""
        elif plugin in ("scalars", "histograms"):
            self.tensors += 1
            if not (scalar_kind if plugin == "scalars" else histogram_kind)(value.tag):
                self.others += 1
                return
            content = _numbers(value.tensor)
            if plugin == "scalars" and content is not None and content.size == 1:
                self.scalar(event, value.tag, float(content.reshape(-1)[0]))
            elif plugin == "histograms" and content is not None:
                self.buckets(event, value.tag, content)
            else:
                self._skip(f"{plugin}: damaged")

    def forget(self, plugin: str, tag: str) -> None:
        """Drops what was put in of a tag, to be put in anew."""
        (self.scalars if plugin == "scalars" else self.histograms).pop(tag, None)
        self._before.pop(tag, None)
        self.sampled.discard(tag)

    def buckets(self, event: Any, tag: str, content: NDArray[Any]) -> None:
        """Takes a histogram as `[n, 3]`: left edge, right edge, count; `event` tells step and wall time."""
        if content.ndim == 2 and content.shape[1] == 3 and content.dtype.kind == "f" and len(content) <= MAX_BUCKETS:
            self._histogram(event, tag, content.astype(np.float64, copy=False), exact=False)
        else:
            self._skip("histograms: damaged")

    def scalar(self, event: Any, tag: str, number: float) -> None:
        """Takes a scalar; `event` tells step and wall time."""
        if not scalar_kind(tag):
            self.others += 1
            return
        series = self._series(self.scalars, tag, 1, MAX_POINTS)
        if series is not None and self._sane(event):
            series.put(event.step, event.wall_time, (number,))

    def _histogram(self, event: Any, tag: str, content: Any, *, exact: bool) -> None:
        if not histogram_kind(tag):
            self.others += 1
            return
        series = self._series(self.histograms, tag, len(STATISTICS), MAX_SNAPSHOTS)
        if series is None or not self._sane(event):
            return
        found = content if exact else _from_buckets(content)
        if found is None:
            self._skip("histograms: damaged")
            return
        if exact:
            self.exact.add(tag)
        before, drift, changes = self._before.get(tag, (found, 0.0, 0))
        moved = _drift(before, found)
        drift, changes = drift + (moved if math.isfinite(moved) else 0.0), changes + (before[-1] != found[-1])
        series.put(event.step, event.wall_time, (*found[:-1], drift, float(changes)))
        self._before[tag] = (found, drift, changes)

    def _series(self, held: dict[str, BoundedSeries], tag: str, width: int, most: int) -> BoundedSeries | None:
        if tag not in held and len(self.scalars) + len(self.histograms) >= MAX_TAGS:
            self._skip(f"more than {MAX_TAGS:,} scalars and histograms in a run")
            return None
        return held.setdefault(tag, BoundedSeries(width, most))

    def _sane(self, event: Any) -> bool:
        if 0 <= event.step < 1 << 53:
            return True
        self._skip("steps below 0 or beyond reason")
        return False

    def _skip(self, reason: str) -> None:
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


def _drift(before: tuple[Any, ...], now: tuple[Any, ...]) -> float:
    """Returns by how much at least an element has moved between two snapshots, as far as they show it."""
    spread = abs(now[2] - before[2]) / max(1.0, now[4]) ** 0.5
    return float(max(abs(now[0] - before[0]), abs(now[1] - before[1]), spread))


def _numbers(tensor: Any) -> NDArray[np.float64] | None:
    """Returns a tensor's numbers; None if it is none of them, damaged or too large. Sizes are checked before use."""
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    size = math.prod(max(0, length) for length in shape)
    if size > 3 * MAX_BUCKETS:
        return None
    try:
        # What nearly all of them are; make_ndarray takes several times as long.
        if tensor.dtype in _PLAIN and tensor.tensor_content:
            return np.frombuffer(tensor.tensor_content, _PLAIN[tensor.dtype]).astype(np.float64).reshape(shape)
        if len(tensor.float_val) == 1 == size:
            return np.array(tensor.float_val[0], np.float64)
        from tensorboard.util import tensor_util

        return np.asarray(tensor_util.make_ndarray(tensor), np.float64)
    except Exception:  # of whatever type: the content is a stranger's
        return None


def _from_proto(histo: Any) -> tuple[Any, ...] | None:
    """Returns low, high, norm, mean, size, digest of a histogram that knows its own moments."""
    size = histo.num
    if not size >= 0 or len(histo.bucket) > MAX_BUCKETS:
        return None
    norm = math.sqrt(histo.sum_squares) if histo.sum_squares >= 0 else math.nan
    mean = histo.sum / size if size else 0.0
    return histo.min, histo.max, norm, mean, size, hash(histo.SerializeToString())


def _from_buckets(content: NDArray[np.float64]) -> tuple[Any, ...] | None:
    """Returns low, high, norm, mean, size, digest: edges and size are exact, norm and mean are estimates.

    Within a bucket the elements are taken for spread evenly.
    """
    if not len(content):
        return 0.0, 0.0, 0.0, 0.0, 0.0, 0
    left, right, count = np.ascontiguousarray(content.T)
    if not count.min() >= 0:
        return None
    low, high, size = float(left[0]), float(right[-1]), float(count.sum())
    digest = hash(content.tobytes())
    with np.errstate(all="ignore"):
        squares = float(np.dot(count, left * left + left * right + right * right)) / 3
        total = float(np.dot(count, left + right)) / 2
    if not math.isfinite(squares) and not np.isfinite(content[:, :2]).all():
        odd = math.nan if np.isnan(content[:, :2]).any() else math.inf
        return odd, odd, odd, odd, size, digest
    return low, high, math.sqrt(max(0.0, squares)), total / size if size else 0.0, size, digest
