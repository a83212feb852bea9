"""The form in which a method of an object of legacy Keras is replaced."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import MethodType
from typing import Any

from .objects import is_legacy


def as_method(instance: Any, original: Callable[..., Any], wrapper: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the wrapper of a method; for an object of legacy Keras as a bound method, as the original is one.

    `model.save(folder)` of legacy Keras reads the signature of `call` from below its decorators, where `self` is an
    argument, and so takes a wrapper that is a plain function for one that needs another argument.
    """
    if not is_legacy(instance) or not inspect.ismethod(original):
        return wrapper

    @functools.wraps(original.__func__)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return wrapper(*args, **kwargs)

    own = {name: value for name, value in vars(wrapper).items() if name != "__wrapped__"}
    vars(method).update(own)
    return MethodType(method, instance)
