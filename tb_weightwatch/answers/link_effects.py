"""What shows on a link that something else has broken it: consequences, symptoms, zeros, NaN, no motion."""

from __future__ import annotations

from ..verdict import LINKS, Diagnosis, Suspect, Verdict, number
from .launch_state import evidence_number, evidence_text, with_consequences
from .link_numbers import LINK_TABLE, LinkNumber
from .link_states import Effect
from .motionless import Motionless

_MOVED_BY = ("update", "weight")  # the links on which a variable that does not move shows


def effects_on(
    name: str, own: LinkNumber, diagnosis: Diagnosis, cause: Verdict | Suspect | None, still: Motionless
) -> list[Effect]:
    """Returns what shows on a link of a cause elsewhere, the most telling first.

    Args:
        name: the link.
        own: its own number.
        diagnosis: the diagnosis.
        cause: the cause of the problem, if it is known.
        still: variables that do not move.
    """
    effects = [
        *_consequences(name, diagnosis),
        *_standing(name, still),
        *_special_number(name, own, diagnosis, cause),
        *_proof(name, cause),
        *_symptoms(name, own, diagnosis, cause),
    ]
    # Of several effects the first one with a number is the most telling.
    return sorted(effects, key=lambda effect: not effect.number)


def _consequences(name: str, diagnosis: Diagnosis) -> list[Effect]:
    return [
        Effect(
            f"follows from {cause.name}: {verdict.message.rstrip('.')}",
            *_evidence_of(name, verdict),
        )
        for cause in diagnosis.verdicts
        for verdict in with_consequences(cause)[1:]
        if verdict.link == name
    ]


def _evidence_of(name: str, verdict: Verdict) -> tuple[str, ...]:
    """Returns number and name of a consequence's evidence, rather of a quantity of this link; () if it has none."""
    own = (e for e in verdict.evidence if e.quantity and e.quantity.startswith(LINK_TABLE[name].quantities))
    evidence = next(own, None) or next(iter(verdict.evidence), None)
    return () if evidence is None else (evidence_number(evidence), evidence.name)


def _standing(name: str, still: Motionless) -> list[Effect]:
    if name not in _MOVED_BY or not still.names:
        return []
    count = len(still.names)
    shown, meaning = f"{count:,} of {still.of:,}", f"variable{' does' if still.of == 1 else 's do'} not move"
    return [Effect(f"{shown} {meaning}: {still.cause}", shown, meaning)]


def _special_number(name: str, own: LinkNumber, diagnosis: Diagnosis, cause: Verdict | Suspect | None) -> list[Effect]:
    """Returns the effect that NaN and infinities are; and that of a zero, where the run is sick."""
    because = f": {cause.name}" if cause else ""
    if own.nonfinite:
        if own.text in ("NaN", "Inf", "-Inf"):
            return [Effect(f"{own.text} at the last recorded step{because}", own.text, own.meaning)]
        nouns = {"data": "inputs or targets", "activations": "outputs"}
        counted = f"NaN or infinite {nouns.get(name, 'values')}, last step"
        return [Effect(f"{own.nonfinite:,} {counted}{because}", number(own.nonfinite), counted)]
    if own.text == "0" and name in ("gradient", "update") and diagnosis.status == "sick":
        return [Effect(f"exactly 0 at the last recorded step{because}", own.text, own.meaning)]
    return []


def _proof(name: str, cause: Verdict | Suspect | None) -> list[Effect]:
    """Returns the evidence of a cause that a later link shows, such as an update that is far too small."""
    if not isinstance(cause, Verdict) or LINKS.index(name) <= LINKS.index(cause.link):
        return []
    proof = [e for e in cause.evidence if e.quantity and e.quantity.startswith(LINK_TABLE[name].quantities)]
    return [Effect(f"follows from {cause.name}: {evidence_text(e)}", evidence_number(e), e.name) for e in proof]


def _symptoms(name: str, own: LinkNumber, diagnosis: Diagnosis, cause: Verdict | Suspect | None) -> list[Effect]:
    is_open = isinstance(cause, Verdict) and bool(diagnosis.suspects)  # there may be another cause of the symptom
    explained = cause is not None and not is_open and LINKS.index(name) > LINKS.index(cause.link)
    because = f"follows from {cause.name}: " if cause and explained else ""
    shown = [s for s in diagnosis.symptoms if s.link == name and s.severity != "info"]
    return [
        Effect(
            because + symptom.message.rstrip("."),
            *((own.text, own.meaning) if symptom.name in LINK_TABLE[name].judged_by else ()),
        )
        for symptom in shown
    ]
