"""Headers with wrong types, infinities and foreign names: everything that shows a run shows it, and other runs."""

from __future__ import annotations

import contextlib
import io

from .. import hostile_records
from ..outcome import Effort, Outcome

TESTED_IN = "tests/tensorboard/test_damage.py"


def run(effort: Effort) -> list[Outcome]:
    """Shows runs with hostile headers."""
    with contextlib.redirect_stdout(io.StringIO()):  # reports and reviews of the runs
        counts = hostile_records.run(tried=60 if effort.quick else 5_000 // effort.part, seed=effort.seed)
    return [Outcome(where="file", **one._asdict()) for one in counts]
