"""Damages a recorded run in many ways, and counts what was lost and what was told: run by hand, bounded in the suite.

python -m tests.harm.damaged_files [--bounded]
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from google.protobuf.message import DecodeError

from tb_weightwatch import reader
from tb_weightwatch.history import History

from ..support import synthetic_runs
from ..support.event_files import event_file, framed_records, read_by_provider
from .counts import Counts
from .damages import duplicates, flips, plain_flips, shuffles, tails, truncations
from .decoder_targets import one_column_of_each_encoding

_Seen = dict[str, dict[str, Any]]  # launch -> what was read of it


class View(NamedTuple):
    """What a reader gives of a run.

    Attributes:
        seen: what was read.
        told: whether anything says that not all could be read.
    """

    seen: _Seen
    told: bool


def by_file(folder: Path) -> View:
    """Returns what the command line reads."""
    skipped = reader.SkipCounts()
    launches = reader.launches(folder, skipped)
    return View({one.history.launch: _content(one) for one in launches}, bool(skipped) or _is_told(launches))


def by_provider(folder: Path) -> View:
    """Returns what TensorBoard's plugin reads.

    A run is told to be missing if TensorBoard does not list it, or itself fails to parse an event.
    """
    try:
        launches = read_by_provider(folder)
    except (KeyError, DecodeError):
        return View({}, True)
    return View({one.history.launch: _content(one) for one in launches}, _is_told(launches))


def _is_told(launches: list[reader.Launch]) -> bool:
    return any(one.skipped or not one.history.complete or one.unknown_columns for one in launches)


def _content(launch: reader.Launch) -> dict[str, Any]:
    history, now = launch.history, launch.now
    return {
        "steps": history.steps.tobytes(),
        "series": _series(history),
        "records": [repr((r.step, r.kind, r.data, r.time)) for r in history.records],
        "started": history.started,
        "now": now and (now.time, now.step, now.rows, str(now.diagnosis)),
    }


def _series(history: History) -> dict[tuple[str, str], dict[int, bytes]]:
    """Returns (column, variable or layer) -> step -> the bytes of its value."""
    names = {"variable": history.variables, "layer": history.layers}
    series = {}
    for column in sorted(history.columns()):
        of_axis = [one.name for one in names.get(history.axis(column), ())]
        table = history.column(column).reshape(len(history), -1)
        for name, values in zip(of_axis or [""], table.T, strict=False):
            series[column, name] = {int(s): v.tobytes() for s, v in zip(history.steps, values, strict=True)}
    return series


def is_true(seen: _Seen, whole: _Seen) -> bool:
    """Checks whether all that is shown was recorded so: each value and each dated record."""
    for launch in seen.keys() & whole.keys():
        series, known = seen[launch]["series"], whole[launch]["series"]
        if not all(values.items() <= known.get(key, {}).items() for key, values in series.items()):
            return False
        if not set(seen[launch]["records"]) <= set(whole[launch]["records"]):
            return False
    return True


def recorded_run(folder: Path) -> Path:
    """Writes a run that is read in two milliseconds, with one column of each encoding; returns its event file."""
    change, variables = one_column_of_each_encoding, synthetic_runs.NAMES[:1]
    synthetic_runs.write(folder, 60, nan_from=40, burst=4, variables=variables, change=change)
    return event_file(folder)


def damaged(path: Path, files: Iterator[bytes], attack: str, view: Any = by_file, *, cut: bool = False) -> Counts:
    """Counts what each of these files in the place of `path` costs.

    Args:
        path: the event file of a run; it is restored.
        files: what it holds, damaged.
        attack: what was done.
        view: reads the run.
        cut: the files are cut, so that what comes after a whole record was never written, and need not be told.
    """
    whole, folder = path.read_bytes(), path.parents[1]
    ends = set(np.cumsum([0, *map(len, framed_records(path))]).tolist()) if cut else set()
    original, counts = view(folder).seen, Counts(attack)
    for number, file in enumerate(files):
        path.write_bytes(file)
        try:
            seen, told = view(folder)
        except Exception as error:
            counts = counts.plus(survived=False, note=f"file {number}: {type(error).__name__}: {error}")
            continue
        lost = seen != original and len(file) not in ends
        true = is_true(seen, original)
        silent = f"file {number}: nothing is told" if lost and not told else ""
        note = silent or ("" if true else f"file {number}: shown what was not recorded")
        counts = counts.plus(survived=true, lost=lost, told=told, note=note)
    path.write_bytes(whole)
    return counts


def run(
    *,
    tried: int = 20_000,
    plain: int | None = None,
    cuts: int | None = None,
    seed: int = 0,
    folder: Path | None = None,
    source: Path | None = None,
) -> list[Counts]:
    """Damages a run and returns the counts of each kind of damage.

    Args:
        tried: how many files in all, about; a tenth of them is read through a data provider.
        plain: how many of them have a flipped bit whose checksum tells so; None: an eighth of `tried`.
        cuts: how many are cut off; as many as the file has bytes are enough. None: an eighth of `tried`.
        seed: of the random choices.
        folder: for files; None: a temporary one.
        source: log directory of the run; None: one is written.
    """
    with tempfile.TemporaryDirectory() as temporary:
        logdir = Path(folder or temporary) / "damaged"
        if source is None:
            recorded_run(logdir)
        else:
            shutil.copytree(source, logdir)
        path, rng = event_file(logdir), random.Random(seed)
        file, records, part = path.read_bytes(), framed_records(path), max(1, tried // 8)
        return [
            damaged(path, tails(file, part, rng), "zeros at the end"),
            damaged(path, duplicates(file, records, part, rng), "records twice"),
            damaged(path, shuffles(records, part, rng), "records in another order"),
            damaged(path, flips(records, 2 * part, rng), "a bit flipped beneath a valid checksum"),
            damaged(path, plain_flips(file, part if plain is None else plain, rng), "a bit flipped"),
            damaged(path, truncations(file, part if cuts is None else cuts, rng), "a file cut off", cut=True),
            damaged(path, flips(records, part // 4, rng), "a bit flipped, read by TensorBoard", by_provider),
            damaged(path, shuffles(records, part // 4, rng), "another order, read by TensorBoard", by_provider),
        ]


if __name__ == "__main__":
    for line in run(tried=400 if "--bounded" in sys.argv else 20_000):
        print(*line, sep="\t")
