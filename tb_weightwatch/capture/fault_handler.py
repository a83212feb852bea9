"""What happens if something fails in an entry point: callback, loop and summary writer have this in common."""

from __future__ import annotations

import os

from .observe.fault_guard import is_callers_mistake
from .recorder import Recorder
from .safe_warning import warn
from .schedule.bursts import ALWAYS_UNTIL


class FaultHandler:
    """Takes what fails in the entry points of an object that records: its recorder is switched off."""

    _recorder: Recorder

    def _on_fault(self, error: Exception) -> None:
        report_fault(self._recorder, error)


class CheckedCalls(FaultHandler):
    """Tells faults from errors that tell the caller of a wrong argument.

    The latter are raised in the first `ALWAYS_UNTIL` steps, all of which are checked. Later they are a warning, given
    once, since training may have cost much by then.
    """

    _step: int  # completed steps
    _mistake_told = False

    def _has_just_begun(self) -> bool:
        return self._step <= ALWAYS_UNTIL

    def _on_fault(self, error: Exception) -> None:
        if not is_callers_mistake(error):
            super()._on_fault(error)
        elif self._has_just_begun():
            raise error
        elif not self._mistake_told:
            self._mistake_told = True
            warn(f"{error} (step {self._step:,} is not recorded; training goes on)")


def report_fault(recorder: Recorder, error: BaseException) -> None:
    """Switches a recorder off; if that fails as well, one line says so and nothing is raised."""
    try:
        recorder.fail(error)
    except Exception as failure:
        if os.environ.get("TB_WEIGHTWATCH_STRICT") == "1":
            raise
        if not recorder.off:
            recorder.off = True
            warn(f"tb_weightwatch failed and has switched itself off; training goes on unrecorded ({error!r}, "
                 f"{failure!r})")  # fmt: skip
