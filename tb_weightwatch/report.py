"""One self-contained HTML file: the panel and all it can ask for, that opens from disk without server or network.

The file holds the panel's own bundle and, compressed, the answers that the backend would give, so it shows what the
panel shows and grows with it. A few lines of script stand between: they answer the panel's requests from the data.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import resources
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import answers
from .maps import HISTOGRAMS, MOTION, Map
from .reader import Launch
from .verdict import Diagnosis

MOST_BYTES = 3_000_000
COLUMNS = (300, 200, 120, 80, 48, 32, 16)  # buckets of steps: as many as fit
PICTURES = ((16, 64), (8, 64), (4, 64), (4, 32), (2, 32), (2, 16), (1, 16))  # histograms and maps of a kind; their side
ROOM = 600_000  # bytes that histograms and motion maps may have where the rest needs all there is
_CELL = 2.5  # bytes of one cell of a motion map in the file, about
_NONE = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
_Judged: TypeAlias = Sequence[tuple[str, Launch, Diagnosis]]
_RENDER = re.compile(r"export\s*\{[^}]*?([\w$]+)\s+as\s+render\b[^}]*\}\s*;?")

# Curves stand in the data as references to rows of heat maps, which hold the same buckets.
_SHIM = """{
const packed = document.getElementById("data").textContent.trim();
const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
const text = new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
const data = JSON.parse(await text);
const key = (route, parameters) => JSON.stringify([route, ...parameters]);
const unpacked = (one) => ({
  ...one,
  curves: one.curves.map((curve) => {
    if (!Array.isArray(curve)) return curve;
    const [map, row, last] = curve;
    const { quantity, low, high } = data[map];
    return { quantity, ...curve[3], low: low[row], high: high[row], last: last ?? high[row] };
  }),
});
window.fetch = async (url) => {
  const asked = new URL(url, "http://report/");
  const newest = data.newest[asked.searchParams.get("run")];
  if (newest !== undefined && !asked.searchParams.get("launch")) asked.searchParams.set("launch", newest);
  const parameters = [...asked.searchParams].filter(([name, value]) => name !== "columns" && value !== "").sort();
  const route = asked.pathname.split("/").pop();
  const found = data[key(route, parameters)];
  const error = { error: "a report on disk does not hold this; look with TensorBoard" };
  const answer = found === undefined ? error : route === "curves" ? unpacked(found) : found;
  return new Response(JSON.stringify(answer), { status: found === undefined ? 404 : 200 });
};
}"""


def write(path: str, runs: Mapping[str, Sequence[Launch]]) -> int:
    """Writes the report of these runs (name -> launches, oldest first) and returns its size in bytes.

    Raises:
        ValueError: there is nothing to report.
    """
    if not any(runs.values()):
        raise ValueError("there is nothing to report: no run holds a launch")
    now = time.time()
    judged = [(run, one, answers.safe_diagnose(one.history)) for run, found in runs.items() for one in found]
    pictured = any(one.history.maps() for _, one, _ in judged)
    page, most, bound = "", float(COLUMNS[0]), MOST_BYTES - (min(ROOM, MOST_BYTES // 5) if pictured else 0)
    data: dict[str, Any] = {}
    for columns in COLUMNS:
        if columns <= most:
            data = _data(judged, now, columns)
            page = _page(data)
            if len(page) <= bound:
                break
            most = columns * bound / len(page)  # what needs no try to be known as too many
    if pictured:
        page = _pictured(judged, data, page)
    with open(path, "w", encoding="utf-8") as file:
        return file.write(page)


def _data(judged: _Judged, now: float, columns: int) -> dict[str, Any]:
    """Returns what the panel may ask for -> the answer."""
    found: dict[str, Any] = {}
    entries: dict[str, list[dict[str, Any]]] = {}
    for run, launch, diagnosis in judged:
        entries.setdefault(run, []).append(
            answers.launch_entry(launch, diagnosis, now, answers.safe_symptoms(launch.history))
        )
        where = {"run": run, "launch": launch.history.launch}
        overview = answers.with_symptoms(answers.overview(run, launch, diagnosis, now), launch.history)
        found[_key("overview", where)] = overview
        maps: dict[str, str] = {}
        for quantity in (q["name"] for q in overview["quantities"]):
            maps[quantity] = _key("heatmap", {**where, "quantity": quantity})
            found[maps[quantity]] = answers.heatmap(launch.history, quantity, columns)
        for name in ("", *(v["name"] for v in overview["variables"]), *overview["layers"]):
            drawn = answers.curves(launch.history, name, columns)
            found[_key("curves", {**where, "name": name})] = _referring(drawn, maps, found)
    found["newest"] = {run: several[-1]["launch"] for run, several in entries.items()}
    found[_key("runs", {})] = answers.runs("report", entries)
    return found


def _pictured(judged: _Judged, data: dict[str, Any], page: str) -> str:
    """Returns the page with histograms and motion maps: as many and as fine as there is room for, none at the worst."""
    room = MOST_BYTES - len(page)
    for most, side in PICTURES:
        chosen = {
            (run, launch.history.launch, variable): _coarser(launch.history.maps(variable=variable.name), most, side)
            for run, launch, _ in judged
            for variable in launch.history.variables
        }
        if _CELL * sum(one.values.size for several in chosen.values() for one in several) > room:
            continue
        found = dict(data)
        for (run, launch, variable), several in chosen.items():
            if several:
                where = {"run": run, "launch": launch}
                found[_key("maps", {**where, "name": variable.name})] = answers.maps(
                    variable, several, revision="report"
                )
                found[_key("overview", where)] = {**data[_key("overview", where)], "maps": "report"}
        drawn = _page(found)
        if len(drawn) <= MOST_BYTES:
            return drawn
    return page


def _coarser(maps: Iterable[Map], most: int, side: int) -> list[Map]:
    """Returns at most so many of each kind, the last and those evenly before it, pooled until no side is longer."""
    found: list[Map] = []
    for kind in (*HISTOGRAMS, *MOTION):
        same = [one for one in maps if one.kind == kind]
        places = np.unique(np.linspace(0, len(same) - 1, most).round().astype(int)) if most > 1 else [len(same) - 1]
        for one in (same[place] for place in places if same):
            found.append(one if kind in HISTOGRAMS else replace(one, values=_pooled(np.asarray(one.values), side)))
    return found


def _pooled(values: NDArray[Any], side: int) -> NDArray[Any]:
    """Returns the largest of each part, as a motion map has it already; NaN stays to be seen."""
    for axis, length in enumerate(values.shape):
        step = -(-length // side)
        if step > 1:
            values = np.maximum.reduceat(values, np.arange(0, length, step), axis=axis)
    return values


def _referring(drawn: dict[str, Any], maps: Mapping[str, str], found: Mapping[str, Any]) -> dict[str, Any]:
    """Returns curves with a heat map's row in place of what it holds already: half of the file."""
    curves: list[Any] = []
    for curve in drawn["curves"]:
        if curve["quantity"]["name"] not in maps:  # derived, such as what clipping leaves
            curves.append(curve)
            continue
        key = maps[curve["quantity"]["name"]]
        names = found[key]["names"]
        row = names.index(drawn["name"]) if drawn["name"] in names else 0
        last = None if curve["last"] == found[key]["high"][row] else curve["last"]
        rest = {name: value for name, value in curve.items() if name not in ("quantity", "low", "high", "last")}
        curves.append((key, row, last, rest))
    return {**drawn, "curves": curves}


