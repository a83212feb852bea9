"""All programs of the clinic: importing this module enters them into the registry."""

from __future__ import annotations

import importlib
from pathlib import Path

from . import decoys, healthy, sick, sick_more  # noqa: F401
from .field import programs  # noqa: F401
from .lab import PROGRAMS, Program

# Causes that no recording shows, so no program of the clinic has them: only an experiment (`ww.probe`) sees them. Their
# sick and healthy examples run in tests/rules/test_examples.py.
SEEN_BY_EXPERIMENTS_ONLY = frozenset({"wrong-gradient"})

for file in sorted((Path(__file__).parent / "kinds").glob("*.py")):
    importlib.import_module(f"{__package__}.kinds.{file.stem}")


def chosen(parts: list[str]) -> list[Program]:
    """Returns the programs whose name contains one of the parts, or whose cause, kind or source is one; all if none."""
    return [
        one
        for one in PROGRAMS.values()
        if not parts or any(part in one.name or part in (one.expected, one.kind, one.source) for part in parts)
    ]
