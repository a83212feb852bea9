"""What may happen to a training process: each file has a tuple `SITUATIONS`, and is found by this folder."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from ..situation import Situation


@cache
def all_situations() -> dict[str, Situation]:
    """Returns all situations by name."""
    files = [importlib.import_module(f"{__name__}.{file.name}") for file in pkgutil.iter_modules(__path__)]
    return {situation.name: situation for file in files for situation in file.SITUATIONS}


def situation_of(name: str) -> Situation:
    """Returns the situation of that name; for "" one in which nothing happens."""
    return all_situations()[name] if name else Situation("nothing")
