"""The equation of one update: the optimizer's own rule, with the numbers of one recorded step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..diagnosis import catalogue, unit
from ..history import History
from ..verdict import number
from .link_numbers import LINK_TABLE, total_norm
from .update_rules import GRADIENT, RATE, Term, UpdateRule, update_rule

_LEFT = (
    Term("w", "new weight", "weight", sub="new"),
    Term("=", "equals", operator=True),
    Term("w", "old weight", sub="old"),
    Term("−", "minus", operator=True),
)
_UPDATE = Term("update", "update", "update")
_AGREE = 0.015  # relative difference: norms are stored to 0.4 %, and shown with three digits


class StepNumbers(NamedTuple):
    """The numbers of one recorded step.

    Attributes:
        step: the step; 0 if none was recorded.
        rate: the learning rate; None if it was not recorded.
        gradient: norm of the gradient of the variables that are updated, or None.
        update: norm of their update, or None.
        weight: norm of these variables, or None.
        variables: how many they are.
        left_out: how many variables are trainable, but not in the optimizer's list.
    """

    step: int = 0
    rate: float | None = None
    gradient: float | None = None
    update: float | None = None
    weight: float | None = None
    variables: int = 0
    left_out: int = 0


def equation(history: History, chain: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns the equation of one update as the panel draws it.

    Keys: "left" and "update" are its terms and operators before and after the minus sign; each term has its "symbol",
    the "link" of the chain that it belongs to and the "state" of that link, its "number" at one recorded step (""
    where it was not recorded), and its "meaning". "brace" is the whole update with its number; None where "update" is
    that term alone. "caption" says of what the numbers are, "note" what else is to be known, "words" is the equation
    in words.

    Args:
        history: what was recorded.
        chain: its links, as `chain` returns them.
    """
    links = {link["link"]: link for link in chain}
    rule = update_rule(history.facts)
    numbers = step_numbers(history)
    if not rule.one_rate:
        numbers = numbers._replace(rate=None)
    values = {RATE: numbers.rate, GRADIENT: numbers.gradient, _UPDATE: numbers.update}
    meanings = {RATE: "learning rate", GRADIENT: "norm of the gradient", _UPDATE: "norm of the update"}
    terms = rule.terms or (_UPDATE,)

    def shown(term: Term) -> dict[str, Any]:
        value = values.get(term)
        meaning = meanings.get(term, term.words) if value is not None else term.words
        return {
            "symbol": term.symbol,
            "sub": term.sub,
            "over": term.over,
            "link": term.link,
            "state": _state(term, links),
            "operator": term.operator,
            "number": "" if value is None else number(value),
            "meaning": "" if term.operator else meaning,
        }

    return {
        "left": list(map(shown, _LEFT)),
        "update": list(map(shown, terms)),
        "brace": shown(_UPDATE) if rule.terms else None,
        "caption": ". ".join(filter(None, (rule.where, _caption(history, numbers)))),
        "note": " ".join(filter(None, (rule.remark, _disagreement(history, rule, numbers)))),
        "words": " ".join(term.words for term in (*_LEFT, *terms) if term.words),
    }


def _state(term: Term, links: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns the state that a term shows: that of its link; none where the optimizer's fault is not the rate."""
    link = links.get(term.link)
    if link is None:
        return ""
    names = {rule.name for rule in catalogue().values() if rule.code in link["codes"]}
    is_elsewhere = link["state"] in ("broken", "suspected") and not names & set(LINK_TABLE["optimizer"].judged_by)
    return "" if term == RATE and is_elsewhere else str(link["state"])


def step_numbers(history: History) -> StepNumbers:
    """Returns learning rate, gradient and update of the last row in which most of the three were recorded."""
    variables = history.variables
    updated = np.array([v.trainable and v.optimized is not False for v in variables], bool)
    left_out = sum(v.trainable and v.optimized is False for v in variables)
    names = ("learning_rate", "gradient_norm", "update_norm")
    known = np.sum([_known(history, name, updated).any(axis=1) for name in names], axis=0)
    if not np.any(known):
        return StepNumbers(left_out=left_out)
    row = len(history) - 1 - int(np.argmax(known[::-1]))
    rate, gradient, update, weight = (_at(history, name, row, updated) for name in (*names, "weight_norm"))
    return StepNumbers(int(history.steps[row]), rate, gradient, update, weight, int(updated.sum()), left_out)


def _known(history: History, name: str, updated: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Returns `[T, N]` where a column was recorded of what is updated."""
    if not history.has(name):
        return np.zeros((len(history), 1), bool)
    known = history.known(name).reshape(len(history), -1)
    return known & updated if history.axis(name) == "variable" else known


def _at(history: History, name: str, row: int, updated: NDArray[np.bool_]) -> float | None:
    """Returns a number of one row, of all that is updated together; None if it was not recorded."""
    known = _known(history, name, updated)[row]
    if not known.any():
        return None
    values = np.asarray(history.column(name), np.float64).reshape(len(history), -1)[row, known]
    with np.errstate(all="ignore"):
        return total_norm(values) if history.axis(name) == "variable" else float(values[0])


def _caption(history: History, numbers: StepNumbers) -> str:
    """Returns of what the numbers are."""
    if not numbers.step:
        return ""
    when = f"at {unit(history)} {numbers.step:,}"
    if numbers.gradient is None and numbers.update is None:
        return f"Learning rate {when}"
    several = f"{numbers.variables:,} " if numbers.variables > 1 else ""
    noun = "variables" if several else "variable"
    of = f"{several}{noun} in the optimizer's list" if numbers.left_out else f"{several}trainable {noun}"
    return f"Norms over the {of} {when}"


def _disagreement(history: History, rule: UpdateRule, numbers: StepNumbers) -> str:
    """Returns in a sentence that the product is not the update that was measured; "" if it is, or cannot be told."""
    rate, gradient, update = numbers.rate, numbers.gradient, numbers.update
    if not rule.is_product or rate is None or gradient is None or update is None:
        return ""
    product = abs(rate) * gradient
    difference = abs(product - update)
    if not np.isfinite(difference) or difference <= _AGREE * max(product, update):
        return ""
    return (
        f"{number(rate)} · {number(gradient)} is {number(product)}, and the update that was measured is "
        f"{number(update)}: {_reason(history, numbers, difference)}."
    )


def _reason(history: History, numbers: StepNumbers, difference: float) -> str:
    """Returns why the measured update is another one than the rule gives, as far as that is known."""
    if history.facts.get("gradients") == "raw":
        return "the recorded gradient is the one that was passed to the optimizer, and clipping was not observed"
    spacing = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float64": 2.0**-53}
    coarsest = max((spacing.get(v.dtype, 2.0**-24) for v in history.variables if v.trainable), default=0.0)
    if numbers.weight is not None and difference <= coarsest * numbers.weight:
        return "so small an update is rounded when it is added to the weights"
    return "something else than this rule changes the weights, or the update was not applied as the rule says"
