"""Mutated requests to the plugin's routes: no error of the server, and no answer that is not what it says."""

from __future__ import annotations

from ..fuzzing import fuzz
from ..outcome import Effort, Outcome


def run(effort: Effort) -> list[Outcome]:
    """Fuzzes the routes."""
    return fuzz("route", "mutated requests to the routes", "server", effort)
