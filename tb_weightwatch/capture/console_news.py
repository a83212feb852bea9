"""What is printed while training runs: a diagnosis when it is new, when it is resolved, and at the end."""

from __future__ import annotations

import sys

from ..verdict import Diagnosis, Verdict


class ConsoleNews:
    """Prints each answer once, to standard error.

    Args:
        verbose: False prints nothing.
    """

    def __init__(self, verbose: bool) -> None:
        self._verbose = verbose
        self._announced: dict[str, bool] = {}  # name of each verdict that was printed -> whether it still holds
        self._final_status = ""  # the status when training ended last

    def update(self, diagnosis: Diagnosis) -> None:
        """Prints what is new while training goes on."""
        self._print(diagnosis, [*self._resolved(diagnosis), *self._new_answer(diagnosis)])

    def end(self, diagnosis: Diagnosis) -> None:
        """Prints what is new when training ends, and the final answer unless it stands on the console already."""
        lines = [*self._resolved(diagnosis), *(self._new_answer(diagnosis) or self._final_answer(diagnosis))]
        self._final_status = diagnosis.status
        self._print(diagnosis, lines)

    def _resolved(self, diagnosis: Diagnosis) -> list[str]:
        """Returns a line for each printed verdict that no longer holds."""
        resolved = [verdict for verdict in diagnosis.resolved if verdict.name in self._announced]
        lines = [f"{v.code} {v.name}: {v.life}." for v in resolved if self._announced[v.name]]
        self._announced.update((verdict.name, False) for verdict in resolved)
        return lines

    def _new_answer(self, diagnosis: Diagnosis) -> list[str]:
        """Returns the answer, with its fix and the other findings, if it was never printed."""
        verdict = _first_verdict(diagnosis)
        if verdict is None or verdict.name in self._announced:
            return []
        self._announced[verdict.name] = True
        return [str(diagnosis)]

    def _final_answer(self, diagnosis: Diagnosis) -> list[str]:
        """Returns the answer where nothing is wrong at the end, or where a resolved verdict holds again."""
        verdict = _first_verdict(diagnosis)
        printed = diagnosis.status == self._final_status if verdict is None else self._announced[verdict.name]
        return [] if printed else [diagnosis.sentence]

    def _print(self, diagnosis: Diagnosis, lines: list[str]) -> None:
        for line in lines if self._verbose and diagnosis.rows else ():
            print(f"\ntb_weightwatch: {line}", file=sys.stderr, flush=True)


def _first_verdict(diagnosis: Diagnosis) -> Verdict | None:
    return diagnosis.verdicts[0] if diagnosis.verdicts and diagnosis.status == "sick" else None
