"""Odd requests to real TensorBoard processes with both loaders: valid answers, and a server that goes on."""

from __future__ import annotations

from .. import routes
from ..outcome import Effort, Outcome

TESTED_IN = "tests/tensorboard/test_hostile_requests.py"


def run(effort: Effort) -> list[Outcome]:
    """Sends routes and parameters that no panel would send."""
    counts = routes.run(60, ("python",)) if effort.quick else routes.run(routes.CASES // effort.part)
    return [
        Outcome(f"odd requests, {one.loader} loader", "server", one.tried, one.survived, note="; ".join(one.faults))
        for one in counts
    ]
