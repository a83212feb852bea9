"""What the experiments of a launch (`ww.probe`) have shown, as the panel and the report show it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..diagnosis import catalogue
from ..verdict import Experiment, RateCurve, TestedCause, jsonable

_ORDER = {"confirmed": 0, "refuted": 1, "open": 2}  # what is known of a cause comes first


def experiments(results: Iterable[Experiment]) -> list[dict[str, Any]]:
    """Returns the experiments that confirm a cause, then the others as they ran, then those that did not run."""
    ordered = sorted(results, key=lambda result: (result.end == "skipped", result.outcome != "confirmed"))
    return [_experiment(result) for result in ordered]


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
