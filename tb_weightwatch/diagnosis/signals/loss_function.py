"""Which loss function the model was compiled with."""

from __future__ import annotations

from typing import Any

from ...history import History
from .columns import model_facts
from .memo import from_records
from .model_structure import output_activation, output_units


def loss_facts(history: History) -> dict[str, Any]:
    """Returns the recorded facts about the loss function; {} if it is unknown (a hand-written loop)."""
    facts = dict(model_facts(history).get("loss") or {})
    return facts if facts.get("name") or facts.get("class") else {}


def is_cross_entropy(history: History) -> bool:
    """Whether the recorded loss is one of Keras' cross-entropies; False if it is unknown."""
    facts = loss_facts(history)
    return "crossentropy" in f"{facts.get('class') or ''}{facts.get('name') or ''}".lower().replace("_", "")


@from_records
def targets_are_class_ids(history: History) -> bool:
    """Whether there is one integer target for several predicted units: a class id among the scores of the classes."""
    facts = model_facts(history)
    target, prediction = list(facts.get("target_shape") or ()), list(facts.get("prediction_shape") or ())
    several = len(prediction) > 1 and isinstance(prediction[-1], int) and prediction[-1] > 1
    per_sample = target in (prediction[:-1], [*prediction[:-1], 1])
    return several and per_sample and "int" in str(facts.get("target_dtype") or "")


@from_records
def loss_name(history: History) -> str:
    """Returns the loss function's name in lower case; "guess ..." by the output layer if it was not recorded."""
    facts = model_facts(history).get("loss") or {}
    names = f"{facts.get('class') or ''} {facts.get('name') or ''}".lower()
    if names.strip():
        return (
            names.replace("meansquarederror", "mean_squared_error mse")
            .replace("mse", "mean_squared_error")
            .replace("meanabsoluteerror", "mean_absolute_error")
            .replace("mae", "mean_absolute_error")
            .replace("sparsecategorical", "sparse_categorical")
            .strip()
        )
    activation = output_activation(history)
    if activation == "softmax" or targets_are_class_ids(history):
        return "guess categorical"
    if activation == "sigmoid" and output_units(history) == 1:
        return "guess binary_crossentropy"
    if activation == "linear":
        return "guess squared"
    return ""
