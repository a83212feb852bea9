"""The diagnosis of every launch for the run list: the trainer's own, or ours, which stays when rows are forgotten."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Any, NamedTuple

from .. import answers
from ..diagnosis import Symptom, rule_set_version
from ..reader import CachedRun, Launch, ProviderReader
from ..verdict import Diagnosis
from .answer_cache import diagnosis_of

PATIENCE = 0.3  # seconds of a request; a list of many runs that no trainer judged with these rules comes by and by
MOST = 5000  # diagnoses that are kept
PENDING = Diagnosis("undecided", "Not judged yet: this run was recorded under other rules, and its turn will come.")


class RunDiagnosis(NamedTuple):
    """What the run list says of a launch; symptoms where somebody else wrote it."""

    diagnosis: Diagnosis
    symptoms: tuple[Symptom, ...] = ()


class Where(NamedTuple):
    """A run, and how a data provider is asked for it."""

    ctx: Any
    experiment: str
    run: str


class TimeBudget:
    """How much one request may judge: one launch in any case, more of them within so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._until, self._taken = time.monotonic() + seconds, False

    def take(self) -> bool:
        """Says whether there is time for one more."""
        if self._taken and time.monotonic() > self._until:
            return False
        self._taken = True
        return True


class DiagnosisCache:
    """Diagnoses by launch.

    They are kept beside the reader's runs, whose rows are forgotten when there are too many: were the diagnosis
    forgotten with them, every poll of a long list would read and judge all of it anew.
    """

    def __init__(self, reader: ProviderReader) -> None:
        self._reader = reader
        self._kept: OrderedDict[tuple[str, str, str], tuple[str, RunDiagnosis]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, where: Where, entry: CachedRun, launch: Launch, now: float, turns: TimeBudget) -> RunDiagnosis:
        """Returns the diagnosis as it stands, or, where this request has judged enough, the last one known.

        The trainer's own needs no rows, and is taken where ours would be as it.
        """
        told = launch.now.diagnosis if launch.now else None
        if told is not None and told.rules == rule_set_version() and launch.now is not None:
            whole = told.rows == launch.now.rows and not launch.skipped
            if whole or answers.state(launch, now).name == "training":
                return RunDiagnosis(told)
        key = (where.experiment, where.run, launch.history.launch)
        with self._lock:
            revision, found = self._kept.get(key, ("", RunDiagnosis(told or PENDING)))
        if revision == entry.revision or not turns.take():
            return found
        if entry.third_party is not None and len(launch.history):  # it was just read, whole
            return self._keep(key, entry.revision, _badge(launch))
        return self._judged(where, launch, key)

    def _judged(self, where: Where, launch: Launch, key: tuple[str, str, str]) -> RunDiagnosis:
        try:
            with self._reader.locked_run(*where) as opened:
                same = [x for x in opened.launches if x.history.launch == launch.history.launch]
                found, revision = _badge(same[0] if same else launch), opened.revision
        except KeyError:  # deleted in between
            return _badge(launch)
        return self._keep(key, revision, found)

    def _keep(self, key: tuple[str, str, str], revision: str, found: RunDiagnosis) -> RunDiagnosis:
        with self._lock:
            self._kept[key] = revision, found
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return found


def _badge(launch: Launch) -> RunDiagnosis:
    return RunDiagnosis(diagnosis_of(launch), answers.safe_symptoms(launch.history))
