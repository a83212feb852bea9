"""Two runs side by side: what differs in their settings, and the first step at which they part."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..history import History
from ..statistics import QUANTITIES, Quantity
from ..verdict import number
from ._facts import facts

CLEARLY = 0.1  # of the larger: noise of a processor is far below
_MOST = 6  # differences that are named
_APART = ("Recording",)  # says nothing of the training
_RANK = {"learning_rate": -3.0, "loss": -2.0}  # named first; the others by how far they are apart, at most 2
Flat = NDArray[np.float64]
Bool = NDArray[np.bool_]


def compare(one: History, other: History) -> dict[str, Any]:
    """Returns what two launches have in common and where they part, by the steps that both recorded."""
    steps, here, there = np.intersect1d(one.steps, other.steps, return_indices=True)
    pair = (_Side(one, here), _Side(other, there))
    known = [q for q in QUANTITIES.values() if q.axis != "layer" and one.has(q.name) and other.has(q.name)]
    differs = _first(*pair, known, 0.0)
    parts = _first(*pair, [q for q in known if q.name == "loss"], CLEARLY)
    first, clear = (int(steps[at[0]]) if at else None for at in (differs, parts))
    return {
        "revision": "",
        "steps": len(steps),
        "first_step": first,
        "clear_step": clear,
        "text": _text(len(steps), first, clear, differs[1] if differs else []),
        "numbers": differs[1] if differs else [],
        "settings": _settings(one, other),
    }


def _settings(one: History, other: History) -> list[dict[str, str]]:
    here, there = ({f["label"]: f["value"] for f in facts(h) if f["label"] not in _APART} for h in (one, other))
    labels = dict.fromkeys([*here, *there])
    return [
        {"label": label, "one": here.get(label, ""), "other": there.get(label, "")}
        for label in labels
        if here.get(label) != there.get(label)
    ]


class _Side(NamedTuple):
    history: History
    rows: Any  # those whose steps both recorded

    def picked(self, name: str, place: list[int]) -> tuple[Flat, Bool]:
        shape = (len(self.history), -1)
        values = np.asarray(self.history.column(name), np.float64).reshape(shape)
        return values[self.rows][:, place], self.history.known(name).reshape(shape)[self.rows][:, place]


def _first(one: _Side, other: _Side, names: list[Quantity], limit: float) -> tuple[int, list[dict[str, str]]] | None:
    """Returns the first common row in which a number of both differs by more than so much, and the numbers that do."""
    found: list[tuple[int, float, dict[str, str]]] = []
    for known in names:
        place = _places(known, one.history, other.history)
        (a, in_a), (b, in_b) = one.picked(known.name, place[0]), other.picked(known.name, place[1])
        apart = _apart(a, b) * (in_a & in_b)
        rows = np.flatnonzero((apart > limit).any(axis=1))
        if len(rows):
            row = int(rows[0])
            at = int(np.argmax(apart[row]))
            name = f" of {one.history.variables[place[0][at]].name}" if known.axis == "variable" else ""
            told = {"label": f"{known.title}{name}", "one": number(a[row, at]), "other": number(b[row, at])}
            found.append((row, _RANK.get(known.name, -float(apart[row, at])), told))
    if not found:
        return None
    first = min(row for row, _, _ in found)
    return first, [told for row, _, told in sorted(found, key=lambda x: x[:2]) if row == first][:_MOST]


def _places(known: Quantity, one: History, other: History) -> tuple[list[int], list[int]]:
    """Returns the places of the variables that both have by name."""
    if known.axis == "run":
        return [0], [0]
    here, there = ({v.name: i for i, v in enumerate(h.variables)} for h in (one, other))
    both = [name for name in here if name in there]
    return [here[name] for name in both], [there[name] for name in both]


def _apart(x: Flat, y: Flat) -> Flat:
    """Returns how far two numbers are apart, against the larger of them; 1 where one of them is not finite."""
    with np.errstate(all="ignore"):
        apart = np.abs(x - y) / np.maximum(np.abs(x), np.abs(y))
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    return np.where(same, 0.0, np.where(np.isfinite(apart), apart, 1.0))


def _text(common: int, first: int | None, clear: int | None, numbers: list[dict[str, str]]) -> str:
    if not common:
        return "No step was recorded in both."
    if first is None:
        return f"In all {common:,} steps that both recorded, every number is the same."
    lead = numbers[0]
    text = f"They part at step {first:,}: {lead['label']} {lead['one']} against {lead['other']}."
    if clear is None:
        return f"{text} Their losses never differ by more than {100 * CLEARLY:.0f} %."
    return f"{text} From step {clear:,} their losses differ by more than {100 * CLEARLY:.0f} %."
