"""Hooks on methods of the user's instances, never on classes. They observe calls and cannot alter or break them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from ..legacy.bound_methods import as_method
from .observation import StepObservation


class MethodCall(NamedTuple):
    """An observed call: the instance whose method is called, and the arguments."""

    owner: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def argument(self, position: int, name: str, default: Any = None) -> Any:
        """Returns an argument that was passed by position or by name."""
        return self.args[position] if len(self.args) > position else self.kwargs.get(name, default)


class CallHook(NamedTuple):
    """The observers of one method's calls.

    Attributes:
        observation: returns the observation to fill, which also stores faults; None: this call is not observed.
        before: called with the observation and the call before the method runs.
        after: called with the observation, the call and the result.
        raised: called with an exception of the method, also where the call is not observed; the exception goes on.
    """

    observation: Callable[[], StepObservation | None]
    before: Callable[[Any, MethodCall], None] | None = None
    after: Callable[[Any, MethodCall, Any], None] | None = None
    raised: Callable[[BaseException], None] | None = None


class Hooks:
    """Installs hooks and removes them together. Several Hooks may observe the same method.

    The wrapper is put into the instance's `__dict__`, where Keras' attribute tracking does not see it.
    """

    def __init__(self) -> None:
        self._installed: list[tuple[Any, str, CallHook]] = []

    def put(self, instance: Any, name: str, hook: CallHook, *, materialize: bool = False) -> None:
        """Hooks a method; does nothing if the instance has no such method.

        Args:
            instance: a model, a layer or an optimizer.
            name: of the method.
            hook: the observers.
            materialize: turns iterators among the arguments into lists, since an iterator can be read only once.
        """
        own = instance.__dict__.get(name)
        hooks = getattr(own, "_weightwatch", None)
        if hooks is None:
            original = getattr(instance, name, None)
            if original is None:
                return
            wrapper = _wrapper(instance, original, hooks := [], materialize)
            wrapper._weightwatch, wrapper._own = hooks, own
            instance.__dict__[name] = as_method(instance, original, wrapper)
        hooks.append(hook)
        self._installed.append((instance, name, hook))

    def remove(self) -> None:
        """Removes all hooks. Without the last one the instance is as it was."""
        while self._installed:
            instance, name, hook = self._installed.pop()
            wrapper = instance.__dict__.get(name)
            hooks = getattr(wrapper, "_weightwatch", None)
            if hooks is None:  # the user has replaced the method since
                continue
            hooks[:] = [other for other in hooks if other is not hook]
            if not hooks:
                instance.__dict__.pop(name)
                if wrapper._own is not None:
                    instance.__dict__[name] = wrapper._own


def _wrapper(instance: Any, original: Callable[..., Any], hooks: list[CallHook], materialize: bool) -> Any:
    # AutoGraph converts this function, as it must in order to reach the user's; our own functions are not converted.
    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = _method_call(instance, args, kwargs, materialize)
        observed = _before(hooks, call)
        try:
            result = original(*call.args, **call.kwargs)
        except BaseException as error:
            _raised(hooks, error)
            raise
        _after(observed, call, result)
        return result

    return wrapper


@tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
def _method_call(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any], materialize: bool) -> MethodCall:
    if materialize:
        args, kwargs = tuple(_materialized(a) for a in args), {k: _materialized(v) for k, v in kwargs.items()}
    return MethodCall(instance, args, kwargs)


@tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
def _before(hooks: list[CallHook], call: MethodCall) -> list[tuple[CallHook, StepObservation]]:
    observed = [(hook, observation) for hook in hooks if (observation := hook.observation()) is not None]
    for hook, observation in observed:
        if hook.before is not None:
            with observation.guard():
                hook.before(observation, call)
    return observed


@tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
def _after(observed: list[tuple[CallHook, StepObservation]], call: MethodCall, result: Any) -> None:
    for hook, observation in observed:
        if hook.after is not None:
            with observation.guard():
                hook.after(observation, call, result)


@tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
def _raised(hooks: list[CallHook], error: BaseException) -> None:
    for hook in hooks:
        if hook.raised is not None:
            hook.raised(error)


def _materialized(value: Any) -> Any:
    return list(value) if hasattr(value, "__next__") else value
