"""Files with flipped bits, and records that are cut, repeated or exchanged: only what was recorded is shown."""

from __future__ import annotations

from .. import damaged_files
from ..outcome import Effort, Outcome


def run(effort: Effort) -> list[Outcome]:
    """Damages a recording; a quarter of the files have a flipped bit beneath a valid checksum."""
    tried = 160 if effort.quick else 40_000
    counts = damaged_files.run(tried=tried, seed=effort.seed, folder=effort.scratch)
    return [Outcome(where="file", **one._asdict()) for one in counts]