def _key(route: str, parameters: Mapping[str, str]) -> str:
    """Returns a request as the script above spells it."""
    pairs = sorted([name, value] for name, value in parameters.items() if value != "")
    return json.dumps([route, *pairs], ensure_ascii=False, separators=(",", ":"))


def _page(data: Mapping[str, Any]) -> str:
    packed = gzip.compress(json.dumps(data, separators=(",", ":"), allow_nan=False).encode(), 6, mtime=0)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_NONE}">\n'
        '<meta name="viewport" content="width=device-width">\n<title>weightwatch</title>\n'
        f'<script id="data" type="text/plain">{base64.b64encode(packed).decode()}</script>\n'
        f'</head>\n<body>\n<script type="module">{_SHIM}\n{_panel()}</script>\n</body>\n</html>\n'
    )


def _panel() -> str:
    """Returns the panel's bundle as a script that draws: its one export, called."""
    bundle = resources.files("tb_weightwatch").joinpath("static", "index.js").read_text(encoding="utf-8")
    called, count = _RENDER.subn(lambda found: f";{found[1]}();", bundle)
    if count != 1:
        raise RuntimeError("the panel's bundle must export `render` once, as Vite writes it")
    return re.sub(r"<(?=/script|!--)", r"\\x3c", called, flags=re.IGNORECASE)
