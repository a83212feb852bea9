"""What happens when the recorder fails: recording stops, training goes on, and both are told."""

from __future__ import annotations

import contextlib
import os
import traceback

from ..history import History
from ..writer import EventWriter, QueuedSink
from .console_news import ConsoleNews
from .live_diagnosis import LiveDiagnosis
from .observe.fault_guard import FaultGuard
from .record_keeper import RecordKeeper
from .recording_fault import fault_reason
from .safe_warning import warn
from .training_progress import TrainingProgress

_WAIT = 5.0  # seconds for steps that are still being measured


class RecordingFailure(TrainingProgress):
    """What a Recorder does when something of it fails.

    Attributes:
        off: whether nothing is recorded (any more).
        begun: the last step that was to be recorded; a caller that counts completed steps sets it.
        failed_step: the first step that could not be measured; 0 if there is none.
    """

    history: History
    _sink: QueuedSink
    _writer: EventWriter
    _records: RecordKeeper
    _diagnosis: LiveDiagnosis
    _news: ConsoleNews

    def __init__(self, *, off: bool) -> None:
        super().__init__()
        self.off = off
        self.begun = self.failed_step = 0

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
                flush(_WAIT)
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
