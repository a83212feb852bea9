"""A launch as a coding agent reads it: state, answer and findings; text from disk is made printable."""

from __future__ import annotations

import time
from typing import Any

from ... import answers
from ...display import printable
from ...reader import Launch
from ...verdict import MOST_SUSPECTS, Diagnosis, Verdict, experiment_lines, outcome_lines, suspect_facts
from ..review_result import answer_line
from .column_values import MOST_NAMES


def launch_entry(launch: Launch, diagnosis: Diagnosis) -> dict[str, Any]:
    """Returns state and answer of a launch."""
    state = answers.state(launch, time.time())
    return {
        "launch": launch.history.launch,
        "state": state.name,
        "state_text": printable(state.text),
        "last_step": state.last_step,
        "status": diagnosis.status,
        "answer": printable(answer_line(diagnosis)),
    }


def findings(diagnosis: Diagnosis) -> dict[str, Any]:
    """Returns what was found, with evidence and fixes, and what could not be told."""
    suspects = [
        {"code": s.code, "name": s.name, "probability": s.probability, "message": s.message, **suspect_facts(s)}
        for s in diagnosis.suspects[:MOST_SUSPECTS]
    ]
    answer: dict[str, Any] = _printable(
        {
            "sentence": diagnosis.sentence,
            "verdicts": [_verdict(verdict) for verdict in diagnosis.verdicts],
            "symptoms": [{"name": s.name, "severity": s.severity, "message": s.message} for s in diagnosis.symptoms],
            "suspects": suspects,
            "resolved": [f"{v.code} {v.name}, {v.life}" for v in diagnosis.resolved],
            "could_not_tell": [{"code": u.code, "rule": u.rule, "lacked": u.lacked} for u in diagnosis.unknown],
            "experiments": [*outcome_lines(diagnosis.experiments), *experiment_lines(diagnosis.experiments)],
            "checks_passed": len(diagnosis.passed),
        }
    )
    return answer


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "code": verdict.code,
        "name": verdict.name,
        "link": verdict.link,
        "severity": verdict.severity,
        "certainty": verdict.certainty,
        "life": verdict.life,
        "message": verdict.message,
        "evidence": list(map(answers.evidence_text, verdict.evidence)),
        "fix": verdict.fix,
        "variables": list(verdict.variables[:MOST_NAMES]),
        "explains": [f"{v.code} {v.name}" for v in verdict.explains],
    }


def _printable(value: Any) -> Any:
    """Returns JSON with control and direction characters made visible in each text."""
    if isinstance(value, dict):
        return {key: _printable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_printable(item) for item in value]
    return printable(value) if isinstance(value, str) else value
