"""Converts third-party scalars and histograms to a History: aligns their steps, fills the columns they support."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...history import Column, History, Record, Rows
from ...schema import LaunchStatus, Problems, checked
from ..launch import Launch, SkipCounts
from .alignment import StepAlignment
from .records import records
from .selected_tags import SelectedTags, counted_on, launch_spans, select_tags, written_concurrently
from .series import Points, select
from .tag_collector import TagCollector
from .tag_names import variable

MAX_CELLS = 6_000_000  # rows times variables
QUIET = 600.0  # seconds without a datum after which the training counts as over
_DUE = QUIET / 3  # a launch is overdue after three times this
_COLUMNS = {
    "weight": ("weight_max", "weight_norm", "weight_std", "weight_nonfinite", "weight_drift", "weight_changes"),
    "gradient": ("gradient_max", "gradient_norm", "gradient_nonfinite"),
}


class _TaggedSeries(NamedTuple):
    """A series and what it holds: kind "run" (a scalar), "weight" or "gradient"."""

    kind: str
    tag: str
    points: Points


def third_party_launches(files: Sequence[TagCollector], directory: str) -> list[Launch]:
    """Returns the launches of a training that other tools logged, oldest first.

    Steps that go back are a restart. Files that several processes wrote at the same time are launches of their own.

    Args:
        files: what the event files of a directory contain.
        directory: its name.
    """
    texts, files = [file for file in files if file and file.is_text], [f for f in files if f and not f.is_text]
    groups = [[file] for file in files] if written_concurrently(files) else [files]
    groups += [[file] for file in texts]
    launches: list[Launch] = []
    for group in groups:
        tags = select_tags(group, directory)
        tags = tags._replace(scalars={tag: counted_on(points) for tag, points in tags.scalars.items()})
        main = tags.main_series()
        if main is not None and len(main.steps):
            of_group = (_launch(group, tags.between(start, stop)) for start, stop in launch_spans(main))
            launches += [launch for launch in of_group if launch is not None]
    _make_names_unique(launches)
    return launches


def _make_names_unique(launches: list[Launch]) -> None:
    """Numbers launches that began in the same second."""
    counts = Counter[str]()
    for launch in launches:
        name = launch.history.launch
        counts[name] += 1
        if counts[name] > 1:
            launch.history.launch = f"{name}-{counts[name]}"


# -- one launch


def _launch(group: Sequence[TagCollector], tags: SelectedTags) -> Launch | None:
    series = _ordered_series(tags)
    if not series:
        return None
    names = list(dict.fromkeys(variable(one.tag) for one in series if one.kind != "run"))
    max_rows = max(64, MAX_CELLS // max(1, len(names)))
    is_complete = all(len(one.points.steps) <= max_rows for one in series) and not any(file.thinned for file in group)
    series = [one._replace(points=_thinned(one.points, max_rows)) for one in series]
    alignment = StepAlignment(series[0].points, [one.points for one in series[1:]])
    started = float(np.clip(alignment.times[0], 0, 1e12))
    history = History(str(int(started)), started=started, complete=is_complete)
    by_time = [one.tag for one, alike in zip(series[1:], alignment.counts_alike, strict=True) if not alike]
    problems = Problems()
    for record in records(group, tags, names, started, {"shifted": alignment.shift, "by_time": by_time[:20]}):
        data = checked(record.kind, record.data, problems)
        if data is not None:
            history.add(replace(record, data=data))
    rows = _rows(series, alignment, names, tags.columns())
    history.append(rows)
    last_step, last_time = int(rows.steps[-1]), float(alignment.times[-1])
    if time.time() - last_time > QUIET:
        history.add(Record(last_step, "end", {"how": "log"}, last_time))
    skipped = SkipCounts()
    for reasons in (problems, *(file.skipped for file in group)):
        skipped.note_all(reasons)
    return Launch(history, LaunchStatus(last_time, _DUE, last_step, started=started), skipped)


def _ordered_series(tags: SelectedTags) -> list[_TaggedSeries]:
    """Returns all series, the main one first."""
    series = [_TaggedSeries("run", tag, points) for tag, points in tags.scalars.items()]
    series += [_TaggedSeries("weight", tag, points) for tag, points in tags.weights.items()]
    series += [_TaggedSeries("gradient", tag, points) for tag, points in tags.gradients.items()]
    return sorted(series, key=lambda one: (one.tag != tags.loss, one.kind != "weight"))


def _thinned(points: Points, max_rows: int) -> Points:
    stride = -(-len(points.steps) // max_rows)
    return select(points, slice(None, None, stride)) if stride > 1 else points


def _rows(
    series: Sequence[_TaggedSeries], alignment: StepAlignment, names: Sequence[str], run: Mapping[str, str]
) -> Rows:
    block = Rows(alignment.steps + alignment.shift, alignment.times)
    column_of = {name: i for i, name in enumerate(names)}
    histograms: dict[str, list[tuple[NDArray[np.intp], int, Points]]] = {kind: [] for kind in _COLUMNS}
    for (kind, tag, points), alike in zip(series, [True, *alignment.counts_alike], strict=True):
        rows = alignment.rows(points, alike)
        if kind == "run":
            _put(block.run, run[tag], (len(block),), rows, points.values[:, 0])
        else:
            histograms[kind].append((rows, column_of[variable(tag)], points))
    for kind, of_kind in histograms.items():
        if of_kind:
            rows = np.concatenate([rows for rows, _, _ in of_kind])
            columns = np.repeat([column for _, column, _ in of_kind], [len(rows) for rows, _, _ in of_kind])
            values = _statistics(kind, np.concatenate([points.values for _, _, points in of_kind]))
            for name, statistic in zip(_COLUMNS[kind], values, strict=True):
                _put(block.variable, name, (len(block), len(names)), (rows, columns), statistic)
    if "weight_nonfinite" in block.variable:
        _continue_nonfinite(block.variable["weight_nonfinite"])
    return block


def _put(columns: dict[str, Column], name: str, shape: tuple[int, ...], at: Any, values: Any) -> None:
    if name not in columns:
        dtype = np.float64 if len(shape) == 1 else np.float32  # as a History keeps them
        columns[name] = Column(np.full(shape, np.nan, dtype), np.zeros(shape, bool))
    with np.errstate(over="ignore"):
        columns[name].values[at], columns[name].known[at] = values, True


def _continue_nonfinite(column: Column) -> None:
    """Continues a variable's column to the end if its last snapshot is not finite, in place.

    NaN in a weight stays there, and some writers refuse to log it from then on.
    """
    last = len(column.known) - 1 - np.argmax(column.known[::-1], axis=0)
    for i in np.flatnonzero(column.values[last, np.arange(len(last))] > 0):
        column.values[last[i] :, i], column.known[last[i] :, i] = 1.0, True


def _statistics(kind: str, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Returns the columns (`_COLUMNS`) of snapshots of histograms, `[n]` each, from their `STATISTICS`."""
    low, high, norm, mean, size, drift, changes = np.ascontiguousarray(values.T)
    with np.errstate(all="ignore"):
        largest = np.where(np.isnan(low + high), np.nan, np.maximum(np.abs(low), np.abs(high)))
        largest = np.where(np.isinf(low) | np.isinf(high), np.inf, largest)
        std = np.sqrt(np.maximum(norm**2 / np.maximum(size, 1) - mean**2, 0))
    nonfinite = 1.0 * ~(np.isfinite(low) & np.isfinite(high))
    if kind == "weight":
        return largest, norm, std, nonfinite, drift, changes
    return largest, norm, nonfinite
