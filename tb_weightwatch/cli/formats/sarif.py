"""A review as SARIF 2.1.0, which GitHub's code scanning and other viewers show: one result for each open finding."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ... import answers
from ..._version import __version__
from ...display import printable
from ...verdict import MOST_SUSPECTS, Diagnosis, Symptom, Verdict, suspect_title
from ..review_result import LaunchResult, Review
from .sarif_rules import rule_id, sarif_rules

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def sarif(review: Review) -> str:
    """Returns the SARIF log. Undecided launches and what could not be read are notifications of the tool."""
    findings = [(launch, finding) for launch in review.launches for finding in _findings(launch.diagnosis)]
    rules = sarif_rules([finding for _, finding in findings if isinstance(finding, Symptom)])
    position = {rule["id"]: index for index, rule in enumerate(rules)}
    driver = {"name": "weightwatch", "fullName": "tb_weightwatch", "version": __version__, "rules": rules}
    invocation = {"executionSuccessful": review.readable, "toolExecutionNotifications": list(_notifications(review))}
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "weightwatch/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": [_result(launch, finding, position, review.program) for launch, finding in findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, allow_nan=False) + "\n"


def _findings(diagnosis: Diagnosis) -> list[Verdict | Symptom]:
    """Returns the open verdicts, and the symptoms where no verdict that makes the run sick explains them."""
    serious = any(verdict.severity != "info" for verdict in diagnosis.verdicts)
    return [*diagnosis.verdicts, *(() if serious else diagnosis.symptoms)]


def _result(launch: LaunchResult, finding: Verdict | Symptom, position: dict[str, int], program: str) -> dict[str, Any]:
    identifier = rule_id(finding)
    fingerprint = hashlib.sha256(f"{launch.job.run}\0{identifier}".encode()).hexdigest()[:32]
    properties: dict[str, Any] = {"launch": launch.launch, "first_step": finding.first_step, "link": finding.link}
    if isinstance(finding, Verdict):
        properties |= {"certainty": finding.certainty, "evidence": list(map(answers.evidence_text, finding.evidence))}
    return {
        "ruleId": identifier,
        "ruleIndex": position[identifier],
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(launch, finding)},
        "locations": [_location(launch, finding.variables, program)],
        "partialFingerprints": {"runAndRule/v1": fingerprint, "primaryLocationLineHash": f"{fingerprint}:1"},
        "properties": properties,
    }


def _message(launch: LaunchResult, finding: Verdict | Symptom) -> str:
    """Returns what was found in which run, with its fix or the suspects."""
    sentences = [f"Run {launch.job.run}: {finding.message}."]
    if isinstance(finding, Verdict):
        if finding.fix:
            sentences.append(f"Fix: {finding.fix}")
    elif launch.diagnosis.suspects:
        sentences.append(f"Suspects: {', '.join(map(suspect_title, launch.diagnosis.suspects[:MOST_SUSPECTS]))}.")
    return printable("\n".join(sentences))


def _location(launch: LaunchResult, variables: Sequence[str], program: str) -> dict[str, Any]:
    """Returns the program that trained, if it is named, else the run's directory; with the variables concerned."""
    names = [{"fullyQualifiedName": printable(name), "kind": "variable"} for name in variables[:10] if name]
    physical = {"artifactLocation": {"uri": uri(program or launch.job.path)}, "region": {"startLine": 1}}
    return {"physicalLocation": physical, **({"logicalLocations": names} if names else {})}


def uri(path: str) -> str:
    """Returns the URI of a path: relative to the working directory where it is below it, as code scanning needs."""
    if "://" in path:
        return quote(path, safe=":/")
    absolute, here = os.path.abspath(path), os.getcwd()
    if os.path.commonpath([absolute, here]) == here:
        return quote(Path(os.path.relpath(absolute, here)).as_posix())
    return Path(absolute).as_uri()


def _notifications(review: Review) -> Iterator[dict[str, Any]]:
    for launch in review.launches:
        if launch.diagnosis.status == "undecided":
            text = f"Run {launch.job.run}: {launch.diagnosis.sentence}"
            yield {"level": "note", "message": {"text": printable(text)}}
    for result in review.results:
        if result.skipped:
            text = f"Run {result.job.run}: not all could be read: {result.skipped}"
            yield {"level": "warning" if result.launches else "error", "message": {"text": printable(text)}}
