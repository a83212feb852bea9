"""Which variables are weights, and which share of their elements some of them make up."""

from __future__ import annotations

import numpy as np

from ...history import History
from .columns import variables
from .memo import from_records
from .model_structure import model_layers
from .scans import Bool

# Last parts of the names of variables that are statistics or constants, and by nature never trainable.
_STATISTICS = ("moving_mean", "moving_variance", "seed_generator", "seed", "mean", "variance", "count", "iterations")


@from_records
def weight_variables(history: History) -> Bool:
    """Returns `[V]` which variables are weights, and neither statistics nor constants."""
    classes = {str(layer.get("name")): str(layer.get("class")) for layer in model_layers(history)}
    return np.array([_is_weight(v.name, v.dtype, classes.get(v.layer, "")) for v in variables(history)], bool)


def _is_weight(name: str, dtype: str, layer_class: str) -> bool:
    last = name.rstrip("0123456789:").rsplit("/", 1)[-1].rstrip("_")
    return "int" not in dtype and last not in _STATISTICS and layer_class not in ("Normalization", "SeedGenerator")


def share_of_elements(history: History, part: Bool, all_of: Bool) -> float:
    """Returns the share of the elements of variables that belong to a part of them; 0 if there are none.

    Args:
        history: what was recorded.
        part: `[V]` which variables are the part.
        all_of: `[V]` which variables are the whole; the part lies in it.
    """
    sizes = np.array([variable.size for variable in variables(history)], float)
    return float(sizes[part].sum() / max(1.0, sizes[all_of].sum()))
