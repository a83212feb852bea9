"""Headlines: what a finding states, in at most two lines, and the rest of its text, which stands below.

A message begins with what it states, in few words. Its numbers and names follow a colon: "Updates are rounded away:
float16 weights of about 1 can only change in steps of 1e-3, ...". The headline is what stands before the colon; it
also says that a verdict is only likely, or a cause only suspected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from .answer import answering_symptom, answering_verdict, in_words, probability_text
from .symptom import Suspect, Symptom
from .verdict import Diagnosis, Verdict

MOST_CHARACTERS = 120
_QUOTED = re.compile(r"(?<!\w)'[^']*'")
_IN_PARENTHESES = re.compile(r" ?\([^()]*\)")


class Headline(NamedTuple):
    """What stands large, and what stands below it.

    Attributes:
        text: one sentence without a full stop, of at most `MOST_CHARACTERS`.
        rest: what the text says beyond it, in whole clauses; "" if nothing.
    """

    text: str
    rest: str


def verdict_headline(verdict: Verdict, paths: Mapping[str, str] | None = None, summary: str = "") -> Headline:
    """Returns the headline of a verdict.

    Args:
        verdict: the verdict; one that an earlier version has written may have a message without a colon.
        paths: full name -> short name of variables and layers, for names in the headline.
        summary: the first line of the rule's explanation, for a message that has no short beginning.
    """
    if verdict.outcome == "confirmed":
        qualifier = " (confirmed by an experiment)"
    else:
        qualifier = "; a likely cause" if verdict.certainty == "likely" else ""
    name = verdict.name.replace("-", " ")
    return _headline(verdict.message, (summary.rstrip("."), name[:1].upper() + name[1:]), qualifier, paths or {})


def suspect_headline(suspect: Suspect, paths: Mapping[str, str] | None = None, summary: str = "") -> Headline:
    """Returns the headline of a suspect in a list of suspects; for the arguments see `verdict_headline`."""
    name = suspect.name.replace("-", " ")
    return _headline(suspect.message, (summary.rstrip("."), name[:1].upper() + name[1:]), "", paths or {})


def diagnosis_headline(
    diagnosis: Diagnosis,
    paths: Mapping[str, str] | None = None,
    summary_of: Callable[[str], str] = lambda name: "",
) -> Headline:
    """Returns the headline of a diagnosis: that of its verdict, or the symptom with its first suspect, or the status.

    Args:
        diagnosis: the diagnosis.
        paths: as for `verdict_headline`.
        summary_of: name of a rule -> the first line of its explanation.
    """
    verdict, symptom = answering_verdict(diagnosis), answering_symptom(diagnosis)
    if verdict is not None:
        return verdict_headline(verdict, paths, summary_of(verdict.name))
    if symptom is not None:
        return _symptom_headline(symptom, diagnosis.suspects, paths or {})
    return _status_headline(diagnosis)


def short_paths(names: Iterable[str]) -> dict[str, str]:
    """Returns full name -> the last parts of its path that no other name ends with: "block_7/query/kernel"."""
    unique = list(dict.fromkeys(names))
    endings: dict[tuple[str, ...], int] = {}
    for name in unique:
        parts = tuple(name.split("/"))
        for start in range(len(parts)):
            endings[parts[start:]] = endings.get(parts[start:], 0) + 1
    short = {}
    for name in unique:
        parts = tuple(name.split("/"))
        unshared = (parts[start:] for start in range(len(parts) - 1, -1, -1) if endings[parts[start:]] == 1)
        short[name] = "/".join(next(unshared, parts))
    return short


def _symptom_headline(symptom: Symptom, suspects: Sequence[Suspect], paths: Mapping[str, str]) -> Headline:
    first = next((suspect for suspect in suspects if suspect.outcome != "refuted"), None)
    if first is None:
        cause = "; experiments refute every cause that fits" if suspects else ""
    elif first.outcome == "confirmed":
        cause = f"; cause, confirmed by an experiment: {first.name}"
    else:
        cause = f"; suspected cause: {first.name} ({probability_text(first.probability)})"
    name = in_words(symptom)
    return _headline(symptom.message, (f"The {name}" if name.startswith(("weights", "loss")) else name,), cause, paths)


def _status_headline(diagnosis: Diagnosis) -> Headline:
    """Returns the first clause of a sentence that begins with the status: "Healthy: kernels move by 1e-3 ..."."""
    sentence = diagnosis.sentence.strip().removesuffix(".")
    at = _masked(sentence).find("; ")
    beginning, rest = (sentence, "") if at < 0 else (sentence[:at], sentence[at + 2 :])
    if len(beginning) <= MOST_CHARACTERS:
        return Headline(beginning, rest)
    shorter = _IN_PARENTHESES.sub("", beginning)
    return Headline(shorter if len(shorter) <= MOST_CHARACTERS else diagnosis.status.capitalize(), sentence)


def _headline(message: str, substitutes: Sequence[str], suffix: str, paths: Mapping[str, str]) -> Headline:
    """Returns the beginning of a message with a suffix, or else the first substitute that is short enough."""
    message = message.strip().removesuffix(".")
    at = _masked(message).find(": ")
    beginning, rest = (message, "") if at < 0 else (message[:at], message[at + 2 :])
    named = _QUOTED.sub(lambda match: f"'{paths.get(match[0][1:-1], match[0][1:-1])}'", beginning)
    room = MOST_CHARACTERS - len(suffix)
    if len(named) <= room:
        return Headline(f"{named}{suffix}", rest)
    candidates = (_IN_PARENTHESES.sub("", named), *substitutes)
    return Headline(f"{next((c for c in candidates if 0 < len(c) <= room), substitutes[-1])}{suffix}", message)


def _masked(text: str) -> str:
    """Returns a text of the same length without punctuation inside quotes and parentheses."""
    for pattern in (_QUOTED, _IN_PARENTHESES, _IN_PARENTHESES):  # twice: parentheses in parentheses
        text = pattern.sub(lambda match: "x" * len(match[0]), text)
    return text
