"""What recording has cost a training: in all, once, and per step; and what that means per hour."""

from __future__ import annotations

from ..history import History
from ..verdict import number
from .facts_table import as_float

_MINUTE, _HOUR = 60.0, 3600.0  # seconds; the budget holds from the first minute on


def cost(history: History) -> str:
    """Returns the cost of recording in one or two sentences; "" if it was not measured."""
    measured = history.of_kind("cost")
    data = measured[-1].data if measured else {}
    share, seconds, once = (as_float(data.get(name)) for name in ("overhead", "seconds", "once"))
    once = once or 0.0
    if share is None:
        return _unknown(seconds, once) if data.get("overhead", "") is None else ""
    if seconds is None or seconds <= 0:
        return f"Recording took {number(100 * share, 2)} % of the training time."
    # What rows cost is a difference of two measured durations; where it is below their noise, it counts as nothing.
    total = max(share * seconds, once)
    rows = total - once
    percent = number(100 * total / seconds, 2)
    text = f"Recording took {_seconds(total)} of {_seconds(seconds)} of training ({percent} %)"
    parts = [f"{_seconds(once)} once, to start"] if once else []
    if len(history) and rows:
        parts.append(f"{_seconds(rows / len(history))} for each of {len(history):,} recorded steps")
    elif once:
        parts.append("no measurable time for each recorded step")
    return f"{text}{': ' if parts else ''}{', and '.join(parts)}.{_per_hour(history, rows, seconds)}"


def _unknown(seconds: float | None, once: float) -> str:
    """Returns the cost of a training in which too few steps were left unrecorded to compare with."""
    text = "The cost of recording is not known because nearly every step was recorded"
    return (
        f"{text}; {_seconds(once)} of {_seconds(seconds)} were spent once, to start."
        if once and seconds
        else f"{text}."
    )


def _per_hour(history: History, rows: float, seconds: float) -> str:
    """Returns what recording costs from now on, per hour of training.

    A training of less than a minute records densely, so its own rate is not that of the hour after it; the budget is.
    """
    budget = as_float(history.config.get("overhead"))
    if seconds >= _MINUTE:
        return f" Without the start this is {_seconds(rows / seconds * _HOUR)} per hour."
    if budget is None or not 0 < budget <= 1:
        return ""
    limit = f"{number(100 * budget, 2)} %, {_seconds(budget * _HOUR)} per hour"
    since = "In trainings of more than a minute" if history.of_kind("end") else "After the first minute"
    return f" {since} it is limited to {limit}."


def _seconds(value: float) -> str:
    """Returns a duration: 12 ms, 1.7 s, 3,600 s."""
    if 0 < value < 0.1:
        return f"{number(1000 * value, 2)} ms"
    return f"{number(value, 2 if value < 100 else 4)} s"
