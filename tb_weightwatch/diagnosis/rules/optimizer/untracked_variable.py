"""508 untracked-variable."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....history import History
from ...rule import CannotTell, Finding, SimpleFinding, rule
from ...signals import model_facts, variables
from ...wording import evidence, plural, quote_list


@rule(code=508, name="untracked-variable", link="optimizer")
def untracked_variable(history: History, *, elements: int = 1) -> Finding[Any] | CannotTell | None:
    """Variables that Keras does not know of, so that they are in no list and never train.

    What it sees:
        Trainable `tf.Variable` objects that layers or the model hold as attributes, but that are in none of Keras'
        lists of variables and in none that was handed to the optimizer.

    Why it matters:
        Keras 3 tracks its own variables only. A bare tf.Variable made in a layer takes part in the forward pass, but
        `model.trainable_variables` does not hold it: no gradient is asked for, nothing warns, it keeps its first value,
        and it is not saved.

    When it is a false alarm:
        When the program hands the variable to the optimizer itself and does not show it to ww.Watch (variables=), or
        assigns to it by hand. Make such a one with trainable=False, and it is not mentioned.

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
        elements: size from which such a variable is reported.
    """
    found = [one for one in _untracked(history) if int(one.get("size") or 1) >= elements]
    if not found:
        return None
    names = [f"{one.get('layer')}.{one.get('attribute')}" for one in found]
    total = sum(int(one.get("size") or 1) for one in found)
    known = sum(v.size for v in variables(history) if v.trainable)
    shape = list(found[0].get("shape") or [])
    return SimpleFinding(
        np.ones(len(history), bool),
        f"{quote_list(names)} {'are' if len(names) > 1 else 'is'} a bare tf.Variable inside a Keras layer "
        f"({plural(total, 'number')}, beside {known:,} that Keras knows), which is in no list of variables: it never "
        "gets an update",
        "Let the layer make it, so that Keras tracks it:\n"
        f"    self.{found[0].get('attribute')} = self.add_weight(shape={tuple(shape)}, initializer='glorot_uniform')\n"
        "or, if it is no weight, tf.Variable(..., trainable=False).",
        (evidence("numbers not tracked", total, f"{known:,} are"),),
        severity="error" if total > 0.1 * max(1, known) else "warning",
    ).finding()


def _untracked(history: History) -> list[dict[str, Any]]:
    """Returns those that are not watched by their own name and moving: such a one is trained by hand."""
    listed_ones = [dict(x) for x in (model_facts(history).get("model") or {}).get("untracked") or ()]
    if not listed_ones or not history.has("update_norm"):
        return listed_ones
    moved = np.asarray((history.column("update_norm") > 0).any(axis=0))
    own = {v.name for v, m in zip(variables(history), moved, strict=True) if m and not v.layer}
    return [one for one in listed_ones if str(one.get("name")) not in own]
