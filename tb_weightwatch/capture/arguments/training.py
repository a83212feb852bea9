"""Loss, optimizer and numbers, as `ww.preflight`, `ww.probe` and `ww.assert_learns` take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .received_value import received


def positive(name: str, value: Any) -> float:
    """Returns a positive number; raises TypeError or ValueError for anything else."""
    message = f"{name} must be a positive number, got {received(value)}"
    if isinstance(value, (bool, str)):
        raise TypeError(message)
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise TypeError(message) from error
    if not number > 0:
        raise ValueError(f"{name} must be positive, got {value!r}")
    return number


def positive_integer(name: str, value: Any) -> int:
    """Returns a positive whole number; raises TypeError or ValueError for anything else."""
    number = positive(name, value)
    if not number.is_integer():
        raise ValueError(f"{name} must be a positive whole number, got {value!r}")
    return int(number)


def check_training(loss: Any, optimizer: Any) -> None:
    """Raises TypeError for a class in the place of an object, or for an optimizer that is a name or a model."""
    if isinstance(loss, type):
        raise TypeError(f"loss must be a name, a function or a Keras loss, got {received(loss)}; {_made(loss)}")
    for item in optimizer if isinstance(optimizer, (list, tuple)) else [optimizer]:
        if isinstance(item, type):
            raise TypeError(f"optimizer must be a Keras optimizer, got {received(item)}; {_made(item)}")
        if isinstance(item, (str, Mapping)) or hasattr(item, "call"):
            raise TypeError(f"optimizer must be a Keras optimizer, got {received(item)}; pass the one that trains")


def _made(kind: type) -> str:
    return f"make one: {kind.__name__}(...)"
