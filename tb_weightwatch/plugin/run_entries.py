"""The entries of the run list. That of a launch which is over is made once for each revision of its run."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

from .. import answers
from ..reader import CachedRun, Launch
from ..verdict import Diagnosis


class RunEntry(NamedTuple):
    """An entry.

    Attributes:
        fields: what the list says of the launch (`answers.launch_entry`).
        digest: changes when they do.
    """

    fields: dict[str, Any]
    digest: str


class _Kept(NamedTuple):
    revision: str  # of the run before the entry was made
    diagnosis: Diagnosis
    entry: RunEntry


def run_entry(run: CachedRun, launch: Launch, diagnosis: Diagnosis, now: float) -> RunEntry:
    """Returns the entry of a launch; only that of a training that goes on changes as time passes."""
    key, revision = f"entry {launch.history.launch}", run.revision
    kept: _Kept | None = run.memo.get(key)
    if kept is not None and kept.revision == revision and kept.diagnosis is diagnosis:
        return kept.entry
    fields = answers.launch_entry(launch, diagnosis, now)
    entry = RunEntry(fields, hashlib.sha256(json.dumps(fields).encode()).hexdigest())
    if fields["state"] != "training":
        run.memo[key] = _Kept(revision, diagnosis, entry)
    return entry
