"""508 untracked-variable."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import CannotTell, Evidence, Finding, History, SimpleFinding, VerdictText, rule
from ...wording import plural, quote_list


@rule(code=508, name="untracked-variable", link="optimizer")
def untracked_variable(history: History, *, elements: int = 1) -> Finding[Any] | CannotTell | None:
    """Variables that Keras does not track, so that they are in none of its lists and never train.

    What it sees:
        Trainable `tf.Variable` objects that layers or the model hold as attributes, but that are in none of Keras'
        lists of variables and were not passed to the optimizer. In `fit`, also variables that are made inside the call
        of a layer in the first step, as by a layer that is made inside a call or a Lambda.

    Why it matters:
        Keras 3 tracks its own variables only. A bare tf.Variable made in a layer takes part in the forward pass, but
        `model.trainable_variables` does not contain it: its gradient is never computed, it keeps its initial value, it
        is not saved, and Keras does not warn.

    When it is a false alarm:
        When the program passes the variable to the optimizer itself without telling ww.Watch (variables=), or assigns
        to it by hand. Make such a variable with trainable=False, and it is not reported.

    What to try:
        Make it with self.add_weight(...) in the layer's __init__ or build.

    Sick example:
        class Scale(layers.Layer):
            def __init__(self):
                super().__init__()
                self.scale = tf.Variable(tf.ones(8))

            def call(self, x):
                return self.scale * x

        model = keras.Sequential([keras.Input((8,)), Scale(), layers.Dense(1)])
        watch = fit(model, x, number, "mse", optimizers.Adam(0.02))

    Healthy example:
        class Scale(layers.Layer):
            def __init__(self):
                super().__init__()
                self.scale = self.add_weight(shape=(8,), initializer="ones")

            def call(self, x):
                return self.scale * x

        model = keras.Sequential([keras.Input((8,)), Scale(), layers.Dense(1)])
        watch = fit(model, x, number, "mse", optimizers.Adam(0.02))

    References:
        https://keras.io/guides/making_new_layers_and_models_via_subclassing/

    Args:
        history: what was recorded.
        elements: number of elements from which such a variable is reported.
    """
    if not _untracked(history, elements):
        return _made_in_step(history, elements)
    return Finding(np.ones(len(history), bool), partial(measure, history, elements), text, evidence)


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        attributes: the untracked variables as layer.attribute.
        elements: number of their elements.
        tracked: number of elements of the trainable variables that Keras tracks.
        attribute: attribute of the first of them.
        shape: shape of the first of them.
    """

    attributes: tuple[str, ...]
    elements: int
    tracked: int
    attribute: str
    shape: tuple[int, ...]


def measure(history: History, elements: int, row: int, _: NDArray[np.intp]) -> Details:
    """Returns the numbers and names, which are the same for every row."""
    untracked = _untracked(history, elements)
    return Details(
        attributes=tuple(f"{variable.get('layer')}.{variable.get('attribute')}" for variable in untracked),
        elements=sum(_size(variable) for variable in untracked),
        tracked=sum(variable.size for variable in signals.variables(history) if variable.trainable),
        attribute=str(untracked[0].get("attribute")),
        shape=tuple(untracked[0].get("shape") or ()),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    several = len(details.attributes) > 1
    are = "are bare tf.Variables inside Keras layers" if several else "is a bare tf.Variable inside a Keras layer"
    lists, get = ("they are in none", "they never get") if several else ("it is in none", "it never gets")
    return VerdictText(
        message=f"Keras does not track {plural(len(details.attributes), 'variable')}: {quote_list(details.attributes)} "
        f"{are} ({plural(details.elements, 'element')}; Keras tracks {details.tracked:,}), so {lists} of Keras' lists "
        f"of variables, and {get} an update",
        fix="Let the layer make it, so that Keras tracks it:\n"
        f"    self.{details.attribute} = self.add_weight(shape={details.shape}, initializer='glorot_uniform')\n"
        "or, if it is not a weight, tf.Variable(..., trainable=False).",
        severity="error" if details.elements > 0.1 * max(1, details.tracked) else "warning",
        certainty="certain",
        variables=(),
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    return (Evidence("elements not tracked", float(details.elements), f"{details.tracked:,} are"),)


def _made_in_step(history: History, elements: int) -> Finding[SimpleFinding] | None:
    """Finds variables that were made inside a layer's call in the first step, and that nothing tracks."""
    made = signals.model_facts(history).get("made_in_step")
    if not isinstance(made, dict) or not _count(made, "variables") or _count(made, "elements") < elements:
        return None
    count, size = _count(made, "variables"), _count(made, "elements")
    tracked = sum(variable.size for variable in signals.variables(history) if variable.trainable)
    names = quote_list([str(name) for name in made.get("names") or ()])
    return SimpleFinding(
        np.ones(len(history), bool),
        message="Variables are made while the step runs: in the first recorded step the call of a layer made "
        f"{plural(count, 'variable')} ({plural(size, 'element')}, such as {names}), as by a layer that is made there "
        "or in a Lambda, so that neither the model nor the optimizer has them and they get no update",
        fix="Make the layer once, as an attribute of the model or of a layer, and only call it there:\n"
        "    self.dense = keras.layers.Dense(16)   # in __init__\n    x = self.dense(x)   # in call",
        evidence=(Evidence("elements not tracked", float(size), f"{tracked:,} are"),),
        severity="error" if size > 0.1 * max(1, tracked) else "warning",
    ).finding()


def _count(made: dict[str, Any], name: str) -> int:
    value = made.get(name)
    return value if isinstance(value, int) else 0


def _untracked(history: History, elements: int) -> list[dict[str, Any]]:
    """Returns the descriptions of untracked variables of this size, except those that are trained by hand.

    Such a variable is watched by its own name, without a layer, and moves.
    """
    model = signals.model_facts(history).get("model") or {}
    untracked = [dict(item) for item in model.get("untracked") or () if _size(item) >= elements]
    if not untracked or not history.has("update_norm"):
        return untracked
    moved = np.asarray((history.column("update_norm") > 0).any(axis=0))
    by_hand = {v.name for v, moves in zip(signals.variables(history), moved, strict=True) if moves and not v.layer}
    return [variable for variable in untracked if str(variable.get("name")) not in by_hand]


def _size(variable: dict[str, Any]) -> int:
    return int(variable.get("size") or 1)
