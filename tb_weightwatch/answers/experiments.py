"""What the experiments of a launch (`ww.probe`) have shown, as the panel and the report show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ..diagnosis import catalogue
from ..verdict import Diagnosis, Experiment, RateCurve, Suspect, TestedCause, Verdict, jsonable, number

_ORDER = {"confirmed": 0, "refuted": 1, "open": 2}  # what is known of a cause comes first


def experiments(results: Iterable[Experiment]) -> list[dict[str, Any]]:
    """Returns the experiments that confirm a cause, then the others as they ran, then those that did not run."""
    ordered = sorted(results, key=lambda result: (result.end == "skipped", result.outcome != "confirmed"))
    return [_experiment(result) for result in ordered]


def with_recommended_rate(diagnosis: Diagnosis) -> Diagnosis:
    """Returns the diagnosis with the learning rate that an experiment recommends in the fix of a cause it confirms."""
    rates = {
        cause.name: result.curve.recommended
        for result in diagnosis.experiments
        for cause in result.causes
        if cause.outcome == "confirmed" and result.curve is not None and result.curve.recommended is not None
    }

    def fix(finding: Verdict | Suspect) -> str:
        if finding.outcome != "confirmed" or finding.name not in rates:
            return finding.fix
        advice = f"Set the learning rate to {number(rates[finding.name])}, which the experiment recommends."
        return f"{advice}\n\nIn general: {finding.fix}"

    verdicts = tuple(replace(verdict, fix=fix(verdict)) for verdict in diagnosis.verdicts)
    return replace(diagnosis, verdicts=verdicts, suspects=tuple(replace(s, fix=fix(s)) for s in diagnosis.suspects))


def _experiment(result: Experiment) -> dict[str, Any]:
    return {
        "name": result.name,
        "title": result.name.replace("-", " ").capitalize(),
        "outcome": result.outcome,
        "end": result.end,
        "message": result.message,
        "step": result.step,
        "steps": result.steps,
        "seconds": jsonable(result.seconds),
        "causes": [_cause(cause) for cause in sorted(result.causes, key=lambda cause: _ORDER[cause.outcome])],
        "curve": None if result.curve is None else _curve(result.curve),
    }


def _cause(cause: TestedCause) -> dict[str, Any]:
    rule = catalogue().get(cause.name)  # another version may know other rules
    return {**cause.as_dict(), "code": rule.code if rule else 0}


def _curve(curve: RateCurve) -> dict[str, Any]:
    payload = curve.as_dict()
    numbers = {name: jsonable(payload[name]) for name in ("present", "recommended", "low", "high")}
    return {**payload, **numbers, "rates": [jsonable(rate) for rate in payload["rates"]]}
