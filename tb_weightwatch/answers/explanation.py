"""The explanation of a rule or of a quantity, which the panel opens beside a verdict, suspect, check or curve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..diagnosis import Rule, catalogue, section
from ..statistics import FORMULAS, PRECISION, QUANTITIES, UPDATE_RATIO, Quantity
from .curves import CLIP, COST

RULES_PAGE = "docs/rules.md"
QUANTITIES_PAGE = "docs/recording.md#quantities"
HEADINGS = ("What it sees", "Why it matters", "When it is a false alarm", "What to try", "References")
QUANTITY_HEADINGS = ("What it is", "Unit", "Recorded for", "How it is computed", "How precisely it is stored")
_AXES = {
    "variable": "each variable of the model",
    "layer": "each use of a layer (a layer that is called twice has two)",
    "run": "the run as a whole",
}
_UNITS = {
    "": "None: a pure number, or a number in the units of the data.",
    "share": "A share from 0 to 1, shown in percent.",
    "cosine": "None: a cosine from -1 to 1.",
}


def explanation(*, rule: str = "", quantity: str = "") -> dict[str, Any]:
    """Returns the explanation of a rule (by its code or name) or of a quantity (by its name).

    Raises:
        KeyError: there is no such rule or quantity; the error names it.
    """
    if rule:
        known = next((r for r in catalogue().values() if rule in (r.name, str(r.code))), None)
        if known is None:
            raise KeyError(f"there is no rule {rule!r}")
        return _of_rule(known)
    if quantity not in quantity_table():
        raise KeyError(f"there is no quantity {quantity!r}")
    return _of_quantity(quantity_table()[quantity])


def quantity_table() -> dict[str, Quantity]:
    """Returns all quantities that the panel draws, recorded and derived, by name."""
    return {q.name: q for q in (UPDATE_RATIO, *QUANTITIES.values(), CLIP, COST)}


def explained_rules(overview: Mapping[str, Any]) -> set[int]:
    """Returns the codes of the rules of all verdicts and suspects that an overview shows."""
    muted = (rule["verdict"] for rule in overview["muted"] if rule["verdict"])
    verdicts = [*overview["verdicts"], *overview["resolved"], *muted]
    return {finding["code"] for finding in (*_with_explained(verdicts), *overview["suspects"])}


def rule_address(rule: Rule) -> str:
    """Returns where the documentation explains a rule: a page of the repository, and the heading in it."""
    return f"{RULES_PAGE}#{rule.code}-{rule.name}"


def _of_rule(rule: Rule) -> dict[str, Any]:
    texts = ((heading, section(rule.doc, heading).strip("\n").replace("**", "")) for heading in HEADINGS)
    return {
        "title": f"{rule.code} {rule.name}",
        "summary": rule.summary,
        "sections": [{"title": heading, "text": text} for heading, text in texts if text],
        "document": rule_address(rule),
        "command": f"weightwatch rule {rule.code}",
    }


def _of_quantity(quantity: Quantity) -> dict[str, Any]:
    texts = (
        f"{quantity.meaning[0].upper()}{quantity.meaning[1:]}.",
        _UNITS.get(quantity.unit, f"{quantity.unit[:1].upper()}{quantity.unit[1:]}."),
        f"{_AXES[quantity.axis]}, in each recorded step.".capitalize(),
        FORMULAS[quantity.name],
        PRECISION[quantity.encoding] if quantity.name in QUANTITIES else "Computed from other recorded numbers.",
    )
    return {
        "title": quantity.title,
        "summary": f"The quantity {quantity.name} of the recording.",
        "sections": [{"title": h, "text": t} for h, t in zip(QUANTITY_HEADINGS, texts, strict=True)],
        "document": QUANTITIES_PAGE,
        "command": "",
    }


def _with_explained(verdicts: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [found for verdict in verdicts for found in (verdict, *_with_explained(verdict["explains"]))]
