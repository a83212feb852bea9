"""What a diagnosis holds in JSON, as `verdict` writes it: verdicts, symptoms, suspects, experiments.

A part that does not fit makes the whole invalid. Fields of later versions are passed on, and refused by the types.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from ..verdict import LINKS, SEVERITIES, Certainty, Outcome, Status, TestOutcome
from .field_types import MAX_LABEL, MAX_TEXT, Choice, FieldType, Flag, Invalid, Number, Optional, Problems, Text, Whole
from .list_types import Many, Texts
from .object_types import Fields

_NESTED = 16  # verdicts that explain each other; a chain has seven links
_LABEL, _TEXT, _FLAG, _COUNT = Text(MAX_LABEL), Text(), Flag(), Whole()
_NAMES, _ANY_NUMBER = Texts(MAX_LABEL), Number(nonfinite=True)
_LINK, _SEVERITY = Choice(LINKS), Choice(SEVERITIES)
_TESTED: dict[str, FieldType] = {"outcome": Choice(get_args(TestOutcome)), "experiment": _TEXT}

_EVIDENCE = Fields(
    {"name": _LABEL, "value": _ANY_NUMBER, "text": _TEXT},
    {"unit": _LABEL, "step": Optional(_COUNT), "quantity": _LABEL},
)
_CLAIM = Fields(
    {"kind": _LABEL, "quantity": _LABEL, "value": _ANY_NUMBER, "variables": _NAMES},
    {"first_step": _COUNT, "last_step": _COUNT, "recorded_only": _FLAG},
)


def _verdict(depth: int) -> Fields:
    """Returns the type of a verdict that explains others, which explain others, `depth` deep."""
    return Fields(
        {
            "code": _COUNT,
            "name": _LABEL,
            "link": _LINK,
            "severity": _SEVERITY,
            "certainty": Choice(get_args(Certainty)),
            "variables": _NAMES,
            "first_step": _COUNT,
            "last_step": _COUNT,
            "resolved": _FLAG,
            "message": _TEXT,
            "evidence": Many(_EVIDENCE),
            "fix": _TEXT,
            "explains": Many(_verdict(depth - 1), 1000) if depth else Many(Fields(), 0),
        },
        {"claims": Many(_CLAIM), **_TESTED},
    )


VERDICT = _verdict(_NESTED)
_SYMPTOM = Fields(
    {
        "name": _LABEL,
        "link": _LINK,
        "severity": _SEVERITY,
        "message": _TEXT,
        "variables": _NAMES,
        "first_step": _COUNT,
        "last_step": _COUNT,
    }
)
_SUSPECT = Fields(
    {
        "code": _COUNT,
        "name": _LABEL,
        "link": _LINK,
        "probability": Number(0, 1),
        "message": _TEXT,
        "supports": Texts(MAX_TEXT),
        "contradicts": Texts(MAX_TEXT),
        "settle": _TEXT,
        "fix": _TEXT,
    },
    _TESTED,
)
_UNKNOWN = Fields({"rule": _LABEL, "code": _COUNT, "lacked": _TEXT})
_CAUSE = Fields({"name": _LABEL, "outcome": Choice(get_args(Outcome)), "message": _TEXT})
_RATE = Number(-1e15, 1e15)
_CURVE = Fields(
    {"rates": Many(_RATE, 10_000), "falls": Many(_ANY_NUMBER, 10_000)},
    {"steps": _COUNT, **{name: Optional(_RATE) for name in ("present", "recommended", "low", "high")}},
    check=lambda curve: "" if len(curve["rates"]) == len(curve["falls"]) else "as many rates as falls",
)
EXPERIMENT = Fields(
    {"name": _LABEL, "message": _TEXT, "causes": Many(_CAUSE, 1000)},
    {
        "end": Choice(("completed", "failed", "interrupted", "skipped")),
        "step": _COUNT,
        "steps": _COUNT,
        "seconds": Number(0, 1e12),
        "curve": Optional(_CURVE),
        "outcome": Choice(get_args(Outcome)),
    },
)
_FINDINGS: Mapping[str, FieldType] = {
    "status": Choice(get_args(Status)),
    "sentence": _TEXT,
    "verdicts": Many(VERDICT, 1000),
    "resolved": Many(VERDICT, 1000),
    "passed": Texts(MAX_LABEL, 10_000),
    "unknown": Many(_UNKNOWN, 10_000),
}
_DIAGNOSIS = Fields(
    _FINDINGS,
    {
        "symptoms": Many(_SYMPTOM, 1000),
        "suspects": Many(_SUSPECT, 1000),
        "step": _COUNT,
        "rows": _COUNT,
        "complete": _FLAG,
        "rules": _LABEL,
        "experiments": Many(EXPERIMENT, 10_000),
    },
)


def checked_diagnosis(data: Any) -> dict[str, Any]:
    """Returns the fields of a diagnosis, all of which fit their types.

    Raises:
        Invalid: one does not.
    """
    problems = Problems()
    diagnosis: dict[str, Any] = _DIAGNOSIS.read(data, problems)
    for problem in problems:
        raise Invalid(problem)
    return diagnosis
