"""Hooks on the user's instances, never on classes: they look on, and can neither alter a call nor break it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from .observation import StepObservation


class MethodCall(NamedTuple):
    """A call that is looked at: the instance whose method it is, and the arguments."""

    owner: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def get(self, place: int, name: str, default: Any = None) -> Any:
        """Returns an argument, given by place or by name."""
        return self.args[place] if len(self.args) > place else self.kwargs.get(name, default)


class CallHook(NamedTuple):
    """What looks at the calls of a method.

    Attributes:
        frame: returns where to keep what is seen, and faults; None: this call is not looked at.
        before: gets frame and call, before the method runs.
        after: gets frame, call and result.
    """

    frame: Callable[[], StepObservation | None]
    before: Callable[[Any, MethodCall], None] | None = None
    after: Callable[[Any, MethodCall, Any], None] | None = None


class Hooks:
    """Puts observers on and takes them off together; several Hooks may look at one method.

    The wrapper stands in the instance's `__dict__`, where Keras' attribute tracking does not see it.
    """

    def __init__(self) -> None:
        self._put: list[tuple[Any, str, CallHook]] = []

    def put(self, instance: Any, name: str, observer: CallHook, *, listed: bool = False) -> None:
        """Lets the observer look at a method; nothing happens where there is none.

        `listed`: iterators among the arguments are made lists, since they can be read but once.
        """
        own = instance.__dict__.get(name)
        observers = getattr(own, "_weightwatch", None)
        if observers is None:
            original = getattr(instance, name, None)
            if original is None:
                return
            wrapper = _wrapper(instance, original, observers := [], listed)
            wrapper._weightwatch, wrapper._own = observers, own
            instance.__dict__[name] = wrapper
        observers.append(observer)
        self._put.append((instance, name, observer))

    def remove(self) -> None:
        """Takes all of them off; with the last one, the instance is as it was."""
        while self._put:
            instance, name, observer = self._put.pop()
            wrapper = instance.__dict__.get(name)
            observers = getattr(wrapper, "_weightwatch", None)
            if observers is None:  # the user has put something else there since
                continue
            observers[:] = [one for one in observers if one is not observer]
            if not observers:
                instance.__dict__.pop(name)
                if wrapper._own is not None:
                    instance.__dict__[name] = wrapper._own


def _wrapper(instance: Any, original: Callable[..., Any], observers: list[CallHook], listed: bool) -> Any:
    # AutoGraph converts this function, as it must to reach the user's; what is ours it leaves alone.
    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = _begun(instance, args, kwargs, listed)
        looking = _looked(observers, call)
        result = original(*call.args, **call.kwargs)
        _ended(looking, call, result)
        return result

    return wrapper


@tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
def _begun(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any], listed: bool) -> MethodCall:
    if listed:
        args, kwargs = tuple(_list(a) for a in args), {k: _list(v) for k, v in kwargs.items()}
    return MethodCall(instance, args, kwargs)


@tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
def _looked(observers: list[CallHook], call: MethodCall) -> list[tuple[CallHook, StepObservation]]:
    looking = [(one, frame) for one in observers if (frame := one.frame()) is not None]
    for one, frame in looking:
        if one.before is not None:
            with frame.guard():
                one.before(frame, call)
    return looking


@tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
def _ended(looking: list[tuple[CallHook, StepObservation]], call: MethodCall, result: Any) -> None:
    for one, frame in looking:
        if one.after is not None:
            with frame.guard():
                one.after(frame, call, result)


def _list(value: Any) -> Any:
    return list(value) if hasattr(value, "__next__") else value
