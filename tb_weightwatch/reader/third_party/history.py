"""Curves that somebody else wrote to Histories: one clock, the columns that they can give, and what is an estimate."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...history import Column, History, Record, Rows
from ...schema import LaunchStatus
from ..assembly import Launch, SkipCounts
from .alignment import StepAlignment
from .records import Chosen, records
from .series import Points, TagCollector, taken
from .tag_names import histogram_kind, is_evaluation, main_loss_tag, scalar_kind, variable

MAX_RESTARTS = 16
MAX_CELLS = 6_000_000  # rows times variables
QUIET = 600.0  # seconds without a datum after which nobody is taken to be writing any more
_DUE = QUIET / 3  # a sign of life is missed after three of them
_COLUMNS = {
    "weight": ("weight_max", "weight_norm", "weight_std", "weight_nonfinite", "weight_drift", "weight_changes"),
    "gradient": ("gradient_max", "gradient_norm", "gradient_nonfinite"),
}


def third_party_launches(files: Sequence[TagCollector], directory: str) -> list[Launch]:
    """Returns what event files of one directory, none of them ours, tell of a training: a launch a start.

    Steps that go back are a restart, and so are files written at the same time by several processes.
    """
    found: list[Launch] = []
    files = [f for f in files if f]
    groups = [[f] for f in files] if _at_once(files) else [list(files)]
    for group in groups:
        chosen = _chosen(group, directory)
        main = chosen.scalars.get(chosen.loss) or next(
            iter([*chosen.weights.values(), *chosen.scalars.values(), *chosen.gradients.values()]), None
        )
        if main is None or not len(main.steps):
            continue
        for start, stop in _spans(main):
            launch = _launch(group, _cut(chosen, start, stop))
            if launch is not None:
                found.append(launch)
    seen: dict[str, int] = {}
    for one in found:
        name = one.history.launch
        seen[name] = seen.get(name, 0) + 1
        one.history.launch = name if seen[name] == 1 else f"{name}-{seen[name]}"
    return found


# -- which data


def _chosen(group: Sequence[TagCollector], directory: str) -> Chosen:
    scalars = _joined([f.scalars for f in group])
    histograms = _joined([f.histograms for f in group])
    losses = {t: len(p.steps) for t, p in scalars.items() if scalar_kind(t) == "loss"}
    rates = {t: float(np.nanmax(p.values, initial=0)) for t, p in scalars.items() if scalar_kind(t) == "learning_rate"}
    loss = "" if is_evaluation(directory) else main_loss_tag(losses)
    rate = max(rates, key=lambda tag: rates[tag]) if rates else ""
    return Chosen(
        loss,
        rate,
        {t: p for t, p in scalars.items() if t in (loss, rate)},
        {t: p for t, p in histograms.items() if histogram_kind(t) == "weight"},
        {t: p for t, p in histograms.items() if histogram_kind(t) == "gradient"},
    )


def _joined(parts: Sequence[Mapping[str, Any]]) -> dict[str, Points]:
    """Puts the files' data of each tag in the order in which they were written."""
    found: dict[str, list[Points]] = {}
    for part in parts:
        for tag, series in part.items():
            found.setdefault(tag, []).append(series.points())
    return {tag: _ordered(several) for tag, several in found.items()}


def _ordered(several: list[Points]) -> Points:
    if len(several) == 1:
        return several[0]
    steps, times, values = (np.concatenate(arrays) for arrays in zip(*several, strict=True))
    return taken(Points(steps, times, values), np.argsort(times, kind="stable"))


def _at_once(files: Sequence[TagCollector]) -> bool:
    """Says whether two files hold data of one tag that were written in turns: by processes that ran at once."""
    spans: dict[str, list[tuple[float, float]]] = {}
    for file in files:
        for tag, series in {**file.scalars, **file.histograms}.items():
            times = series.points().times
            if len(times) > 1:
                spans.setdefault(tag, []).append((float(times.min()), float(times.max())))
    return any(a[1] > b[0] for found in spans.values() for a, b in zip(sorted(found), sorted(found)[1:], strict=False))


def _spans(main: Points) -> list[tuple[float, float]]:
    """Returns from which time to which each launch ran: where steps go back, another one began."""
    back = np.flatnonzero(np.diff(main.steps) < 0)[:MAX_RESTARTS]
    # What stands between the last datum of one and the first of the next belongs to the earlier one.
    starts = [-np.inf, *(float(t) for t in main.times[back + 1])]
    return list(zip(starts, [*starts[1:], np.inf], strict=True))


