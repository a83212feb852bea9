"""Makes any function of the package fail at any of its calls, without replacing it.

The code of each function is exchanged in place, so that every reference to it is met: those of other modules, bound
methods, and what a decorator holds. A function inside a decorator of the boundary fails inside of it.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import tb_weightwatch

PACKAGE = Path(tb_weightwatch.__file__).parent
_FORWARD = "_ww_forward"


class InjectedFault(ArithmeticError):
    """What an injected failure raises."""


class Injector:
    """Counts the calls of all functions of some packages, and makes one of them fail.

    Args:
        packages: names of packages and modules below tb_weightwatch.
        boundary: names of functions that are left alone, since they are the boundary itself: "module:Class.method".

    Attributes:
        calls: function -> calls since the last `arm`.
        fired: how often a failure was raised since the last `arm`.
    """

    def __init__(self, packages: tuple[str, ...], boundary: frozenset[str]) -> None:
        found = {name: function for name, function in _functions(packages) if name not in boundary}
        self.functions: dict[str, FunctionType] = found
        self._originals = {name: _copy(function) for name, function in found.items()}
        self.calls: Counter[str] = Counter()
        self.fired = 0
        self._function, self._call, self._once = "", 0, False

    def arm(self, function: str = "", call: int = 1, *, once: bool = False) -> None:
        """Has a function fail from its n-th call on, or at that call alone; "": none fails, and calls are counted."""
        self.calls.clear()
        self._function, self._call, self._once, self.fired = function, call, once, 0

    def disarm(self) -> None:
        """Lets all functions work."""
        self._function = ""

    def __enter__(self) -> Injector:
        setattr(builtins, _FORWARD, self._forward)
        for name, function in self.functions.items():
            function.__code__ = _forwarding(name, function.__code__)
        return self

    def __exit__(self, *_: object) -> None:
        for name, function in self.functions.items():
            function.__code__ = self._originals[name].__code__

    def _forward(self, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        self.calls[name] += 1
        if name == self._function:
            number = self.calls[name]
            if number == self._call or (number > self._call and not self._once):
                self.fired += 1
                raise InjectedFault(f"injected into {name}")
        return self._originals[name](*arguments, **named)


def _copy(function: FunctionType) -> FunctionType:
    copy = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


@functools.cache
def _template(free: tuple[str, ...]) -> CodeType:
    """Returns the code of a function that passes its call on; it refers to as many outer variables as another one."""
    outer = "".join(f"    {name} = None\n" for name in free)
    refer = f"        if 0: ({', '.join(free)},)\n" if free else ""
    source = (
        f"def make():\n{outer}    def forwarding(*arguments, **named):\n{refer}"
        f"        return {_FORWARD}('NAME', arguments, named)\n    return forwarding\n"
    )
    scope: dict[str, Any] = {}
    exec(source, scope)
    code: CodeType = scope["make"]().__code__
    return code


def _forwarding(name: str, code: CodeType) -> CodeType:
    template = _template(code.co_freevars)
    constants = tuple(name if constant == "NAME" else constant for constant in template.co_consts)
    place = {"co_filename": code.co_filename, "co_name": code.co_name, "co_firstlineno": code.co_firstlineno}
    return template.replace(co_consts=constants, **place)


# -- the functions of the package


def _functions(packages: tuple[str, ...]) -> Iterator[tuple[str, FunctionType]]:
    """Yields the functions and methods of the packages: "capture/watch:Watch.step" and the function inside."""
    seen: set[int] = set()
    for module in _modules(packages):
        for value in list(vars(module).values()):
            for function in _within(value, depth=3):
                path = Path(function.__code__.co_filename)
                if id(function) in seen or not path.is_relative_to(PACKAGE):
                    continue
                seen.add(id(function))
                place = path.relative_to(PACKAGE).with_suffix("").as_posix()
                if place.partition("/")[0] in packages:
                    yield f"{place}:{function.__qualname__}", function


def _modules(packages: tuple[str, ...]) -> Iterator[ModuleType]:
    for package in packages:
        root = importlib.import_module(f"tb_weightwatch.{package}")
        yield root
        for module in pkgutil.walk_packages(getattr(root, "__path__", ()), f"{root.__name__}."):
            yield importlib.import_module(module.name)


def _within(value: Any, depth: int) -> Iterator[FunctionType]:
    """Yields the functions that a value is, wraps or holds."""
    if isinstance(value, FunctionType):
        inner = getattr(value, "__wrapped__", None)
        yield from _within(inner, depth) if inner is not None else [value]
        return
    if isinstance(value, (staticmethod, classmethod)):
        yield from _within(value.__func__, depth)
    elif isinstance(value, property):
        yield from (function for part in (value.fget, value.fset) for function in _within(part, depth))
    elif isinstance(value, (functools.partial, functools.cached_property)):
        yield from _within(value.func, depth)
    elif hasattr(value, "__wrapped__"):
        yield from _within(value.__wrapped__, depth)
    elif depth and not isinstance(value, ModuleType) and _is_ours(value):
        for part in list(_parts(value)):
            yield from _within(part, depth - 1)


def _is_ours(value: Any) -> bool:
    return str(getattr(value, "__module__", "")).startswith("tb_weightwatch")


def _parts(value: Any) -> Iterator[Any]:
    yield from vars(value).values() if hasattr(value, "__dict__") else ()
    for name in getattr(value, "__slots__", ()) if not isinstance(value, type) else ():
        yield getattr(value, name, None)
