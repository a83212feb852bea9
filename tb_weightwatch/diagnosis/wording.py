"""Helpers for the text of verdicts: lists of names, counts, what was not recorded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..history import History
from ..statistics import quantity
from ..verdict import Evidence, factor, number
from .rule import CannotTell
from .signals import TrainingError, model_facts, recorder_kind, variables

# How to record a column: by the beginning of its name, or else by its axis.
_BY_NAME = {
    "loss": "pass the loss: watch.step(loss)",
    "loss_scale": "pass optimizer= to ww.Watch",
    "statistic": "train with ww.WeightWatch, or pass model= to ww.Watch",
    "learning_rate": "pass optimizer= to ww.Watch, or learning_rate= to ww.summary.update",
    "iterations": "pass optimizer= to ww.Watch",
    "gradient": "return the gradients from your tf.function and pass gradients=zip(gradients, variables) to watch.step",
    "input": "pass inputs=x to watch.step",
    "target": "pass targets=y to watch.step",
    "prediction": "pass predictions=y_pred to watch.step",
    "raw_gradient": "pass optimizer= to ww.Watch before an eager loop",
}
_BY_AXIS = {
    "variable": "train with ww.WeightWatch or ww.Watch",
    "layer": "train with ww.WeightWatch, or create ww.Watch(model=...) before an eager loop",
}
_BEFORE_TRAINING = ("input", "target", "prediction", "loss", "learning_rate")  # columns known before the first step


def not_recorded(history: History, name: str) -> CannotTell:
    """Returns the answer of a rule that cannot decide without this column: it is missing, and how to record it."""
    if is_preflight(history) and not name.startswith(_BEFORE_TRAINING):
        return CannotTell("needs training steps")
    longest_first = sorted(_BY_NAME.items(), reverse=True)  # "loss_scale" before "loss"
    remedies = (remedy for prefix, remedy in longest_first if name.startswith(prefix))
    remedy = next(remedies, _BY_AXIS.get(quantity(name).axis))
    return CannotTell(f"{quantity(name).title} was not recorded{f' ({remedy})' if remedy else ''}")


def quote_list(names: Sequence[str], most: int = 3) -> str:
    """Returns the names in quotes: 'a', 'b' and 'c'; 'a', 'b', 'c' and 5 more."""
    quoted = [f"'{name}'" for name in names[:most]]
    if len(names) > most:
        return f"{', '.join(quoted)} and {len(names) - most} more"
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else "".join(quoted)


def variable_names(history: History, positions: NDArray[np.intp]) -> str:
    """Returns the names of the variables at these positions, as `quote_list` does."""
    return quote_list([variables(history)[i].name for i in positions])


def plural(count: float, noun: str) -> str:
    """Returns "1 step", "12,000 steps"."""
    text = f"{int(count):,}" if np.isfinite(count) else number(count)
    return f"{text} {noun}{'' if count == 1 else 's'}"


def is_preflight(history: History) -> bool:
    """Whether `preflight` recorded this History: batches before the first step, without an update."""
    return bool(model_facts(history).get("preflight"))


def steps(history: History, count: float, noun: str = "step") -> str:
    """Returns "8 steps"; "8 batches" for a History of `preflight`, which makes no step."""
    return plural(count, "batch").replace("batchs", "batches") if is_preflight(history) else plural(count, noun)


def stopped_with(error: TrainingError) -> str:
    """Returns "training stopped at step 1 with a ValueError"."""
    return f"training stopped {error.when} with {'an' if error.kind[0] in 'AEIOUaeiou' else 'a'} {error.kind}"


def against_constant(loss: float, constant_loss: float) -> str:
    """Returns how a loss compares with that of a constant prediction, where it is not clearly better."""
    than = f"than {number(constant_loss)}, that of a constant prediction"
    return f"worse {than}" if loss > 1.3 * constant_loss else f"not clearly better {than}"


def add_up_to(distance: float) -> str:
    """Returns what the updates so far add up to; those of steps that were not recorded are taken as the mean ones.

    Args:
        distance: see `signals.distance_moved`.
    """
    return f"add up to about {factor(distance, 2)} times the size of the weight that moved most"


def is_custom_loop(history: History) -> bool:
    """Whether the training loop is not `model.fit`."""
    return recorder_kind(history) != "fit"


def evidence(name: str, value: float, text: str, *, step: int | None = None, quantity: str = "") -> Evidence:
    """Returns a piece of evidence; `value` may be a numpy number."""
    return Evidence(name=name, value=float(value), text=text, step=step, quantity=quantity)


__all__ = [
    "add_up_to",
    "against_constant",
    "evidence",
    "factor",
    "is_custom_loop",
    "is_preflight",
    "not_recorded",
    "number",
    "plural",
    "quote_list",
    "steps",
    "stopped_with",
    "variable_names",
]
