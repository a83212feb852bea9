"""What the status of a launch says: how far it is written, its latest row and its latest diagnosis."""

from __future__ import annotations

import math

from ..history import Rows
from ..schema import LaunchStatus
from ..verdict import Diagnosis, Verdict
from .launch_data import LaunchData
from .pending_rows import last_row

_MOST_BYTES = 1_500_000  # after this many bytes of statuses, they no longer include the latest row


class StatusData:
    """Keeps what the next status will say, and emits it.

    Args:
        data: emits the status, and says what was written.
        started: when the launch started, unix seconds.
    """

    def __init__(self, data: LaunchData, started: float) -> None:
        self._data, self._started = data, started
        self._latest: Rows | None = None
        self._diagnosis: Diagnosis | None = None
        self._findings: set[str] = set()  # names of the open verdicts and of the symptoms
        self._bytes = 0
        self._written = 0.0  # of the last status

    def recorded(self, rows: Rows) -> None:
        """Takes the latest rows."""
        self._latest = last_row(rows)

    def judged(self, diagnosis: Diagnosis) -> bool:
        """Takes the latest diagnosis; returns whether it has a new verdict or symptom."""
        names = {v.name for verdict in diagnosis.verdicts for v in _with_consequences(verdict)}
        names |= {symptom.name for symptom in diagnosis.symptoms}
        is_new = bool(names - self._findings)
        self._findings, self._diagnosis = names, diagnosis
        return is_new

    def put(self, now: float, due: float) -> None:
        """Emits the status.

        Args:
            now: the time, unix seconds.
            due: seconds after which the next one should have been written.
        """
        self._written = max(now, math.nextafter(self._written, math.inf))  # the clock may have been set back
        status = LaunchStatus(
            time=now,
            due=due,
            step=self._data.step,
            rows=self._data.rows,
            blocks=self._data.numbers["rows"],
            headers=self._data.numbers["header"],
            latest=self._latest if self._bytes < _MOST_BYTES else None,
            diagnosis=self._diagnosis,
            started=self._started,
            written=self._written,
        )
        self._bytes += self._data.put_status(status)


def _with_consequences(verdict: Verdict) -> list[Verdict]:
    """Returns a verdict with all verdicts that it explains."""
    return [verdict, *(v for consequence in verdict.explains for v in _with_consequences(consequence))]
