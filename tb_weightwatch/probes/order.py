"""Which experiments run, and in which order: those first that separate the suspects best for what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..verdict import Diagnosis
from .experiment import ExperimentKind

_STEPS_OF_A_TRACE = 30  # a trace takes about as long as so many steps of a small model
_LIKELY = 0.7  # probability of a verdict that is only likely


def suspected(diagnosis: Diagnosis | None) -> dict[str, float] | None:
    """Returns name of a cause -> its probability, for likely verdicts and suspects; None without a diagnosis."""
    if diagnosis is None:
        return None
    suspects = {suspect.name: suspect.probability for suspect in diagnosis.suspects}
    likely = [v for v in diagnosis.verdicts if v.certainty != "certain" and v.severity != "info"]
    return {**suspects, **{verdict.name: _LIKELY for verdict in likely}}


def ordered(kinds: Sequence[ExperimentKind], suspects: Mapping[str, float] | None) -> list[ExperimentKind]:
    """Returns the experiments worth running, the most telling for its cost first.

    What an experiment may tell is measured by the variance p (1 - p) of each suspect that it tests; without any
    suspect all are worth running, the cheapest first.
    """
    if not suspects:
        return sorted(kinds, key=_cost)

    def worth(kind: ExperimentKind) -> float:
        return sum(suspects[name] * (1 - suspects[name]) for name in kind.tests if name in suspects)

    chosen = [kind for kind in kinds if worth(kind) > 0]
    return sorted(chosen, key=lambda kind: -worth(kind) / _cost(kind))


def _cost(kind: ExperimentKind) -> int:
    return kind.steps + _STEPS_OF_A_TRACE * kind.traces
