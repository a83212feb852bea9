"""The attacks: each is one file in `tests/harm/attacks` with a function `run(effort) -> list[Outcome]`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable

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
    module = importlib.import_module(f"{attacks.__name__}.{name.replace('-', '_')}")
    run: Attack = module.run
    return run


def title(name: str) -> str:
    """Returns what an attack does: the first line of its file."""
    return (importlib.import_module(f"{attacks.__name__}.{name.replace('-', '_')}").__doc__ or "").split("\n")[0]