def _cut(chosen: Chosen, start: float, stop: float) -> Chosen:
    def within(series: dict[str, Points]) -> dict[str, Points]:
        found = {}
        for tag, points in series.items():
            inside = (points.times >= start) & (points.times < stop)
            if inside.any():
                found[tag] = taken(points, inside)
        return found

    return chosen._replace(
        scalars=within(chosen.scalars), weights=within(chosen.weights), gradients=within(chosen.gradients)
    )


# -- one launch


def _launch(group: Sequence[TagCollector], chosen: Chosen) -> Launch | None:
    named: list[tuple[str, str, Points]] = [("run", t, p) for t, p in chosen.scalars.items()]
    named += [("weight", t, p) for t, p in chosen.weights.items()]
    named += [("gradient", t, p) for t, p in chosen.gradients.items()]
    if not named:
        return None
    named.sort(key=lambda one: (one[1] != chosen.loss, one[0] != "weight"))
    names = list(dict.fromkeys(variable(t) for kind, t, _ in named if kind != "run"))
    most = max(64, MAX_CELLS // max(1, len(names)))
    whole = all(len(points.steps) <= most for _, _, points in named)
    named = [(kind, tag, _fewer(points, most)) for kind, tag, points in named]
    clock = StepAlignment(named[0][2], [points for _, _, points in named[1:]])
    began = float(np.clip(clock.times[0], 0, 1e12))
    history = History(str(int(began)), started=began)
    history.complete = whole and not any(
        f.sampled or any(s.thinned for s in (*f.scalars.values(), *f.histograms.values())) for f in group
    )
    by_time = [tag for (_, tag, _), alike in zip(named[1:], clock.alike, strict=True) if not alike]
    for record in records(group, chosen, names, began, {"shifted": clock.shift, "by_time": by_time[:20]}):
        history.add(record)
    block = _block(named, clock, names, chosen.loss)
    history.append(block)
    if time.time() - float(clock.times[-1]) > QUIET:
        history.add(Record(int(block.steps[-1]), "end", {"how": "log"}, float(clock.times[-1])))
    skipped = SkipCounts()
    for file in group:
        skipped.update(file.skipped)
    last = float(clock.times[-1])
    return Launch(history, LaunchStatus(last, _DUE, int(block.steps[-1]), started=began), skipped)


def _block(named: Sequence[tuple[str, str, Points]], clock: StepAlignment, names: Sequence[str], loss: str) -> Rows:
    block = Rows(clock.steps + clock.shift, clock.times)
    places = {name: place for place, name in enumerate(names)}
    for (kind, tag, points), alike in zip(named, [True, *clock.alike], strict=True):
        rows = clock.rows(points, alike)
        if kind == "run":
            _put(block.run, "loss" if tag == loss else "learning_rate", (len(block),), rows, points.values[:, 0])
        else:
            for name, found in zip(_COLUMNS[kind], _statistics(kind, points), strict=True):
                _put(block.variable, name, (len(block), len(names)), (rows, places[variable(tag)]), found)
    if "weight_nonfinite" in block.variable:
        _stay(block.variable["weight_nonfinite"])
    return block


def _stay(odd: Column) -> None:
    """Carries on what is not finite in a weight's last snapshot: it stays, and some writers then refuse to log it."""
    last = len(odd.known) - 1 - np.argmax(odd.known[::-1], axis=0)
    for place in np.flatnonzero(odd.values[last, np.arange(len(last))] > 0):
        odd.values[last[place] :, place], odd.known[last[place] :, place] = 1.0, True


def _fewer(points: Points, most: int) -> Points:
    stride = -(-len(points.steps) // most)
    return taken(points, slice(None, None, stride)) if stride > 1 else points


def _put(columns: dict[str, Column], name: str, shape: tuple[int, ...], at: Any, values: Any) -> None:
    if name not in columns:
        columns[name] = Column(np.full(shape, np.nan), np.zeros(shape, bool))
    columns[name].values[at], columns[name].known[at] = values, True


def _statistics(kind: str, points: Points) -> tuple[NDArray[np.float64], ...]:
    """Returns the columns of a histogram's snapshots."""
    low, high, norm, mean, size, drift, changes = points.values.T
    with np.errstate(all="ignore"):
        largest = np.where(np.isnan(low + high), np.nan, np.maximum(np.abs(low), np.abs(high)))
        largest = np.where(np.isinf(low) | np.isinf(high), np.inf, largest)
        spread = np.sqrt(np.maximum(norm**2 / np.maximum(size, 1) - mean**2, 0))
    odd = 1.0 * ~(np.isfinite(low) & np.isfinite(high))
    return (largest, norm, spread, odd, drift, changes) if kind == "weight" else (largest, norm, odd)
