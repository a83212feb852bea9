"""Matches the gradients that `Watch.step` is given with variables, and checks that they fit. No number is read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from ..arguments import received, shape_text, static_shape
from ..observe.observation import variable_id
from .arguments import is_variable
from .step_arguments import symbolic

Pair = tuple[Any, Any]  # gradient, variable
_ZIP = "list(zip(gradients, model.trainable_variables))"


def reject_wrong_structure(gradients: Any, watched: Collection[int]) -> None:
    """Checks how gradients are put together, as far as that is known without reading an iterator.

    Args:
        gradients: as given to `Watch.step`.
        watched: ids of the watched variables.

    Raises:
        TypeError: they are no list.
        ValueError: pairs are swapped, or are two lists instead of pairs.
    """
    if gradients is None:
        return
    if isinstance(gradients, (str, bytes, Mapping)) or hasattr(gradients, "dtype") or not _is_iterable(gradients):
        one = "; pass a list also of a single one: [gradient]" if hasattr(gradients, "dtype") else ""
        one = "; pass zip(gradients.values(), variables)" if isinstance(gradients, Mapping) else one
        raise TypeError(f"gradients must be a list of gradients or of (gradient, variable) pairs, got "
                        f"{received(gradients)}{one}")  # fmt: skip
    if not isinstance(gradients, (list, tuple)):
        return
    if len(gradients) == 2 and all(isinstance(part, (list, tuple)) for part in gradients):
        variables = gradients[1]
        if len(variables) and all(map(is_variable, variables)) and not (len(variables) == 2 and is_pair(gradients[0])):
            raise ValueError(
                f"gradients must be (gradient, variable) pairs, got two lists, of {len(gradients[0])} gradients and "
                f"{len(variables)} variables; pass list(zip(gradients, variables))"
            )
    reject_swapped(gradients, watched)


def reject_swapped(items: Iterable[Any], watched: Collection[int]) -> None:
    """Raises ValueError for a (variable, gradient) pair. A gradient that is accumulated in a variable is none."""
    for item in items:
        if not isinstance(item, (tuple, list)) or len(item) != 2 or not is_variable(item[0]) or is_variable(item[1]):
            continue
        if variable_id(item[0]) in watched or getattr(item[0], "trainable", True):
            raise ValueError(
                "gradients must be (gradient, variable) pairs in this order, got a pair whose first element is the "
                f"variable {_name(item[0])}; pass {_ZIP}"
            )


def pairs_of(
    given: Sequence[Any], trained: Sequence[Any], variables: Sequence[Any], *, is_iterator: bool, all_frozen: bool
) -> list[Pair]:
    """Returns (gradient, variable) pairs from pairs, or from one gradient for each variable.

    Args:
        given: the items of `gradients`.
        trained: the trainable watched variables.
        variables: those that the same step was given; gradients that are not as many as `trained` belong to them.
        is_iterator: whether the items come from an iterator, which can be read only once.
        all_frozen: whether variables are watched and none of them is trainable, so that there are no gradients.

    Raises:
        TypeError: one of them is no gradient.
        ValueError: they cannot be matched with variables.
    """
    if not given and all_frozen:
        return []
    if given and all(map(is_pair, given)):
        return list(given)
    for listed in (trained, variables):
        if given and len(given) == len(listed) and not any(map(is_pair, given)):
            return list(zip(given, listed, strict=True))
    if not given and is_iterator:
        raise ValueError(
            "gradients must not be empty, got an iterator that is used up: a zip can be read only once, so pass "
            "a list, list(zip(gradients, variables))"
        )
    with_pairs = sum(map(is_pair, given))
    came = f"{len(given)} without variables" if not with_pairs else f"{with_pairs} pairs among {len(given)} items"
    given_too = f" and variables= with {len(variables)}" if variables else ""
    raise ValueError(
        f"gradients must be (gradient, variable) pairs, or one gradient for each of the {len(trained)} "
        f"trainable watched variables in their order; got {came}{given_too}: use zip(gradients, variables)"
    )


def check_pairs(pairs: Iterable[Pair]) -> None:
    """Checks that each gradient is a value of its variable's shape.

    Raises:
        TypeError: one is no gradient.
        ValueError: one has another shape than its variable, or belongs to a traced function.
    """
    for gradient, variable in pairs:
        if gradient is None:
            continue
        if symbolic(gradient):
            raise ValueError("gradients must be values, got those of a traced tf.function; return them from it")
        sparse = isinstance(gradient, tf.IndexedSlices)
        mine, expected = static_shape(gradient.values if sparse else gradient), static_shape(variable)
        if mine is None and not _has_unknown_shape(gradient):
            raise TypeError(
                f"gradients must be tensors, tf.IndexedSlices or None, got {received(gradient)} for the variable "
                f"{_name(variable)}; pass what tape.gradient(loss, variables) returned, as one flat list"
            )
        if mine is None or expected is None:
            continue
        if sparse:  # rows of the variable
            mine, expected = mine[1:], expected[1:]
        if mine != expected and not _are_compatible(mine, expected):
            raise ValueError(_other_shape(gradient, variable, mine, expected, "rows of " if sparse else ""))


def _other_shape(gradient: Any, variable: Any, mine: Any, expected: Any, rows: str) -> str:
    return (
        f"each gradient must have the shape of its variable, but for {_name(variable)}, with {rows}shape "
        f"{shape_text(expected)}, came {rows}shape {shape_text(mine)}; pass gradients in the order of their "
        f"variables, {_ZIP}"
    )


def _are_compatible(one: tuple[int | None, ...], other: tuple[int | None, ...]) -> bool:
    return len(one) == len(other) and all(a is None or b is None or a == b for a, b in zip(one, other, strict=True))


def _has_unknown_shape(gradient: Any) -> bool:
    return hasattr(gradient, "dtype") and hasattr(gradient, "shape")


def is_pair(item: Any) -> bool:
    """Whether an item is a (gradient, variable) pair."""
    return isinstance(item, (tuple, list)) and len(item) == 2 and hasattr(item[1], "assign")


def _is_iterable(value: Any) -> bool:
    return hasattr(value, "__iter__")


def _name(variable: Any) -> str:
    return str(getattr(variable, "path", None) or getattr(variable, "name", "")).removesuffix(":0") or "without a name"
