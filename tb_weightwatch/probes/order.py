"""Which experiments run, and in which order: those first that separate the suspects best for what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from ..verdict import Diagnosis
from .experiment import ExperimentKind

_STEPS_OF_A_TRACE = 30  # a trace takes about as long as so many steps of a small model
_LIKELY, _CERTAIN = 0.7, 0.95  # probability of a verdict


def suspected(diagnosis: Diagnosis | None) -> dict[str, float] | None:
    """Returns name of a cause -> its probability, for verdicts and suspects; None without a diagnosis."""
    if diagnosis is None:
        return None
    suspects = {suspect.name: suspect.probability for suspect in diagnosis.suspects}
    verdicts = [verdict for verdict in diagnosis.verdicts if verdict.severity != "info"]
    return {**suspects, **{v.name: _CERTAIN if v.certainty == "certain" else _LIKELY for v in verdicts}}


def ordered(kinds: Sequence[ExperimentKind], suspects: Mapping[str, float] | None, steps: int) -> list[ExperimentKind]:
    """Returns the experiments worth running, the most telling for its cost first.

    What an experiment may tell is measured by the variance p (1 - p) of each suspect that it tests. First come those
    that together tell most within the budget: else many cheap ones of small worth would use up what the suspect that
    matters needs. Without any suspect all are worth running, the cheapest first.

    Args:
        kinds: the experiments to choose from.
        suspects: name of a cause -> its probability; None if there is no diagnosis.
        steps: training steps that all may make together.
    """
    if not suspects:
        return sorted(kinds, key=_cost)
    worth = {
        kind.name: sum(suspects[name] * (1 - suspects[name]) for name in kind.tests if name in suspects)
        for kind in kinds
    }
    useful = sorted((k for k in kinds if worth[k.name] > 0), key=lambda kind: -worth[kind.name] / _cost(kind))
    sets = (subset for size in range(len(useful) + 1) for subset in combinations(useful, size))
    affordable = (subset for subset in sets if sum(kind.steps for kind in subset) <= steps)
    first = max(affordable, key=lambda subset: sum(worth[kind.name] for kind in subset))
    return [*first, *(kind for kind in useful if kind not in first)]


def _cost(kind: ExperimentKind) -> int:
    return kind.steps + _STEPS_OF_A_TRACE * kind.traces
