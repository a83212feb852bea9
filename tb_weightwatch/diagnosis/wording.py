"""How rules say things: lists of names, counts, and code for `fit` or for a hand-written loop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..history import History
from ..statistics import quantity
from ..verdict import Evidence, number
from .rule import CannotTell
from .signals import model_facts, variables

_HOW = {
    "variable": "per-variable numbers were not recorded",
    "layer": "layer outputs were not seen: train with ww.WeightWatch, or make ww.Watch(model=...) before an eager loop",
    "run": "it was not recorded",
}
_WAYS = {
    "loss": "pass the loss: watch.step(loss)",
    "learning_rate": "pass optimizer= to ww.Watch, or learning_rate= to ww.summary.update",
    "iterations": "pass optimizer= to ww.Watch",
    "gradient": "pass gradients=zip(gradients, variables) to watch.step",
    "input": "pass inputs=x to watch.step",
    "target": "pass targets=y to watch.step",
    "prediction": "pass predictions=y_pred to watch.step",
    "raw_gradient": "pass optimizer= to ww.Watch before an eager loop",
}
_GIVEN = ("input", "target", "prediction", "loss", "learning_rate")  # what can be known before the first step


def not_recorded(history: History, name: str) -> CannotTell:
    """Returns that a rule can not tell without this column, and how to have it recorded."""
    if is_preflight(history) and not any(name.startswith(one) for one in _GIVEN):
        return CannotTell("it takes training steps to tell")
    known = quantity(name)
    way = next((text for key, text in sorted(_WAYS.items(), reverse=True) if name.startswith(key)), _HOW[known.axis])
    return CannotTell(f"{known.title} was not recorded ({way})")


def quote_list(names: Sequence[str], most: int = 3) -> str:
    """Returns names in a sentence: a, b and c; a, b, c and 5 more."""
    shown = [f"'{n}'" for n in names[:most]]
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def variable_names(history: History, which: NDArray[np.intp]) -> str:
    """Returns the names of the variables at these places, in a sentence."""
    return quote_list([variables(history)[i].name for i in which])


def plural(count: float, noun: str) -> str:
    """Returns "1 step", "12,000 steps"."""
    shown = f"{int(count):,}" if np.isfinite(count) else number(count)
    return f"{shown} {noun}{'' if count == 1 else 's'}"


def is_preflight(history: History) -> bool:
    """Says whether this is what `preflight` looked at: batches before the first step, without an update."""
    return bool(model_facts(history).get("preflight"))


def steps(history: History, count: float, noun: str = "step") -> str:
    """Returns "8 steps"; "8 batches" where no step has been made yet."""
    return plural(count, "batch").replace("batchs", "batches") if is_preflight(history) else plural(count, noun)


def is_custom_loop(history: History) -> bool:
    """Says whether the training loop is hand-written."""
    return (model_facts(history).get("recorder") or {}).get("kind") != "fit"


def evidence(name: str, value: float, text: str, *, step: int | None = None, quantity: str = "") -> Evidence:
    """Returns a piece of evidence."""
    return Evidence(name=name, value=float(value), text=text, step=step, quantity=quantity)


__all__ = [
    "evidence",
    "is_custom_loop",
    "is_preflight",
    "not_recorded",
    "number",
    "plural",
    "quote_list",
    "steps",
    "variable_names",
]
