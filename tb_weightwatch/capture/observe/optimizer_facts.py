"""Describes the user's optimizers in values that JSON can hold. Unusual ones give fewer facts, never an error."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np

from ..legacy.objects import is_legacy, is_legacy_optimizer
from ..legacy.optimizers import optimized_ids
from .observation import base_optimizers, variable_id

_SCALARS = (str, int, float, bool, type(None))
_AVERAGES = ("momentums", "_momentums", "_velocities", "_m", "_u", "_accumulated_grads")  # all start at zero


def optimizers_of(model: Any) -> list[Any]:
    """Returns the optimizer that the model was compiled with, and others among its attributes (GANs)."""
    import keras

    attributes = [
        v for v in vars(model).values() if isinstance(v, keras.optimizers.Optimizer) or is_legacy_optimizer(v)
    ]
    compiled = [model.optimizer] if getattr(model, "optimizer", None) is not None else []
    return list({id(optimizer): optimizer for optimizer in [*compiled, *attributes]}.values())


def optimizer_facts(optimizers: Iterable[Any]) -> dict[str, Any]:
    """Returns {"optimizers": [...]} of the base optimizers."""
    items = []
    for base in (base for optimizer in optimizers for base in base_optimizers(optimizer)):
        config, name = jsonable(config_of(base)), str(getattr(base, "name", ""))
        items.append({"class": type(base).__name__, "name": name, "config": config, "own": has_own_update_rule(base)})
    return {"optimizers": items}


def config_of(owner: Any) -> dict[str, Any]:
    """Returns what `get_config` returns; {} if there is none, or it fails."""
    try:
        config = owner.get_config()
    except Exception:  # of the user's class
        return {}
    return config if isinstance(config, dict) else {}


def has_own_update_rule(optimizer: Any) -> bool:
    """Checks whether a program defines the update rule of an optimizer, or how it is applied, and Keras does not."""
    kinds = type(optimizer).__mro__
    methods = ("update_step", "_backend_update_step", "apply", "apply_gradients")
    definers = [next((k for k in kinds if method in vars(k)), kinds[0]) for method in methods]
    return any(kind.__module__.partition(".")[0] not in ("keras", "tf_keras", "tensorflow") for kind in definers)


def jsonable(value: Any, depth: int = 0) -> Any:
    """Returns `value` with all that JSON cannot hold replaced by its `str`, at most 200 characters long."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, _SCALARS):
        return value
    if depth < 4 and isinstance(value, dict):
        return {str(k): jsonable(v, depth + 1) for k, v in list(value.items())[:50]}
    if depth < 4 and isinstance(value, (list, tuple)):
        return [jsonable(v, depth + 1) for v in value[:50]]
    try:
        return str(value)[:200]
    except Exception:  # of the user's class
        return type(value).__name__


def optimized_count(base: Any) -> int:
    """Returns how many variables an optimizer was built for, as far as it tells."""
    return len(getattr(base, "_index_dict" if is_legacy(base) else "_trainable_variables", ()))


def optimized_variables(bases: list[Any], variables: list[Any]) -> set[int] | None:
    """Returns the ids of the variables that optimizers were built for; None if no optimizer has been built."""
    known = [
        optimized_ids(base, variables)
        if is_legacy(base)
        else {variable_id(v) for v in getattr(base, "_trainable_variables", [])}
        for base in bases
        if is_legacy(base) or getattr(base, "built", False)
    ]
    known_ids = [ids for ids in known if ids is not None]
    return set().union(*known_ids) if known_ids else None


def optimizer_state(optimizers: Iterable[Any], trained: Collection[int]) -> str:
    """Returns "zero" if all averages of the gradients that Keras optimizers keep are exactly zero, else "alive".

    Returns "" if they keep none, or if an optimizer updates none of the `trained` variables (given by `variable_id`).
    """
    averages: list[Any] = []
    for optimizer in optimizers:
        if not {variable_id(v) for v in getattr(optimizer, "_trainable_variables", ())} & set(trained):
            return ""
        averages += [v for name in _AVERAGES for v in getattr(optimizer, name, None) or ()]
    if not averages:
        return ""
    return "alive" if any(np.any(np.asarray(v)) for v in averages) else "zero"
