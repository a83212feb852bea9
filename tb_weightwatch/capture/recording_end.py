"""How a recording ends: with the training, by a failure of the recorder, at the exit of the program, by a signal."""

from __future__ import annotations

import contextlib
import os
import time
import traceback
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from ..diagnosis import RecordingLosses
from ..history import History
from ..verdict import Diagnosis
from ..writer import EventWriter, QueuedSink
from . import exit_handlers
from .console_news import ConsoleNews
from .live_diagnosis import LiveDiagnosis
from .observe.fault_guard import FaultGuard
from .observe.run_ending import ending_of
from .record_keeper import RecordKeeper
from .recording_fault import fault_reason
from .safe_warning import warn
from .schedule.budget import Budget
from .training_progress import TrainingProgress

DISK_WAIT = exit_handlers.LONGEST_WAIT  # seconds that the end of a training waits for the disk
_MEASURING_WAIT = 30.0  # seconds that it waits for steps that are still being measured


class RecordingEnd(TrainingProgress):
    """What a Recorder does when something ends.

    Attributes:
        off: whether nothing is recorded (any more).
        begun: the last step that was to be recorded; a caller that counts completed steps sets it.
        failed_step: the first step that could not be measured; 0 if there is none.
        steps_left_out: how many steps were to be recorded and were not measured, because measuring could not keep up.
    """

    history: History
    _budget: Budget
    _sink: QueuedSink
    _writer: EventWriter
    _records: RecordKeeper
    _diagnosis: LiveDiagnosis
    _news: ConsoleNews

    def __init__(self, *, off: bool) -> None:
        super().__init__()
        self.off = off
        self.begun = self.failed_step = self.steps_left_out = 0
        self._is_watched_over = False
        self._process = os.getpid()
        self._told: set[str] = set()

    @property
    @abstractmethod
    def folder(self) -> str | None:
        """The folder of the run; None if it is not known."""

    @property
    @abstractmethod
    def diagnosis(self) -> Diagnosis:
        """The diagnosis of all rows so far."""

    # -- whether training goes on

    def go_on(self) -> None:
        """Notes that training goes on, so that exit and signals must write what there is; this is cheap."""
        if not self._is_watched_over and not self.off:
            self._is_watched_over = True
            exit_handlers.watch_over(self)

    def look_for_end(self, folder: str | None) -> None:
        """Closes the recording if the object that recorded is gone.

        Args:
            folder: where another recording begins; one in the same folder also records an end that was not noticed yet.
        """
        if self.is_abandoned:
            self.close(deadline=time.monotonic())
        elif folder is not None and folder == self.folder and self._look_for_end is not None:
            look = self._look_for_end()
            with self.guarded():
                look() if look is not None else None

    # -- failures

    def guarded(self) -> FaultGuard:
        """Returns a context that keeps faults of the recorder away from training."""
        return FaultGuard(self.fail)

    def fail(self, error: BaseException) -> None:
        """Warns once, with the traceback, and switches the recorder off; training goes on.

        That recording stopped is recorded, diagnosed, printed and written, as far as that is still possible.
        """
        if os.environ.get("TB_WEIGHTWATCH_STRICT") == "1":
            raise error
        if self.off:
            return
        self._stop(error)
        text = "".join(traceback.format_exception(error))
        warn(f"tb_weightwatch failed and has switched itself off; training goes on unrecorded.\n{text}")

    def _stop(self, error: BaseException) -> None:
        """Keeps what was measured until then, and says that recording has stopped; each part of this may fail too."""
        may_fail = contextlib.suppress(Exception)
        for flush in self._flush * 2:  # the first one may raise the error of a step that was measured meanwhile
            with may_fail:
                flush(DISK_WAIT)
        self.off = True
        with may_fail:
            step = max(self.last_step, self.failed_step or max(self.begun, self.completed_steps))
            self._records.note_stop(step, fault_reason(error))
        diagnosis = self._diagnosis.after_failure()
        with may_fail:
            self._news.stopped(diagnosis)
        with may_fail:
            self._writer.judged(diagnosis)
        with may_fail:
            self._writer.flush()
        with may_fail:  # the disk is not waited for before the end
            self._sink.close()

    # -- ends

    def end(
        self, how: str, detail: str = "", about: Mapping[str, Any] | None = None, *, deadline: float | None = None
    ) -> None:
        """Records that training ended (see `Ending`), diagnoses, prints what is new and writes; it may still go on.

        Args:
            how: see `Ending`, as `detail` and `about`.
            detail: see there.
            about: see there.
            deadline: of `time.monotonic`, until which measuring and disk are waited for; None: as long as is usual.
        """
        if self.off:
            with contextlib.suppress(Exception):  # recording has failed, and that is told
                self._sink.wait(DISK_WAIT if deadline is None else deadline - time.monotonic())
            self._rest()
            return
        for flush in self._flush:
            flush(_MEASURING_WAIT if deadline is None else deadline - time.monotonic())
        self._budget.pause()
        if self._is_ended:
            self._rest()
            return
        self._records.describe_cost(self.last_step)
        last = max(self.last_step, self.completed_steps)  # the last steps may not have been recorded
        self._records.describe(last, "end", {"how": how, "detail": detail, **(about or {})})
        self._ended_after = self.completed_steps
        self._tell_of_losses(is_last=True)
        self._diagnosis.outdate()
        self._writer.judged(self.diagnosis)
        self._news.end(self.diagnosis)
        self._finish(deadline)

    def close(
        self, how: str = "closed", detail: str = "", about: Mapping[str, Any] | None = None, *,
        deadline: float | None = None,
    ) -> None:  # fmt: skip
        """Ends the launch unless it has ended, and closes the event file; closing again does nothing."""
        with self.guarded():
            self.end(how, detail, about, deadline=deadline)
            if not self.off and self._writer.has_unwritten:
                self._finish(deadline)
        self.off = True
        self._rest()

    def end_at_exit(self, error: BaseException | None, deadline: float) -> None:
        """Closes the recording because the interpreter exits, with an exception or None."""
        self.close(*ending_of(error, self.completed_steps, without="closed"), deadline=deadline)

    def end_at_signal(self, name: str, deadline: float) -> None:
        """Writes what is recorded so far, because of a signal."""
        with self.guarded():
            self.end("signal", name, deadline=deadline)

    def _finish(self, deadline: float | None) -> None:
        """Writes everything and lets go of file and exit handlers, until training goes on."""
        seconds = DISK_WAIT if deadline is None else deadline - time.monotonic()
        is_written = self._writer.finish(seconds)
        self._tell_of_losses()
        if not is_written and seconds > 0:
            self._tell("unwritten", f"the disk has not taken all that was recorded within {DISK_WAIT:.0f} s")
        self._rest()

    def _rest(self) -> None:
        self._is_watched_over = False
        exit_handlers.let_go(self)

    # -- what is told once

    def _tell_of_losses(self, *, is_last: bool = False) -> None:
        """Records and tells what could not be written or measured, and tells what the sink has noticed."""
        notices = self._sink.notices
        while notices:
            self._tell(notices[0], notices.pop(0))
        losses = RecordingLosses(self._writer.dropped_rows, self._writer.dropped_maps, self.steps_left_out)
        if self._records.describe_losses(self.last_step, losses, is_last=is_last):
            self._diagnosis.outdate()
            self._tell("losses", f"{losses.sentence} Training goes on.")
        if self._process != os.getpid():
            self._tell("child", "a child process writes nothing to the recording of its parent; make another one in it")

    def _tell(self, about: str, text: str) -> None:
        if about not in self._told:
            self._told.add(about)
            warn(f"tb_weightwatch: {text}")
