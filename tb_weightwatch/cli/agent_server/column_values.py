"""The numbers of a recorded column, bounded: a sample of the rows, and a summary of all."""

from __future__ import annotations

from typing import Any

from ...display import printable
from ...history import History, nearest
from ...verdict import jsonable

MOST_VALUES = 2000  # in one answer
MOST_NAMES = 20  # variables or layers in one answer


def column_values(
    history: History, column: str, names: list[str], steps: tuple[int, int], limit: int
) -> dict[str, Any]:
    """Returns rows of a column: "steps", and by name of variable or layer (or of the column) "values" and "summary".

    Args:
        history: of the launch.
        column: its name.
        names: variables or layers; []: the first ones.
        steps: the first and the last step; 0: no bound.
        limit: how many values to return, at most `MOST_VALUES`.

    Raises:
        ValueError: the column, or a variable or layer, was not recorded, or an argument has an impossible value.
    """
    axis = history.axis(column)
    if not axis:
        raise ValueError(f"no column {column!r} was recorded; {nearest(column, sorted(history.columns()))}")
    if limit < 1:
        raise ValueError(f"limit must be 1 or more, got {limit}")
    of_axis = {"variable": [x.name for x in history.variables], "layer": [x.name for x in history.layers]}
    known_names = of_axis.get(axis, [column])
    positions = _positions(known_names, names)
    most_rows = max(1, min(limit, MOST_VALUES) // max(1, len(positions)))
    first = history.at(steps[0] - 1) + 1
    last = history.at(steps[1]) + 1 if steps[1] else len(history)
    shown = _at_even_distances(range(first, max(first, last)), most_rows)
    values, known = history.column(column), history.known(column)
    if axis == "run":
        values, known = values[:, None], known[:, None]
    return {
        "column": column,
        "steps": [int(history.steps[row]) for row in shown],
        "values": {
            printable(name): [_cell(values[row, at]) if known[row, at] else None for row in shown]
            for name, at in positions.items()
        },
        "summary": {
            printable(name): _summary(values[first:last, at][known[first:last, at]]) for name, at in positions.items()
        },
        "recorded_rows": max(0, last - first),
        "sampled": len(shown) < last - first,
        "names_left_out": 0 if names else max(0, len(known_names) - len(positions)),
    }


def _positions(known: list[str], asked: list[str]) -> dict[str, int]:
    """Returns the position of each variable or layer that was asked for; of the first ones if none was."""
    if len(asked) > MOST_NAMES:
        raise ValueError(f"at most {MOST_NAMES} names at a time, got {len(asked):,}")
    for name in asked:
        if name not in known:
            raise ValueError(f"there is no {name!r} in this column; {nearest(name, known)}")
    return {name: known.index(name) for name in asked or known[:MOST_NAMES]}


def _at_even_distances(rows: range, most: int) -> list[int]:
    """Returns at most so many rows, the first and the last among them."""
    if len(rows) <= most:
        return list(rows)
    if most == 1:
        return [rows[-1]]
    return [rows[round(i * (len(rows) - 1) / (most - 1))] for i in range(most)]


def _cell(value: Any) -> Any:
    """Returns a number as JSON with four digits, which is as precise as it is stored."""
    return jsonable(float(f"{float(value):.4g}"))


def _summary(values: Any) -> dict[str, Any]:
    """Returns counts and extremes of `[n]` recorded values."""
    finite = values[abs(values) < float("inf")]
    counts = {"recorded": len(values), "not_finite": len(values) - len(finite), "zero": int((finite == 0).sum())}
    if not len(finite):
        return counts
    extremes = {"min": finite.min(), "max": finite.max(), "mean": finite.mean(), "first": values[0], "last": values[-1]}
    return {**counts, **{name: _cell(value) for name, value in extremes.items()}}
