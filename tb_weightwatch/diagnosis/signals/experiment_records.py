"""What experiments (`ww.probe`) have shown of a run, from its records."""

from __future__ import annotations

from typing import NamedTuple, get_args

from ...history import History, Record
from ...verdict import Experiment, Outcome, TestedCause
from .memo import from_records


class CauseTest(NamedTuple):
    """One test of a cause by an experiment.

    Attributes:
        step: completed training steps when it ran.
        cause: what it has shown.
    """

    step: int
    cause: TestedCause


@from_records
def all_experiments(history: History) -> tuple[Experiment, ...]:
    """Returns all experiments in the order in which they were recorded; records that cannot be read are left out."""
    read = (_experiment(record) for record in history.of_kind("experiment"))
    return tuple(experiment for experiment in read if experiment is not None)


@from_records
def tests_of_cause(history: History, name: str) -> tuple[CauseTest, ...]:
    """Returns the tests of the cause of that name, in their order."""
    return tuple(
        CauseTest(record.step, cause)
        for record in history.of_kind("experiment")
        for cause in getattr(_experiment(record), "causes", ())
        if cause.name == name
    )


def _experiment(record: Record) -> Experiment | None:
    """Returns the experiment of a record; None if it is of another version, or damaged: files may hold anything."""
    try:
        experiment = Experiment.from_dict(dict(record.data))
    except (TypeError, KeyError, ValueError, AttributeError):
        return None
    causes, curve = experiment.causes, experiment.curve
    texts = [
        experiment.name,
        experiment.message,
        experiment.end,
        *(text for c in causes for text in (c.name, c.message)),
    ]
    numbers = [experiment.step, experiment.steps, experiment.seconds]
    if curve is not None:
        known = (curve.present, curve.recommended, curve.low, curve.high)
        numbers += [*curve.rates, *(rate for rate in known if rate is not None)]
    outcomes = get_args(Outcome)
    valid = all(isinstance(text, str) for text in texts) and all(map(_is_plain_number, numbers))
    return experiment if valid and all(cause.outcome in outcomes for cause in causes) else None


def _is_plain_number(value: object) -> bool:
    return isinstance(value, (int, float)) and -1e15 < value < 1e15  # NaN is not
