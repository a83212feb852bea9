"""Text files of metrics: CSV, JSON Lines, and the `trainer_state.json` of the Hugging Face Trainer."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .tag_collector import MAX_TAGS, TagCollector
from .tag_names import scalar_kind

HUGGING_FACE, LIGHTNING = "Hugging Face Trainer", "Lightning's CSVLogger"
CSV, JSON_LINES = "a CSV file", "a JSON Lines file"
TRAINER_STATE = "trainer_state.json"
MAX_LINE = 1 << 20  # characters of a line; no logger writes longer ones
MAX_JSON = 1 << 28  # bytes of a trainer_state.json, which is parsed as a whole
_SUFFIXES = {".csv": ",", ".tsv": "\t", ".jsonl": "", ".ndjson": ""}  # with the separator of columns
_STEPS = ("step", "global_step", "iteration", "iter", "batch", "_step", "trainer/global_step", "update")
_TIMES = ("time", "timestamp", "wall_time", "_timestamp")
_APART = 1e-3  # seconds between rows without a time: only their order is known
Row = Mapping[str, Any]


class _Event(NamedTuple):
    step: int
    wall_time: float


def is_metric_file(path: str) -> bool:
    """Checks whether a local file is a log of metrics: it names a loss, and a step, an epoch or another metric."""
    if os.path.basename(path) == TRAINER_STATE:
        return True
    if os.path.splitext(path)[1].lower() not in _SUFFIXES or not os.path.isfile(path):
        return False
    try:
        first = next(_rows(path, {}), None)
    except (OSError, ValueError, csv.Error):
        return False
    kinds = [scalar_kind(name) for name in first or ()]
    return "loss" in kinds and (bool(_counter(first or {})) or any(kind not in ("", "loss") for kind in kinds))


def read_metric_file(path: str) -> TagCollector:
    """Returns what a log of metrics contains of a training; what cannot be read is counted in `skipped`.

    Columns are recognized by their names, as the tags of scalars are. A row without a step counts by its epoch, and by
    its position if it has neither.

    Raises:
        OSError: the file cannot be read.
    """
    collector = TagCollector()
    collector.is_text = True
    names, count = dict[str, None](), 0
    for row in _readable_rows(path, {}):
        count += 1
        if len(names) < MAX_TAGS:
            names.update((name, None) for name, value in row.items() if value not in (None, ""))
    counter = _counter(names)
    collector.writer, collector.unit = _writer(path, names), "epoch" if counter == "epoch" else "step"
    first = os.stat(path).st_mtime - _APART * count
    for position, row in enumerate(_readable_rows(path, collector.skipped)):
        _put_row(collector, row, counter, position, first + _APART * position)
    return collector


def _put_row(collector: TagCollector, row: Row, counter: str, position: int, time: float) -> None:
    event = _event(row, counter, position, time)
    if event is None:
        collector.skip("rows without a step")
        return
    for name, value in row.items():
        if name != counter and value not in (None, "") and scalar_kind(name):
            try:
                collector.put_scalar(event, name, float(value))
            except (TypeError, ValueError, OverflowError):
                collector.skip("values that are no numbers")
        elif name:
            collector.note_name(name)


def _event(row: Row, counter: str, position: int, otherwise: float) -> _Event | None:
    """Returns step and time of a row; None if it has no step although others do."""
    try:
        step = int(float(row[counter])) if counter else position + 1
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    time = otherwise
    for name in _TIMES:
        if isinstance(row.get(name), (int, float)) and 1e8 < float(row[name]) < 1e12:  # of a clock, not of a stopwatch
            time = float(row[name])
    return _Event(step, time)


def _counter(names: Iterable[str]) -> str:
    """Returns the column that counts: the step if there is one, else the epoch; "" if there is neither."""
    by_name = {name.lower(): name for name in names}
    return next((by_name[name] for name in (*_STEPS, "epoch") if name in by_name), "")


def _writer(path: str, names: Iterable[str]) -> str:
    if os.path.basename(path) == TRAINER_STATE:
        return HUGGING_FACE
    if os.path.basename(path) == "metrics.csv" and {"step", "epoch"} <= set(names):
        return LIGHTNING
    return JSON_LINES if "json" in os.path.splitext(path)[1] else CSV


def _readable_rows(path: str, skipped: dict[str, int]) -> Iterator[Row]:
    """Yields the rows of a file up to where it is damaged, which is counted."""
    try:
        yield from _rows(path, skipped)
    except (ValueError, RecursionError, csv.Error) as error:
        skipped[f"damaged: {error}"] = 1


def _rows(path: str, skipped: dict[str, int]) -> Iterator[Row]:
    """Yields the rows of a file as column -> value."""
    if os.path.basename(path) == TRAINER_STATE:
        yield from _trainer_rows(path)
        return
    separator = _SUFFIXES[os.path.splitext(path)[1].lower()]
    with open(path, encoding="utf-8", errors="replace", newline="" if separator else None) as file:
        if separator:
            yield from csv.DictReader(_bounded_lines(file), delimiter=separator, restkey="", restval="")
        else:
            yield from _json_rows(_bounded_lines(file), skipped)


def _trainer_rows(path: str) -> Iterator[Row]:
    if os.path.getsize(path) > MAX_JSON:
        raise ValueError(f"{TRAINER_STATE} is larger than {MAX_JSON:,} bytes")
    with open(path, encoding="utf-8") as file:
        state = json.load(file)
    history = state.get("log_history") if isinstance(state, dict) else None
    if not isinstance(history, list):
        raise ValueError(f"{TRAINER_STATE} has no log_history")
    yield from (row for row in history if isinstance(row, dict))


def _json_rows(lines: Iterable[str], skipped: dict[str, int]) -> Iterator[Row]:
    for line in lines:
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            yield dict(_flat(row))
        else:
            skipped["lines that are no JSON objects"] = skipped.get("lines that are no JSON objects", 0) + 1


def _flat(row: Row) -> Iterator[tuple[str, Any]]:
    """Yields the items; those of an object within it by both names, "train/loss"."""
    for name, value in row.items():
        if isinstance(value, dict):
            yield from ((f"{name}/{inner}", number) for inner, number in value.items())
        else:
            yield name, value


def _bounded_lines(file: Any) -> Iterator[str]:
    """Yields the lines of a text file; raises ValueError at one that is too long."""
    while line := file.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise ValueError(f"a line has more than {MAX_LINE:,} characters")
        yield line
