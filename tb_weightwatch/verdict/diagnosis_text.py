"""A diagnosis as plain text: the answer, its fix, what an experiment says of it, and a line for each other finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..display import counted, repr_of
from .experiment_text import experiment_fact

if TYPE_CHECKING:
    from .symptom import Suspect
    from .verdict import Diagnosis, Verdict


def diagnosis_lines(diagnosis: Diagnosis) -> list[str]:
    """Returns the lines that `print(diagnosis)` shows."""
    is_sick = diagnosis.status == "sick"
    first = diagnosis.verdicts[0] if diagnosis.verdicts and is_sick else None
    lines = [diagnosis.sentence]
    if first is not None:
        lines += [f"  fix: {first.fix}", *_experiment(diagnosis, first, "  ")]
    elif is_sick:
        for suspect in diagnosis.suspects[:1]:
            fix = [f"  fix: {suspect.fix}"] if suspect.outcome == "confirmed" else []
            lines += [*fix, *_experiment(diagnosis, suspect, "  ")]
    for verdict in (verdict for verdict in diagnosis.verdicts if verdict is not first):
        lines.append(f"  also: {verdict.code} {verdict.name}: {verdict.message}")
        lines += _experiment(diagnosis, verdict, "    ")
    return lines


def diagnosis_repr(diagnosis: Diagnosis) -> str:
    """Returns "<Diagnosis sick: 502 learning-rate-too-small, 32 checks passed, 0 could not tell, 272 rows ...>"."""
    serious = [v for v in diagnosis.verdicts if v.severity != "info"] if diagnosis.status == "sick" else []
    answer = [f"{verdict.code} {verdict.name}" for verdict in serious] or [s.name for s in diagnosis.symptoms]
    more = f" and {len(answer) - 1} more" if len(answer) > 1 else ""
    return repr_of(
        diagnosis,
        diagnosis.status,
        *(text + more for text in answer[:1]),
        counted(len(diagnosis.suspects), "suspect") if diagnosis.suspects else "",
        f"{counted(len(diagnosis.passed), 'check')} passed",
        f"{len(diagnosis.unknown)} could not tell",
        f"{counted(diagnosis.rows, 'row')} up to step {diagnosis.step:,}" if diagnosis.rows else "no recorded rows",
    )


def _experiment(diagnosis: Diagnosis, finding: Verdict | Suspect, indent: str) -> list[str]:
    """Returns the line about what an experiment says of a finding, unless a sentence that is shown says it."""
    told = f"{diagnosis.sentence} {finding.message}"
    facts = experiment_fact(finding.outcome, finding.experiment)
    return [f"{indent}{label}: {text}" for label, text in facts.items() if text not in told]
