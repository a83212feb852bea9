"""The attacks: each is one file in `tests/harm/attacks` with a function `run(effort) -> list[Outcome]`.

It may name a test file of the suite that has the same bounded part, with more detail: `TESTED_IN`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from types import ModuleType

from . import attacks
from .outcome import Effort, Outcome

Attack = Callable[[Effort], list[Outcome]]


def names() -> list[str]:
    """Returns the names of all attacks, as `python -m tests.harm` takes them."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(attacks.__path__))


def attack(name: str) -> Attack:
    """Returns the attack of that name.

    Raises:
        ValueError: there is none.
    """
    if name not in names():
        raise ValueError(f"expected one of {', '.join(names())}; got {name!r}")
    run: Attack = _module(name).run
    return run


def tested_in(name: str) -> str:
    """Returns the test file that has the bounded part of an attack; "" if `test_harm.py` runs it."""
    file: str = getattr(_module(name), "TESTED_IN", "")
    return file


def title(name: str) -> str:
    """Returns what an attack does: the first line of its file."""
    return (_module(name).__doc__ or "").split("\n")[0]


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{attacks.__name__}.{name.replace('-', '_')}")
