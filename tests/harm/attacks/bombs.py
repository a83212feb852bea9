"""Small files that would take gigabytes: read with 2 GB of address space, and within 100 MB of an honest run."""

from __future__ import annotations

from .. import bomb_files, bombs
from ..outcome import Effort, Outcome

TESTED_IN = "tests/tensorboard/test_damage.py"


def run(effort: Effort) -> list[Outcome]:
    """Reads bombs of each kind; the bounded part, of one kind."""
    chosen = (bomb_files.nested_lists,) if effort.quick else bomb_files.BOMBS
    return [Outcome(where="file", **one._asdict()) for one in bombs.run(bombs=chosen)]
