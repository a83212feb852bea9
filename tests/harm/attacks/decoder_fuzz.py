"""Mutated records, rows, maps, states, tags, events and event files: only `DecodeError`, and no long wait, may come."""

from __future__ import annotations

from ..fuzzing import fuzz
from ..outcome import Effort, Outcome


def run(effort: Effort) -> list[Outcome]:
    """Fuzzes the decoder."""
    return fuzz("decoder", "mutated input of the decoder", "file", effort)
