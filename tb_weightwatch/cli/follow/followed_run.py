"""A run that is followed: read as it grows, and diagnosed when there is something new."""

from __future__ import annotations

from typing import NamedTuple

from ... import answers
from ...diagnosis import IncrementalDiagnosis
from ...history import History
from ...reader import GrowingRun, Launch, size
from ...verdict import Diagnosis, answering_symptom, known_cause, number
from ..review_result import Job, answer_line


class LaunchRow(NamedTuple):
    """What is shown of a launch.

    Attributes:
        run: name of its run below the log directory.
        launch: its identifier; "" if it is the only launch of its run.
        state: "training", "ended", "stopped", "died", or "unreadable".
        state_text: the same in words.
        step: the last step known.
        status: "healthy", "sick" or "undecided".
        answer: what is wrong, with the code of the cause, in at most 120 characters and a name.
        link: the link of the chain that is broken, or on which it shows; "" if none is.
        loss: the last recorded loss; "" if there is none.
        last: unix seconds of the last recorded row; 0 if there is none.
        started: unix seconds at which the launch started; 0 if that is not known.
    """

    run: str
    launch: str
    state: str
    state_text: str
    step: int
    status: str
    answer: str
    link: str
    loss: str
    last: float
    started: float


class FollowedRun:
    """A run that is followed.

    What was read is kept as long as the run trains. It is let go when no launch is training any more, so that memory is
    bounded by the runs that train at the same time.

    Args:
        job: the run.

    Attributes:
        rows: what is shown of its launches, oldest first.
        was_read: whether it was read once.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.rows: list[LaunchRow] = []
        self.was_read = False
        self._size = -1  # bytes of its files when it was let go
        self._let_go()

    def _let_go(self) -> None:
        self._growing: GrowingRun | None = None
        self._diagnoses: dict[str, _LaunchDiagnosis] = {}

    def look(self, now: float) -> None:
        """Reads what is new and brings the rows up to date; what goes wrong is shown in the row."""
        try:
            self._look(now)
        except Exception as error:  # a damaged or vanishing file must not end the following of all others
            self.rows = self.rows or [_unreadable(self.job.run, f"{type(error).__name__}: {error}")]
        self.was_read = True

    def _look(self, now: float) -> None:
        if self._growing is None:
            if self._size == size(self.job.directory):
                return
            self._growing = GrowingRun(self.job.directory, self.job.logdir)
        changed = self._growing.read()
        launches = self._growing.launches()
        rows = []
        for launch in launches:
            history = launch.history
            known = self._diagnoses.get(history.launch)
            if known is None or known.history is not history:  # those of third-party logs are made anew
                known = self._diagnoses[history.launch] = _LaunchDiagnosis(history)
            diagnosis = known.brought_up_to_date() if changed or known.diagnosis is None else known.diagnosis
            rows.append(_row(self.job.run, launch, diagnosis, now, several=len(launches) > 1))
        if rows:
            self.rows = rows
        elif self._growing.skipped:
            self.rows = [_unreadable(self.job.run, str(self._growing.skipped))]
        is_local = "://" not in self.job.directory  # of others the size is not known
        if rows and is_local and not any(row.state == "training" for row in rows):
            self._let_go()
            self._size = size(self.job.directory)


class _LaunchDiagnosis:
    """The last diagnosis of a growing History, and what makes the next one without computing known rows again."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.diagnosis: Diagnosis | None = None
        self._incremental = IncrementalDiagnosis(history)

    def brought_up_to_date(self) -> Diagnosis:
        try:
            self.diagnosis = self._incremental()
        except Exception:  # the recorded settings or facts are not valid, which the other function can say
            self.diagnosis = answers.safe_diagnose(self.history)
        return self.diagnosis


def _row(run: str, launch: Launch, diagnosis: Diagnosis, now: float, *, several: bool) -> LaunchRow:
    history = launch.history
    state = answers.state(launch, now)
    cause = known_cause(diagnosis) or answering_symptom(diagnosis)
    known = history.known("loss")
    return LaunchRow(
        run=run,
        launch=history.launch if several else "",
        state=state.name,
        state_text=state.text,
        step=state.last_step,
        status=diagnosis.status,
        answer=answer_line(diagnosis),
        link=cause.link if cause is not None else "",
        loss=number(float(history.loss[known][-1])) if known.any() else "",
        last=float(history.times[-1]) if len(history) else 0.0,
        started=history.started,
    )


def _unreadable(run: str, reason: str) -> LaunchRow:
    return LaunchRow(run, "", "unreadable", f"cannot be read: {reason}", 0, "undecided", reason, "", "", 0.0, 0.0)
