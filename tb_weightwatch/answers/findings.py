"""Verdicts, symptoms, suspects and checks as the panel shows them: with their headlines and short names."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..diagnosis import catalogue
from ..history import History
from ..verdict import (
    Diagnosis,
    Headline,
    Suspect,
    Symptom,
    Verdict,
    diagnosis_headline,
    in_words,
    probability_text,
    short_paths,
    suspect_headline,
    verdict_headline,
)
from .launch_state import evidence_text


class Shown(NamedTuple):
    """What the panel shows of a launch beside its findings.

    Attributes:
        quantities: names of the quantities of the heat map.
        paths: full name -> the name that tells it apart, of all variables and layers.
    """

    quantities: frozenset[str]
    paths: dict[str, str]


def shown(history: History, quantities: frozenset[str]) -> Shown:
    """Returns what the panel shows of a launch, from the names of its quantities."""
    names = (v.name for v in history.variables), (layer.name for layer in history.layers)
    return Shown(quantities, {**short_paths(names[1]), **short_paths(names[0])})


def answer_headline(diagnosis: Diagnosis, shown: Shown) -> Headline:
    """Returns the headline of the launch, and what its sentence says beyond it."""
    return diagnosis_headline(diagnosis, shown.paths, lambda name: str(rule_reference(name)["summary"]))


def verdict_answer(verdict: Verdict, shown: Shown) -> dict[str, Any]:
    """Returns a verdict with those that it explains."""
    payload = verdict.as_dict()
    del payload["claims"]  # the same numbers as in the message and the evidence
    for item, evidence in zip(payload["evidence"], verdict.evidence, strict=True):
        item["text"] = evidence_text(evidence)
        item["quantity"] = item["quantity"] if item["quantity"] in shown.quantities else ""
    payload["headline"], payload["rest"] = verdict_headline(
        verdict, shown.paths, rule_reference(verdict.name)["summary"]
    )
    payload["explains"] = [verdict_answer(v, shown) for v in verdict.explains]
    return payload


def symptom_answer(symptom: Symptom) -> dict[str, Any]:
    """Returns a symptom with its name in words."""
    return {**symptom.as_dict(), "title": in_words(symptom)}


def suspect_answer(suspect: Suspect, shown: Shown) -> dict[str, Any]:
    """Returns a suspect; `summary` is "" where its message is the summary of its rule."""
    summary = rule_reference(suspect.name)["summary"]
    headline, rest = suspect_headline(suspect, shown.paths, summary)
    if summary.rstrip(".") == suspect.message:  # a rule that does not hold has no words of its own for this run
        headline, rest, summary = suspect.message, "", ""
    texts = {"headline": headline, "rest": rest, "summary": summary}
    return {**suspect.as_dict(), **texts, "probability_text": probability_text(suspect.probability)}


def rule_reference(name: str, code: int = 0) -> dict[str, Any]:
    """Returns code, name and summary of a rule; "" as the summary of one that this version does not know."""
    rule = catalogue().get(name)
    return {"code": rule.code if rule else code, "name": name, "summary": rule.summary if rule else ""}
