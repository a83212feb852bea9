"""The runs of a log directory while they train."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from ...reader import runs
from ..review import selected
from ..review_result import Job
from .followed_run import FollowedRun, LaunchRow

_SCAN_SHARE = 10  # looks for new runs may take a tenth of the time


class FollowedRuns:
    """The runs of a log directory, which may not exist yet.

    Args:
        logdir: the log directory.
        patterns: names of the runs to follow, as of `--run`; []: all.

    Attributes:
        missing: why the log directory cannot be looked at; "" if it can.
        unread: number of runs that no look had time for yet.
    """

    def __init__(self, logdir: str, patterns: Sequence[str] = ()) -> None:
        self.missing = ""
        self.unread = 0
        self._logdir = logdir
        self._patterns = patterns
        self._followed: dict[str, FollowedRun] = {}
        self._next_scan = 0.0

    def look(self, now: float, seconds: float = float("inf")) -> list[LaunchRow]:
        """Looks for new runs and new rows, and returns the rows of all launches by run, oldest first.

        Args:
            now: unix seconds.
            seconds: after this time no further run is read for the first time; the newest ones come first.
        """
        end = time.monotonic() + seconds
        self._scan()
        unread = [run for run in self._followed.values() if not run.was_read]
        for run in self._followed.values():
            if run.was_read:
                run.look(now)
        for run in sorted(unread, key=_started, reverse=True):
            run.look(now)
            if time.monotonic() > end:
                break
        self.unread = sum(not run.was_read for run in unread)
        return [row for _, run in sorted(self._followed.items()) for row in run.rows]

    def _scan(self) -> None:
        """Looks for new runs, at most so often that it takes a tenth of the time. Runs that vanish keep their rows."""
        began = time.monotonic()
        if began < self._next_scan:
            return
        try:
            jobs = [Job(self._logdir, run, directory, 0) for run, directory in runs(self._logdir)]
            self.missing = ""
        except OSError as error:
            jobs, self.missing = [], str(error)
        for job in selected(jobs, self._patterns):
            if job.run not in self._followed:
                self._followed[job.run] = FollowedRun(job)
        self._next_scan = time.monotonic() + _SCAN_SHARE * (time.monotonic() - began)


def _started(run: FollowedRun) -> float:
    """Returns about when the newest launch of a run started: its file was made then."""
    directories = (run.job.directory, os.path.join(run.job.directory, "weightwatch"))
    return max((os.path.getmtime(path) for path in directories if os.path.exists(path)), default=0.0)
