"""What is kept of a launch between requests, as long as its rows and records stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import answers
from ..reader import Launch
from ..verdict import Diagnosis
from .http_responses import gzip_json

BODIES = 24  # answers that are kept for a launch


def revision_of(launch: Launch) -> str:
    """Returns what changes when a launch's rows or dated records do."""
    history = launch.history
    return f"{history.launch}:{len(history)}:{len(history.records)}:{int(history.complete)}"


def memo_of(launch: Launch) -> dict[Any, Any]:
    """Returns what is kept for the launch's present rows and records."""
    revision = revision_of(launch)
    if launch.memo.get("revision") != revision:
        launch.memo.clear()
        launch.memo["revision"] = revision
    return launch.memo


def diagnosis_of(launch: Launch) -> Diagnosis:
    """Returns the diagnosis of a launch as it stands."""
    memo = memo_of(launch)
    if "diagnosis" not in memo:
        memo["diagnosis"] = answers.safe_diagnose(launch.history)
    found: Diagnosis = memo["diagnosis"]
    return found


def kept(memo: dict[Any, Any], key: tuple[Any, ...], answer: Callable[[], Any]) -> bytes:
    """Returns an answer's body, made once; so many are kept in a memo."""
    if key not in memo:
        bodies = [k for k in memo if isinstance(k, tuple)]
        for old in bodies[: max(0, len(bodies) - BODIES)]:
            del memo[old]
        memo[key] = gzip_json(answer())
    body: bytes = memo[key]
    return body
