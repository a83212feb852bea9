"""What a diagnosis answers with: a verdict, or else a symptom with its suspects; and the suspects as plain text."""

from __future__ import annotations

from .experiment_text import experiment_fact
from .symptom import Suspect, Symptom
from .verdict import Diagnosis, Verdict

MOST_SUSPECTS = 5  # that are shown; those after them are hardly probable
_PROBABLE = 0.5  # from which a suspect is more probable than all other causes together


def answering_verdict(diagnosis: Diagnosis) -> Verdict | None:
    """Returns the verdict that makes the run sick; None if there is none, and a note is none."""
    first = diagnosis.verdicts[0] if diagnosis.status == "sick" and diagnosis.verdicts else None
    return first if first is not None and first.severity != "info" else None


def answering_symptom(diagnosis: Diagnosis) -> Symptom | None:
    """Returns the symptom that makes the run sick where no verdict does; or None."""
    if diagnosis.status != "sick" or answering_verdict(diagnosis) is not None:
        return None
    return next((symptom for symptom in diagnosis.symptoms if symptom.severity != "info"), None)


def known_cause(diagnosis: Diagnosis) -> Verdict | Suspect | None:
    """Returns the verdict that is the answer, or else a suspect that an experiment has confirmed; or None."""
    confirmed = (suspect for suspect in diagnosis.suspects if suspect.outcome == "confirmed")
    return answering_verdict(diagnosis) or (next(confirmed, None) if diagnosis.status == "sick" else None)


def headline(diagnosis: Diagnosis) -> str:
    """Returns the answer in a few words: "dead-relu"; "weights do not move; probably wrong-loss"; or the status."""
    verdict, symptom = answering_verdict(diagnosis), answering_symptom(diagnosis)
    if verdict is not None:
        return verdict.name
    if symptom is None:
        return diagnosis.status
    suspected = [suspect for suspect in diagnosis.suspects if suspect.outcome != "refuted"]
    suspicion = "; ".join(f"{likelihood(suspect)} {suspect.name}" for suspect in suspected[:1])
    return f"{in_words(symptom)}; {suspicion}" if suspicion else in_words(symptom)


def in_words(symptom: Symptom) -> str:
    """Returns the name of a symptom in words: "weights do not move"."""
    return symptom.name.replace("-", " ")


def likelihood(suspect: Suspect) -> str:
    """Returns "confirmed" or "refuted" if an experiment says so; else "probably" for a suspect that is more probable
    than all other causes together, and "possibly" for any other.
    """
    if suspect.outcome in ("confirmed", "refuted"):
        return suspect.outcome
    return "probably" if suspect.probability >= _PROBABLE else "possibly"


def probability_text(probability: float) -> str:
    """Returns a probability in percent; no suspect is certain, and none is excluded."""
    percent = round(100 * probability)
    if percent < 1:
        return "< 1 %"
    return "> 99 %" if percent > 99 else f"{percent} %"


def suspect_title(suspect: Suspect) -> str:
    """Returns code, name, probability, and what an experiment has decided: "201 dead-relu (2 %, refuted)"."""
    decided = f", {suspect.outcome}" if suspect.outcome in ("confirmed", "refuted") else ""
    return f"{suspect.code} {suspect.name} ({probability_text(suspect.probability)}{decided})"


def suspect_facts(suspect: Suspect) -> dict[str, str]:
    """Returns what experiments and facts say of a suspect, what would settle it, and its fix; without empty ones."""
    settled = suspect.outcome in ("confirmed", "refuted")
    facts = {
        **experiment_fact(suspect.outcome, suspect.experiment),
        "for": "; ".join(suspect.supports),
        "against": "; ".join(suspect.contradicts),
        "to settle it": "" if settled else suspect.settle,
        "fix": suspect.fix,
    }
    return {label: text for label, text in facts.items() if text}


def suspect_lines(diagnosis: Diagnosis, most: int = MOST_SUSPECTS, *, brief: bool = False) -> list[str]:
    """Returns the suspects as lines of plain text, the most probable first: a title, and indented facts below it.

    Args:
        diagnosis: the diagnosis.
        most: how many suspects are described; the others are named in the last line.
        brief: leaves out what speaks for and against them, and what the sentence of the diagnosis says already.
    """
    omitted = ("for", "against") if brief else ()
    lines: list[str] = []
    for suspect in diagnosis.suspects[:most]:
        title = f"{suspect.code} {suspect.name} ({probability_text(suspect.probability)})"
        lines.append(f"{likelihood(suspect)} {title}: {suspect.message}")
        for label, text in suspect_facts(suspect).items():
            if label in omitted or (brief and text in diagnosis.sentence):
                continue
            lines += [f"  {line}".rstrip() for line in f"{label}: {text}".split("\n")]
    others = diagnosis.suspects[most:]
    return lines + ([f"other suspects: {', '.join(map(suspect_title, others))}"] if others else [])
