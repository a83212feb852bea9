"""The diagnosis of every launch for the run list: the trainer's own, or ours, which stays when rows are forgotten."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Any, NamedTuple

from .. import answers
from ..diagnosis import Symptom, version
from ..reader import Launch, ProviderReader, ReadRun
from ..verdict import Diagnosis
from ._memo import diagnosis_of

PATIENCE = 0.3  # seconds of a request; a list of many runs that no trainer judged with these rules comes by and by
MOST = 5000  # diagnoses that are kept
PENDING = Diagnosis("undecided", "Not judged yet: this run was recorded under other rules, and its turn will come.")


class Badge(NamedTuple):
    """What the run list says of a launch; symptoms where somebody else wrote it."""

    diagnosis: Diagnosis
    symptoms: tuple[Symptom, ...] = ()


class Where(NamedTuple):
    """A run, and how a data provider is asked for it."""

    ctx: Any
    experiment: str
    run: str


class Turns:
    """How much one request may judge: one launch in any case, more of them within so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._until, self._taken = time.monotonic() + seconds, False

    def take(self) -> bool:
        """Says whether there is time for one more."""
        if self._taken and time.monotonic() > self._until:
            return False
        self._taken = True
        return True


class Badges:
    """Diagnoses by launch.

    They are kept beside the reader's runs, whose rows are forgotten when there are too many: were the diagnosis
    forgotten with them, every poll of a long list would read and judge all of it anew.
    """

    def __init__(self, reader: ProviderReader) -> None:
        self._reader = reader
        self._kept: OrderedDict[tuple[str, str, str], tuple[str, Badge]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, where: Where, entry: ReadRun, launch: Launch, now: float, turns: Turns) -> Badge:
        """Returns the diagnosis as it stands, or, where this request has judged enough, the last one known.

        The trainer's own needs no rows, and is taken where ours would be as it.
        """
        told = launch.now.diagnosis if launch.now else None
        if told is not None and told.rules == version() and launch.now is not None:
            whole = told.rows == launch.now.rows and not launch.skipped
            if whole or answers.state(launch, now).name == "training":
                return Badge(told)
        key = (where.experiment, where.run, launch.history.launch)
        with self._lock:
            revision, found = self._kept.get(key, ("", Badge(told or PENDING)))
        if revision == entry.revision or not turns.take():
            return found
        if entry.foreign is not None and len(launch.history):  # it was just read, whole
            return self._keep(key, entry.revision, _badge(launch))
        return self._judged(where, launch, key)

    def _judged(self, where: Where, launch: Launch, key: tuple[str, str, str]) -> Badge:
        try:
            with self._reader.opened(*where) as opened:
                same = [x for x in opened.launches if x.history.launch == launch.history.launch]
                found, revision = _badge(same[0] if same else launch), opened.revision
        except KeyError:  # deleted in between
            return _badge(launch)
        return self._keep(key, revision, found)

    def _keep(self, key: tuple[str, str, str], revision: str, found: Badge) -> Badge:
        with self._lock:
            self._kept[key] = revision, found
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return found


def _badge(launch: Launch) -> Badge:
    return Badge(diagnosis_of(launch), answers.seen(launch.history))
