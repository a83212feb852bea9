"""The rules and symptoms as SARIF describes them, from their own explanations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ... import answers
from ...diagnosis import Rule, catalogue
from ...verdict import Symptom, Verdict, in_words

_SYMPTOM = (
    "A symptom is a certain fact about the recorded steps, whatever its cause. The message names the causes that fit, "
    "with their probabilities; `weightwatch review LOGDIR --details` says what speaks for and against each."
)


def rule_id(finding: Verdict | Symptom) -> str:
    """Returns the id of a finding's rule: "WW502", or the name of the symptom."""
    return f"WW{finding.code}" if isinstance(finding, Verdict) else finding.name


def sarif_rules(symptoms: Iterable[Symptom]) -> list[dict[str, Any]]:
    """Returns the descriptors of all rules, and of these symptoms."""
    names = sorted({symptom.name: symptom for symptom in symptoms}.items())
    return [*map(_of_rule, catalogue().values()), *(_of_symptom(symptom) for _, symptom in names)]


def _of_rule(rule: Rule) -> dict[str, Any]:
    explained = answers.explanation(rule=rule.name)
    sections = [(part["title"], part["text"]) for part in explained["sections"]]
    more = f"`{explained['command']}` shows the thresholds, and an example of a sick and a healthy run."
    plain = "\n\n".join([*(f"{title}: {text}" for title, text in sections), more.replace("`", "")])
    marked = "\n\n".join([*(f"**{title}**\n\n{text}" for title, text in sections), more])
    sees = " ".join(next((text for title, text in sections if title == "What it sees"), rule.summary).split())
    return _descriptor(
        f"WW{rule.code}", rule.name, rule.link, short=rule.summary, full=sees, help={"text": plain, "markdown": marked}
    )


def _of_symptom(symptom: Symptom) -> dict[str, Any]:
    short = f"Symptom: {in_words(symptom)}."
    text = {"text": _SYMPTOM.replace("`", ""), "markdown": _SYMPTOM}
    return _descriptor(symptom.name, symptom.name, symptom.link, short=short, full=short, help=text)


def _descriptor(identifier: str, name: str, link: str, **texts: Any) -> dict[str, Any]:
    return {
        "id": identifier,
        "name": name,
        "shortDescription": {"text": texts["short"]},
        "fullDescription": {"text": texts["full"]},
        "help": texts["help"],
        "defaultConfiguration": {"level": "warning"},  # each result has a level of its own
        "properties": {"tags": ["training", link], "problem.severity": "warning"},
    }
