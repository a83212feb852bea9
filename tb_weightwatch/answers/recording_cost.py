"""How much slower recording has made a training: in all, once, and per step; and what that means per hour.

What is recorded is the share of the training time that recording took. What is shown is the slowdown, since that is
what a user sees who trains once with and once without the recorder: a share of 50 % makes a training 100 % slower.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..history import History
from ..verdict import number
from .facts_table import as_float

_LEAST = 0.001  # slowdown that is shown as a number
_TRACED_ONCE = "the first step was traced once, not twice"
_MINUTE, _HOUR = 60.0, 3600.0  # seconds; the budget holds from the first minute on


def slowdown(data: Mapping[str, Any]) -> float | None:
    """Returns the time that recording added, over the time that the training took without it; None: not known.

    It is negative if recording has saved more time than it added.

    Args:
        data: a "cost" record. "overhead" is the share of the time of a training that its recording took (0 to 1).
    """
    share, seconds, saved = (as_float(data.get(name)) for name in ("overhead", "seconds", "saved"))
    if share is None or not 0 <= share < 1:
        return None
    added = share - (saved / seconds if saved and seconds else 0.0)
    return added / (1 - added)


def cost(history: History) -> str:
    """Returns how much slower recording has made the training, in a few sentences; "" if nothing was measured."""
    measured = history.of_kind("cost")
    data = measured[-1].data if measured else {}
    share, seconds, once, saved = (as_float(data.get(name)) for name in ("overhead", "seconds", "once", "saved"))
    once, saved = once or 0.0, saved or 0.0
    if share is None:
        return _unknown(history, seconds, once, saved) if data.get("overhead", "") is None else ""
    # What rows cost is a difference of two measured durations; where it is below their noise, it counts as nothing.
    total = max(share, once / seconds) if seconds else share
    slower = slowdown({**data, "overhead": total})
    if slower is None:
        return ""
    text = f"Recording has made training {_percent(slower)} slower"
    if saved:  # which is an estimate
        text = f"Recording has made training about {_percent(slower)} slower"
        text = text if slower >= _LEAST else "By estimate, recording has not made training slower"
    if not seconds:
        return f"{text}."
    rows = max(0.0, total * seconds - once)
    parts = [f"{_seconds(once)} once, to start and to end"] if once else []
    if len(history) and rows:
        parts.append(f"{_seconds(rows / len(history))} in each of {len(history):,} recorded steps")
    elif once:
        parts.append("no measurable time in a recorded step")
    added = f": it added {_seconds(total * seconds)} to {_seconds((1 - total) * seconds)}" if total else ""
    if total and saved:
        added = f": of {_seconds(seconds)} it added {_seconds(total * seconds)}"
    split = f" ({', and '.join(parts)})" if parts else ""
    less = f"{', and' if added else ': it'} saved about {_seconds(saved)} ({_TRACED_ONCE})" if saved else ""
    return f"{text}{added}{split}{less}.{_per_hour(history, rows, seconds)}"


def _unknown(history: History, seconds: float | None, once: float, saved: float) -> str:
    """Returns why it is not known: too few steps were left unrecorded to compare with."""
    rows, ends = len(history), history.of_kind("end")
    steps = max([int(history.steps[-1]) if rows else 0, *(end.step for end in ends)])
    recorded = f"{rows:,} of {steps:,} steps were recorded" if rows < steps else f"all steps were recorded ({rows:,})"
    text = f"How much slower recording has made training is not known: {recorded}, too few others to compare them with."
    if once and seconds:
        text += f" {_seconds(once)} of {_seconds(seconds)} went once, to start and to end."
    return f"{text} Recording saved about {_seconds(saved)} ({_TRACED_ONCE})." if saved else text


def _per_hour(history: History, rows: float, seconds: float) -> str:
    """Returns what recording costs from now on, per hour of training.

    A training of less than a minute records densely, so its own rate is not that of the hour after it; the budget is.
    """
    budget = as_float(history.config.get("overhead"))
    if seconds >= _MINUTE:
        return f" Without what it adds once, recording costs {_seconds(rows / seconds * _HOUR)} per hour."
    if budget is None or not 0 < budget <= 1:
        return ""
    limit = f"{number(100 * budget, 2)} % of the training time, {_seconds(budget * _HOUR)} per hour"
    return f" The longer a training lasts, the nearer recording keeps to its budget: {limit}."


def _percent(value: float) -> str:
    """Returns a share in percent: 1.3 %, 85 %, less than 0.1 %."""
    return "less than 0.1 %" if value < _LEAST else f"{number(100 * value, 2)} %"


def _seconds(value: float) -> str:
    """Returns a duration: 12 ms, 1.7 s, 3,600 s."""
    if 0 < value < 0.1:
        return f"{number(1000 * value, 2)} ms"
    return f"{number(value, 2 if value < 100 else 4)} s"
