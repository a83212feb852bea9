"""One self-contained HTML file: the panel with all answers it may ask for. It opens from disk, without a server.

The file holds the panel's bundle and, compressed, the answers that the backend would give, so it shows what the panel
shows. A few lines of script answer the panel's requests from this data.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import answers
from ..maps import HISTOGRAMS, MOTION, Map
from ..reader import Launch
from ..verdict import Diagnosis
from .page import html, request_key

MOST_BYTES = 3_000_000
COLUMNS = (300, 200, 120, 80, 48, 32, 16)  # buckets of steps: as many as fit
MAP_SIZES = ((16, 64), (8, 64), (4, 64), (4, 32), (2, 32), (2, 16), (1, 16))  # maps of a kind, and their longest side
MAPS_BYTES = 600_000  # reserved for histograms and motion maps; a fifth of the file at most
BUCKET_FIELDS = ("covered", "first", "last", "recorded")  # of heat maps and curves
_CELL_BYTES = 2.5  # of one cell of a map in the file, approximately


class _DiagnosedLaunch(NamedTuple):
    run: str
    launch: Launch
    diagnosis: Diagnosis

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of a request for this launch."""
        return {"run": self.run, "launch": self.launch.history.launch}


def write(
    path: str,
    runs: Mapping[str, Sequence[Launch]],
    *,
    most_bytes: int = MOST_BYTES,
    failed: dict[str, str] | None = None,
) -> int:
    """Writes the report of these runs (name -> launches, oldest first) and returns its size in bytes.

    Args:
        path: of the file.
        runs: the runs.
        most_bytes: how large the file may be.
        failed: gets the runs with a launch that could not be reported (name -> why); the others are in the report.

    Raises:
        ValueError: there is no launch that can be reported.
    """
    now = time.time()
    launches = [item for run, of_run in runs.items() for item in _reportable(run, of_run, now, failed)]
    if not launches:
        raise ValueError("there is nothing to report: no run holds a launch that can be reported")
    with_maps = any(x.launch.history.maps() for x in launches)
    bound = most_bytes - (min(MAPS_BYTES, most_bytes // 5) if with_maps else 0)
    page, most_columns = "", float(COLUMNS[0])
    data: dict[str, Any] = {}
    for columns in COLUMNS:
        if columns <= most_columns:
            data = _data(launches, now, columns)
            page = html(data)
            if len(page) <= bound:
                break
            most_columns = columns * bound / len(page)  # numbers of columns above it need not be tried
    if with_maps:
        page = _page_with_maps(launches, data, page, most_bytes)
    with open(path, "w", encoding="utf-8") as file:
        return file.write(page)


def _reportable(
    run: str, launches: Sequence[Launch], now: float, failed: dict[str, str] | None
) -> Iterator[_DiagnosedLaunch]:
    """Yields those launches of a run whose answers can be computed."""
    for launch in launches:
        item = _DiagnosedLaunch(run, launch, answers.safe_diagnose(launch.history))
        try:
            _data([item], now, COLUMNS[-1])
        except Exception as error:  # one launch must not end the report of all others
            if failed is not None:
                failed[run] = f"{type(error).__name__}: {error}"
        else:
            yield item


def _data(launches: Sequence[_DiagnosedLaunch], now: float, columns: int) -> dict[str, Any]:
    """Returns request -> answer for all that the panel may ask for, maps excepted."""
    data: dict[str, Any] = {}
    entries: dict[str, list[dict[str, Any]]] = {}
    for item in launches:
        run, launch, diagnosis = item
        entries.setdefault(run, []).append(answers.launch_entry(launch, diagnosis, now))
        overview = answers.with_source(answers.overview(run, launch, diagnosis, now), launch.history)
        data[request_key("overview", item.parameters)] = overview
        for code in answers.explained_rules(overview):
            data[request_key("explanation", {"rule": str(code)})] = answers.explanation(rule=str(code))
        heatmaps: dict[str, str] = {}
        for quantity in (q["name"] for q in overview["quantities"]):
            heatmaps[quantity] = request_key("heatmap", {**item.parameters, "quantity": quantity})
            data[heatmaps[quantity]] = answers.heatmap(launch.history, quantity, columns, diagnosis=diagnosis)
        for name in ("", *(v["name"] for v in overview["variables"]), *overview["layers"]):
            curves = answers.curves(launch.history, name, columns)
            data[request_key("curves", {**item.parameters, "name": name})] = _with_references(curves, heatmaps, data)
            for quantity in (curve["quantity"]["name"] for curve in curves["curves"]):
                explained = answers.explanation(quantity=quantity)
                data[request_key("explanation", {"quantity": quantity})] = explained
    data["newest"] = {run: run_entries[-1]["launch"] for run, run_entries in entries.items()}
    data[request_key("runs", {})] = answers.runs("report", entries)
    newest = {item.run: item for item in launches}
    rows = [(run, entries[run][-1], answers.summary_of(x.launch, x.diagnosis)) for run, x in newest.items()]
    data[request_key("table", {})] = answers.run_table(rows)
    return data


def _page_with_maps(launches: Sequence[_DiagnosedLaunch], data: dict[str, Any], page: str, most_bytes: int) -> str:
    """Returns the page with as many and as fine histograms and motion maps as fit; without any if none fit."""
    for most, side in MAP_SIZES:
        selected = [
            (item, variable, coarser(item.launch.history.maps(variable=variable.name), most, side))
            for item in launches
            for variable in item.launch.history.variables
        ]
        if _CELL_BYTES * sum(m.values.size for _, _, maps in selected for m in maps) > most_bytes - len(page):
            continue
        extended = dict(data)
        for item, variable, maps in selected:
            if maps:
                key, overview = (
                    request_key("maps", {**item.parameters, "name": variable.name}),
                    request_key("overview", item.parameters),
                )
                extended[key] = answers.maps(variable, maps, revision="report")
                extended[overview] = {**data[overview], "maps": "report"}
        page_with_maps = html(extended)
        if len(page_with_maps) <= most_bytes:
            return page_with_maps
    return page


def coarser(maps: Iterable[Map], most: int, side: int) -> list[Map]:
    """Returns at most `most` maps of each kind: the last one and others evenly before it.

    Motion maps are pooled until no side is longer than `side`.
    """
    selected: list[Map] = []
    for kind in (*HISTOGRAMS, *MOTION):
        same_kind = [m for m in maps if m.kind == kind]
        last = len(same_kind) - 1
        indices = np.unique(np.linspace(0, last, most).round().astype(int)) if most > 1 else [last]
        for item in (same_kind[index] for index in indices if same_kind):
            histogram = kind in HISTOGRAMS
            selected.append(item if histogram else replace(item, values=pooled(np.asarray(item.values), side)))
    return selected


def pooled(values: NDArray[Any], side: int) -> NDArray[Any]:
    """Returns the largest value of each block, as motion maps hold them already; NaN wins."""
    for axis, length in enumerate(values.shape):
        step = -(-length // side)
        if step > 1:
            values = np.maximum.reduceat(values, np.arange(0, length, step), axis=axis)
    return values


def _with_references(curves: dict[str, Any], heatmaps: Mapping[str, str], data: Mapping[str, Any]) -> dict[str, Any]:
    """Returns curves with references to heat maps that hold their buckets and rows already, which halves the file."""
    shortened: list[Any] = []
    for curve in curves["curves"]:
        if curve["quantity"]["name"] not in heatmaps:  # derived, such as the clip ratio
            shortened.append(curve)
            continue
        key = heatmaps[curve["quantity"]["name"]]
        names = data[key]["names"]
        row = names.index(curves["name"]) if curves["name"] in names else 0
        last = None if curve["last"] == data[key]["high"][row] else curve["last"]
        fields = {name: value for name, value in curve.items() if name not in ("quantity", "low", "high", "last")}
        shortened.append((key, row, last, fields))
    fields = {name: value for name, value in curves.items() if name not in BUCKET_FIELDS or not heatmaps}
    return {**fields, "curves": shortened, "buckets": next(iter(heatmaps.values()), "")}
