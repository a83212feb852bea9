"""Hooks on methods of the user's instances, never on classes. They observe calls and cannot alter or break them."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import tensorflow as tf

from ..legacy.bound_methods import as_method
from .fault_guard import FaultGuard
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
        observation: returns what the observers fill, such as a `StepObservation`; None: this call is not observed.
        failed: called with an exception of the observers, which goes no further.
        before: called with the observation and the call before the method runs.
        after: called with the observation, the call and the result.
        raised: called with an exception of the method, also where the call is not observed; the exception goes on.
    """

    observation: Callable[[], Any]
    failed: Callable[[Exception], None]
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


class _Entered(NamedTuple):
    """A hooked call as it begins: what the user's method is given, and the hooks that observe it."""

    call: MethodCall
    observed: list[tuple[CallHook, StepObservation]]


def _wrapper(instance: Any, original: Callable[..., Any], hooks: list[CallHook], materialize: bool) -> Any:
    # AutoGraph converts this function, as it must in order to reach the user's; our own functions are not converted.
    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        given = MethodCall(instance, args, kwargs)
        call, observed = _contained(hooks, _entered, hooks, given, materialize) or (given, [])
        try:
            result = original(*call.args, **call.kwargs)
        except BaseException as error:
            _contained(hooks, _raised, hooks, error)
            raise
        _contained(hooks, _after, observed, call, result)
        return result

    return wrapper


@tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
def _contained(hooks: list[CallHook], observe: Callable[..., Any], *arguments: Any) -> Any:
    """Calls what observes a call; what fails there is handed to a hook, and None is returned."""
    try:
        return observe(*arguments)
    except Exception as error:
        with contextlib.suppress(Exception):
            hooks[0].failed(error)
        return None


def _entered(hooks: list[CallHook], given: MethodCall, materialize: bool) -> _Entered:
    """Calls the observers before a call. Whatever of them fails, the user's method gets the arguments that came."""
    call, is_readable = _materialized(given) if materialize else (given, True)
    return _Entered(call, _contained(hooks, _before, hooks, call) or [] if is_readable else [])


def _before(hooks: list[CallHook], call: MethodCall) -> list[tuple[CallHook, StepObservation]]:
    observed = []
    for hook in hooks:
        with FaultGuard(hook.failed):
            observation = hook.observation()
            if observation is not None:
                observed.append((hook, observation))
                if hook.before is not None:
                    hook.before(observation, call)
    return observed


def _after(observed: list[tuple[CallHook, StepObservation]], call: MethodCall, result: Any) -> None:
    for hook, observation in observed:
        if hook.after is not None:
            with FaultGuard(hook.failed):
                hook.after(observation, call, result)


def _raised(hooks: list[CallHook], error: BaseException) -> None:
    for hook in hooks:
        if hook.raised is not None:
            hook.raised(error)


def _materialized(call: MethodCall) -> tuple[MethodCall, bool]:
    """Returns the call with lists in the place of iterators, and whether all of them could be read.

    An iterator that raises an exception is replaced by one that yields the same items and then raises it, so that the
    user's method gets it where it would have come.
    """
    errors: list[Exception] = []

    def read(value: Any) -> Any:
        if not hasattr(value, "__next__"):
            return value
        items = []
        try:
            for item in value:
                items.append(item)
        except Exception as error:
            errors.append(error)
            return _replayed(items, error)
        return items

    args, kwargs = tuple(map(read, call.args)), {name: read(value) for name, value in call.kwargs.items()}
    return MethodCall(call.owner, args, kwargs), not errors


def _replayed(items: list[Any], error: Exception) -> Iterator[Any]:
    yield from items
    raise error
