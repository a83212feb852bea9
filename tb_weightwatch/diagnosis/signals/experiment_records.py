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
    texts = [experiment.name, experiment.message, experiment.end]
    texts += [text for cause in experiment.causes for text in (cause.name, cause.message)]
    numbers = [experiment.step, experiment.steps, experiment.seconds]
    known = all(cause.outcome in get_args(Outcome) for cause in experiment.causes)
    valid = known and all(isinstance(x, str) for x in texts) and all(isinstance(x, (int, float)) for x in numbers)
    return experiment if valid else None
