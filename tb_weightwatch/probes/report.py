"""What `ww.probe` returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..display import counted, repr_of, shortened_list
from ..notebook import experiments_html
from ..verdict import (
    Diagnosis,
    Experiment,
    answering_verdict,
    experiment_answer,
    experiment_lines,
    outcome_lines,
    tested_causes,
)


@dataclass(frozen=True)
class ProbeReport:
    """The results of experiments.

    Attributes:
        experiments: those that were asked for, in the order in which they ran; skipped ones come last.
        diagnosis: the diagnosis with what the experiments say of its verdicts and suspects; None if there is none.
        steps: training steps that all experiments made.
        seconds: how long they took.
    """

    experiments: tuple[Experiment, ...]
    diagnosis: Diagnosis | None
    steps: int
    seconds: float

    @property
    def confirmed(self) -> tuple[str, ...]:
        """Names of the causes that an experiment confirms."""
        return self._causes("confirmed")

    @property
    def refuted(self) -> tuple[str, ...]:
        """Names of the causes that an experiment refutes."""
        return self._causes("refuted")

    def _causes(self, outcome: str) -> tuple[str, ...]:
        causes = tested_causes(self.experiments).values()
        return tuple(cause.name for cause in causes if cause.outcome == outcome)

    def __getitem__(self, name: str) -> Experiment:
        """Returns an experiment by its name.

        Raises:
            KeyError: it was not asked for.
        """
        for experiment in self.experiments:
            if experiment.name == name:
                return experiment
        raise KeyError(f"no experiment {name!r}; there are {', '.join(e.name for e in self.experiments) or 'none'}")

    def as_dict(self) -> dict[str, Any]:
        """Returns JSON-able fields."""
        return {
            "experiments": [experiment.as_dict() for experiment in self.experiments],
            "diagnosis": None if self.diagnosis is None else self.diagnosis.as_dict(),
            "steps": self.steps,
            "seconds": self.seconds,
        }

    def __str__(self) -> str:
        """Returns the diagnosis, what is confirmed, the other outcomes, and what each experiment has shown."""
        known = [] if self.diagnosis is None else [str(self.diagnosis)]
        answer = [] if self._is_told() else [experiment_answer(self.experiments)]
        lines = [*outcome_lines(self.experiments, without="confirmed"), *experiment_lines(self.experiments)]
        return "\n".join([*known, *answer, *(f"  {line}" for line in lines)])

    def __repr__(self) -> str:
        outcomes = {"confirmed": self.confirmed, "refuted": self.refuted}
        facts = [f"{outcome} {shortened_list(names)}" for outcome, names in outcomes.items() if names]
        ran = sum(experiment.end != "skipped" for experiment in self.experiments)
        cost = (counted(ran, "experiment"), counted(self.steps, "step"), f"{self.seconds:.1f} s")
        return repr_of(self, "", *(facts or ["nothing confirmed"]), *cost)

    def _repr_html_(self) -> str:
        """Returns the diagnosis and the experiments for a notebook, with the learning rates that were tried."""
        return experiments_html(self.diagnosis, self.experiments)

    def _is_told(self) -> bool:
        """Whether the diagnosis answers with all that is confirmed."""
        if self.diagnosis is None:
            return False
        found = answering_verdict(self.diagnosis) or next(iter(self.diagnosis.suspects), None)
        return found is not None and found.outcome == "confirmed" and self.confirmed == (found.name,)
