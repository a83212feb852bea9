"""Answers about a launch that are cached between requests, as long as its rows and records stay the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import answers
from ..reader import Launch
from ..verdict import Diagnosis
from .http_responses import json_answer
from .shared_answers import Answer

MOST_ANSWERS = 24  # of one launch


def revision_of(launch: Launch) -> str:
    """Returns the revision of a launch's data: it changes when its rows or dated records do."""
    history = launch.history
    return f"{history.launch}:{len(history)}:{len(history.records)}:{int(history.complete)}"


def memo_of(launch: Launch) -> dict[Any, Any]:
    """Returns the cache of a launch, emptied first if the launch's data changed."""
    revision = revision_of(launch)
    if launch.memo.get("revision") != revision:
        launch.memo.clear()
        launch.memo["revision"] = revision
    return launch.memo


def diagnosis_of(launch: Launch) -> Diagnosis:
    """Returns the diagnosis of a launch's present data."""
    memo = memo_of(launch)
    if "diagnosis" not in memo:
        memo["diagnosis"] = answers.safe_diagnose(launch.history)
    diagnosis: Diagnosis = memo["diagnosis"]
    return diagnosis


def cached_answer(memo: dict[Any, Any], key: tuple[Any, ...], payload: Callable[[], Any]) -> Answer:
    """Returns an answer, computed once; a memo holds at most `MOST_ANSWERS`, the oldest go first."""
    if key not in memo:
        kept = [k for k in memo if isinstance(k, tuple)]
        for oldest in kept[: max(0, len(kept) - MOST_ANSWERS)]:
            del memo[oldest]
        memo[key] = json_answer(payload())
    answer: Answer = memo[key]
    return answer
