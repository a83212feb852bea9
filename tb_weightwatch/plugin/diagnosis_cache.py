"""The diagnoses of the run list: the one that the trainer logged, or else our own.

Our own are cached here and not beside the reader's runs. The reader drops rows when there are too many, and a diagnosis
dropped with them would be computed again at every poll of a long list.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Any, NamedTuple

from .. import answers
from ..diagnosis import rule_set_version
from ..reader import CachedRun, Launch, ProviderReader
from ..verdict import Diagnosis
from .answer_cache import diagnosis_of

SECONDS_PER_REQUEST = 0.3  # spent on diagnosing; a long list of runs is diagnosed over several requests
MOST = 5000  # cached diagnoses
PENDING = Diagnosis("undecided", "Not diagnosed yet: recorded with another rule set, queued.")
_Key = tuple[str, str, str]


class RunLocation(NamedTuple):
    """A run, as a data provider identifies it."""

    ctx: Any
    experiment: str
    run: str


class TimeBudget:
    """How long one request may diagnose: at least one launch, further ones within so many seconds.

    Attributes:
        was_refused: the time did not suffice for all.
    """

    def __init__(self, seconds: float) -> None:
        self.was_refused = False
        self._deadline = time.monotonic() + seconds
        self._started = False

    def allows_another(self) -> bool:
        """Checks whether there is time for one more launch, and counts it."""
        self.was_refused = self._started and self.is_spent()
        self._started = True
        return not self.was_refused

    def is_spent(self) -> bool:
        """Checks whether no time is left."""
        return time.monotonic() > self._deadline


class DiagnosisCache:
    """Diagnoses by launch.

    Args:
        reader: reads the runs that must be diagnosed.
        seconds_per_request: how long one request may diagnose.
        rule_set: the version of the rules in force.
    """

    def __init__(
        self, reader: ProviderReader, *, seconds_per_request: float = SECONDS_PER_REQUEST, rule_set: str | None = None
    ) -> None:
        self._reader = reader
        self._seconds = seconds_per_request
        self._rule_set = rule_set
        self._diagnoses: OrderedDict[_Key, tuple[str, Diagnosis]] = OrderedDict()
        self._lock = threading.Lock()

    def budget(self) -> TimeBudget:
        """Returns the time budget of one request."""
        return TimeBudget(self._seconds)

    def get(self, location: RunLocation, run: CachedRun, launch: Launch, now: float, budget: TimeBudget) -> Diagnosis:
        """Returns the present diagnosis, or the last one known if this request has no time left for another.

        The trainer's diagnosis needs no rows. It is returned where our own would be the same.
        """
        logged = launch.now.diagnosis if launch.now else None
        if logged is not None and self._is_current(logged, launch, now):
            return logged
        key = (location.experiment, location.run, launch.history.launch)
        with self._lock:
            revision, diagnosis = self._diagnoses.get(key, ("", logged or PENDING))
        if revision == run.revision or not budget.allows_another():
            return diagnosis
        if run.third_party is not None and len(launch.history):  # the reader has just read all of it
            return self._store(key, run.revision, diagnosis_of(launch))
        return self._read_and_diagnose(location, launch, key)

    def _is_current(self, logged: Diagnosis, launch: Launch, now: float) -> bool:
        """Checks whether a logged diagnosis is of today's rules and of all rows, or of a training still going on."""
        if logged.rules != (self._rule_set or rule_set_version()) or launch.now is None:
            return False
        complete = logged.rows == launch.now.rows and not launch.skipped
        return complete or answers.state(launch, now).name == "training"

    def _read_and_diagnose(self, location: RunLocation, launch: Launch, key: _Key) -> Diagnosis:
        try:
            with self._reader.locked_run(*location) as run:
                same = [x for x in run.launches if x.history.launch == launch.history.launch]
                diagnosis, revision = diagnosis_of(same[0] if same else launch), run.revision
        except KeyError:  # the run was deleted in the meantime
            return diagnosis_of(launch)
        return self._store(key, revision, diagnosis)

    def _store(self, key: _Key, revision: str, diagnosis: Diagnosis) -> Diagnosis:
        with self._lock:
            self._diagnoses[key] = revision, diagnosis
            while len(self._diagnoses) > MOST:
                self._diagnoses.popitem(last=False)
        return diagnosis
