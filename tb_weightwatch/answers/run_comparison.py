"""Two runs side by side: what differs in their settings, and the first step at which they part."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..history import History
from ..statistics import QUANTITIES, Quantity
from ..verdict import number
from .facts_table import facts
from .launch_state import percent
from .paired_series import PairedSeries, common, pair

CLEARLY = 0.1  # of the larger: noise of a processor is far below
_MOST = 6  # differences that are named
_APART = ("Recording",)  # says nothing of the training
_RANK = {"learning_rate": -3.0, "loss": -2.0}  # named first; the others by how far they are apart, at most 2


def compare(one: History, other: History) -> dict[str, Any]:
    """Returns what two launches have in common and where they part, by the steps that both recorded."""
    steps, *rows = common(one, other)
    pairs = [
        (q, both) for q in QUANTITIES.values() if q.axis != "layer" and (both := pair(q, one, other, rows)) is not None
    ]
    differs = _first(pairs)
    parts = next((both.first(CLEARLY) for known, both in pairs if known.name == "loss"), None)
    first, clear = (None if at is None else int(steps[at]) for at in (differs[0] if differs else None, parts))
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


def _first(pairs: list[tuple[Quantity, PairedSeries]]) -> tuple[int, list[dict[str, str]]] | None:
    """Returns the first common step at which a number differs, and the numbers that do, those that tell most first."""
    at = {known.name: row for known, both in pairs if (row := both.first()) is not None}
    if not at:
        return None
    first = min(at.values())
    found: list[tuple[float, dict[str, str]]] = []
    for known, both in pairs:
        if at.get(known.name) == first:
            place = int(np.argmax(both.apart[first]))
            name = f" of {both.names[place]}" if both.names[place] else ""
            shown = percent if known.encoding == "share" else number
            told = {"one": shown(both.one[first, place]), "other": shown(both.other[first, place])}
            rank = _RANK.get(known.name, -float(both.apart[first, place]))
            found.append((rank, {"label": f"{known.title}{name}", **told}))
    return first, [told for _, told in sorted(found, key=lambda x: x[0])][:_MOST]


def _text(common: int, first: int | None, clear: int | None, numbers: list[dict[str, str]]) -> str:
    if not common:
        return "No step was recorded in both."
    if first is None:
        return f"In all {common:,} steps that both recorded, every number agrees to a hundredth."
    lead = numbers[0]
    text = f"They part at step {first:,}: {lead['label']} {lead['one']} against {lead['other']}."
    if clear is None:
        return f"{text} Their losses never differ by more than {100 * CLEARLY:.0f} %."
    return f"{text} From step {clear:,} their losses differ by more than {100 * CLEARLY:.0f} %."
