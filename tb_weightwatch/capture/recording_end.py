"""How a recording ends: with the training, at the exit of the program, by a signal."""

from __future__ import annotations

import contextlib
import os
import time
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from ..diagnosis import RecordingLosses
from ..task_thread import HANGS_AFTER
from ..verdict import Diagnosis
from ..writer import StandardSummaries
from . import exit_handlers
from .alerts import Alerts
from .observe.run_ending import ending_of
from .recording_failure import RecordingFailure
from .safe_warning import warn
from .schedule.budget import Budget

DISK_WAIT = exit_handlers.LONGEST_WAIT  # seconds that the end of a training waits for the disk


class RecordingEnd(RecordingFailure):
    """What a Recorder does when something ends.

    Attributes:
        summaries: writes what TensorBoard's own tabs show.
        steps_left_out: how many steps were to be recorded and were not measured, because measuring could not keep up.
    """

    summaries: StandardSummaries
    _budget: Budget
    alerts: Alerts

    def __init__(self, *, off: bool) -> None:
        super().__init__(off=off)
        self.steps_left_out = 0
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
        with self._budget.spent_once():  # training waits for it
            for flush in self._flush:
                flush(HANGS_AFTER if deadline is None else deadline - time.monotonic())
        self._budget.pause()
        if self._is_ended:
            self._rest()
            return
        self._records.describe_cost(self.last_step)
        with self._budget.spent_once():  # the next end knows of it
            self._describe_end(how, detail, about)
            self._finish(deadline)

    def _describe_end(self, how: str, detail: str, about: Mapping[str, Any] | None) -> None:
        """Adds the end to the records, and hands the last diagnosis to all who are to get it."""
        last = max(self.last_step, self.completed_steps)  # the last steps may not have been recorded
        self._records.describe(last, "end", {"how": how, "detail": detail, **(about or {})})
        self._ended_after = self.completed_steps
        self._tell_of_losses(is_last=True)
        self._diagnosis.outdate()
        self.summaries.end(how, self.diagnosis, self.completed_steps)
        self._publish(self.diagnosis, is_last=True)

    def close(
        self, how: str = "closed", detail: str = "", about: Mapping[str, Any] | None = None, *,
        deadline: float | None = None,
    ) -> None:  # fmt: skip
        """Ends the launch unless it has ended, and closes the event file; closing again does nothing."""
        with self.guarded():
            self.end(how, detail, about, deadline=deadline)
            if not self.off:
                is_new = self.summaries.end(how, self.diagnosis, self.completed_steps, is_last=True)
                if is_new or self._writer.has_unwritten:
                    self._finish(deadline)
        with self.guarded():
            self._rest()
        self.off = True

    def end_at_exit(self, error: BaseException | None, deadline: float) -> None:
        """Closes the recording because the interpreter exits, with an exception or None."""
        self.close(*ending_of(error, self.completed_steps, without="closed"), deadline=deadline)

    def end_at_signal(self, name: str, deadline: float) -> None:
        """Writes what is recorded so far, because of a signal."""
        with self.guarded():
            self.end("signal", name, deadline=deadline)

    def _publish(self, diagnosis: Diagnosis, *, is_last: bool = False) -> None:
        """Hands a diagnosis to all who are to get it: the file, the console, the user's function."""
        self._writer.judged(diagnosis)
        (self._news.end if is_last else self._news.update)(diagnosis)
        self.alerts.update(diagnosis, self.folder or "")

    def _finish(self, deadline: float | None) -> None:
        """Writes everything and lets go of file and exit handlers, until training goes on."""
        seconds = DISK_WAIT if deadline is None else deadline - time.monotonic()
        is_written = self._writer.finish(seconds)
        self._tell_of_losses()
        if not is_written and seconds > 0:
            self._tell("unwritten", f"after {DISK_WAIT:.0f} s the disk has not taken all that was recorded")
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
            self._tell("child", "a forked child writes nothing to its parent's recording; make a new recorder in it")

    def _tell(self, about: str, text: str) -> None:
        if about not in self._told:
            self._told.add(about)
            warn(f"tb_weightwatch: {text}")
