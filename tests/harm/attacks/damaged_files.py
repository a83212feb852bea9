"""Files with flipped bits, and records that are cut, repeated or exchanged: only what was recorded is shown."""

from __future__ import annotations

from .. import damaged_files
from ..outcome import Effort, Outcome

TESTED_IN = "tests/tensorboard/test_damage.py"


def run(effort: Effort) -> list[Outcome]:
    """Damages recordings: 100,000 flipped bits, of which 10,000 beneath a valid checksum, and a cut at every byte."""
    amount = {"tried": 80} if effort.quick else {"tried": 40_000, "plain": 90_000, "cuts": 1 << 20}
    amount = {name: number // effort.part for name, number in amount.items()}
    counts = damaged_files.run(seed=effort.seed, folder=effort.scratch, **amount)
    return [Outcome(where="file", **one._asdict()) for one in counts]
