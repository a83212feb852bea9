"""Experiments as plain text: what one says of a verdict or suspect, and all of them with what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .experiment import Experiment, TestedCause, tested_causes
from .levels import TestOutcome

_HEADS = {"confirmed": "confirmed", "refuted": "refuted", "open": "left open"}


def experiment_fact(outcome: TestOutcome, shown: str) -> dict[str, str]:
    """Returns what an experiment says of a cause, under the label "experiment, confirmed"; {} if none tested it."""
    return {f"experiment, {outcome}": shown} if outcome and shown else {}


def experiment_answer(experiments: Sequence[Experiment]) -> str:
    """Returns in one sentence which causes the experiments confirm, or why they say nothing."""
    if not any(experiment.end != "skipped" for experiment in experiments):
        return f"No experiment has run{_only_reason(experiments)}."
    confirmed = _with_outcome(tested_causes(experiments).values(), "confirmed")
    return f"Confirmed by an experiment: {', '.join(confirmed)}." if confirmed else "No experiment confirms a cause."


def outcome_lines(experiments: Sequence[Experiment], *, without: str = "") -> list[str]:
    """Returns a line for each outcome that a cause has; `without` leaves that outcome out."""
    causes = tested_causes(experiments).values()
    named = {outcome: _with_outcome(causes, outcome) for outcome in _HEADS if outcome != without}
    return [f"{_HEADS[outcome]}: {', '.join(names)}" for outcome, names in named.items() if names]


def experiment_lines(experiments: Sequence[Experiment]) -> list[str]:
    """Returns what each experiment has shown, with its cost, and in the last line those that did not run, by reason."""
    lines = [_line(experiment) for experiment in experiments if experiment.end != "skipped"]
    skipped: dict[str, list[str]] = {}
    for experiment in (e for e in experiments if e.end == "skipped"):
        skipped.setdefault(experiment.message, []).append(experiment.name)
    not_run = "; ".join(f"{', '.join(names)} ({reason})" for reason, names in skipped.items())
    return [*lines, *([f"not run: {not_run}"] if not_run else [])]


def _line(experiment: Experiment) -> str:
    """Returns "learning-rate-sweep (confirmed, 108 steps, 0.9 s): with a learning rate of ..."."""
    end = experiment.outcome if experiment.end == "completed" else experiment.end
    steps = f"{experiment.steps:,} step{'' if experiment.steps == 1 else 's'}"
    return f"{experiment.name} ({end}, {steps}, {experiment.seconds:.1f} s): {experiment.message}"


def _with_outcome(causes: Iterable[TestedCause], outcome: str) -> list[str]:
    return [cause.name for cause in causes if cause.outcome == outcome]


def _only_reason(experiments: Sequence[Experiment]) -> str:
    reasons = {experiment.message for experiment in experiments}
    return f": {reasons.pop()}" if len(reasons) == 1 else ""
