"""What is printed while training runs: a diagnosis when it is new, when it is resolved, and at the end."""

from __future__ import annotations

import sys
from textwrap import indent

from ..verdict import Diagnosis, Verdict, answering_symptom, answering_verdict, suspect_lines


class ConsoleNews:
    """Prints each answer once, to standard error.

    Args:
        verbose: False prints nothing.
    """

    def __init__(self, verbose: bool) -> None:
        self._verbose = verbose
        self._announced: dict[str, bool] = {}  # name of each verdict that was printed -> whether it still holds
        self._settled: dict[str, str] = {}  # name of each verdict that was printed -> what experiments said of it
        self._suspicions: set[str] = set()  # those that were printed: first suspects with what experiments say of them
        self._last_suspicion = ""  # the one that was printed last; "" if another answer was printed since
        self._final_status = ""  # the status when training ended last

    def update(self, diagnosis: Diagnosis) -> None:
        """Prints what is new while training goes on."""
        self._print(diagnosis, [*self._resolved(diagnosis), *self._new_answer(diagnosis)])

    def end(self, diagnosis: Diagnosis) -> None:
        """Prints what is new when training ends, and the final answer unless it stands on the console already."""
        lines = [*self._resolved(diagnosis), *(self._new_answer(diagnosis) or self._final_answer(diagnosis))]
        self._final_status = diagnosis.status
        self._print(diagnosis, lines)

    def stopped(self, diagnosis: Diagnosis) -> None:
        """Prints the last answer, whose sentence says why recording has stopped, also if there is no row."""
        self._final_status = diagnosis.status
        if self._verbose:
            put(diagnosis.sentence)

    def _resolved(self, diagnosis: Diagnosis) -> list[str]:
        """Returns a line for each printed verdict that no longer holds."""
        resolved = [verdict for verdict in diagnosis.resolved if verdict.name in self._announced]
        lines = [f"{v.code} {v.name}: {v.life}." for v in resolved if self._announced[v.name]]
        self._announced.update((verdict.name, False) for verdict in resolved)
        return lines

    def _new_answer(self, diagnosis: Diagnosis) -> list[str]:
        """Returns the answer, with its fix or its first suspect, if it was never printed."""
        verdict, suspicion = answering_verdict(diagnosis), _suspicion(diagnosis)
        if suspicion and suspicion not in self._suspicions:
            return [self._symptom_answer(diagnosis, suspicion)]
        if verdict is None or (verdict.name in self._announced and not self._is_news(verdict)):
            return []
        self._announced[verdict.name], self._settled[verdict.name] = True, verdict.outcome
        self._last_suspicion = ""
        return [str(diagnosis)]

    def _is_news(self, verdict: Verdict) -> bool:
        """Checks whether experiments have confirmed a verdict since it was printed."""
        return verdict.outcome == "confirmed" and self._settled[verdict.name] != "confirmed"

    def _final_answer(self, diagnosis: Diagnosis) -> list[str]:
        """Returns the answer where nothing is wrong at the end, or where an earlier answer holds again."""
        verdict, suspicion = answering_verdict(diagnosis), _suspicion(diagnosis)
        if suspicion:
            return [] if suspicion == self._last_suspicion else [self._symptom_answer(diagnosis, suspicion)]
        if verdict is None:
            printed = diagnosis.status == self._final_status
        else:
            printed = self._announced[verdict.name] and not self._last_suspicion
        self._last_suspicion = ""
        return [] if printed else [diagnosis.sentence]

    def _symptom_answer(self, diagnosis: Diagnosis, suspicion: str) -> str:
        """Returns the symptom, what probably causes it, and what would settle that; it counts as printed."""
        self._suspicions.add(suspicion)
        self._last_suspicion = suspicion
        if diagnosis.suspects and diagnosis.suspects[0].outcome == "refuted":
            return diagnosis.sentence  # it says that all are refuted: no fix is worth printing
        suspects = indent("\n".join(suspect_lines(diagnosis, most=1, brief=True)), "  ")
        return f"{diagnosis.sentence}\n{suspects}".rstrip()

    def _print(self, diagnosis: Diagnosis, lines: list[str]) -> None:
        for line in lines if self._verbose and diagnosis.rows else ():
            put(line)


def put(text: str) -> None:
    """Prints a message to standard error."""
    print(f"\ntb_weightwatch: {text}", file=sys.stderr, flush=True)


def _suspicion(diagnosis: Diagnosis) -> str:
    """Returns the name of the first suspect (of the symptom if nothing is suspected) where the answer is a symptom.

    What experiments have settled is another answer, so the outcome is part of it.
    """
    symptom = answering_symptom(diagnosis)
    if symptom is None:
        return ""
    if not diagnosis.suspects:
        return symptom.name
    first = diagnosis.suspects[0]
    return f"{first.name} {first.outcome}" if first.outcome in ("confirmed", "refuted") else first.name
