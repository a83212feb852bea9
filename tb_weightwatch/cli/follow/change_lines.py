"""What changes in the followed runs, one line for each change: for files, pipes and logs of CI."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from types import TracebackType

from ...display import printable
from .followed_run import LaunchRow


class ChangeLines:
    """Prints a line for a launch when it appears, when its state or its answer changes, and at no other time."""

    def __init__(self) -> None:
        self._shown: dict[tuple[str, str], tuple[str, str, str]] = {}
        self._missing = ""

    def __enter__(self) -> ChangeLines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Has nothing to tidy up."""

    def show(self, rows: Sequence[LaunchRow], now: float, missing: str, unread: int = 0) -> None:
        """Prints what has changed since the last call; runs that were not read yet will come."""
        clock = time.strftime("%H:%M:%S", time.localtime(now))
        if missing != self._missing:
            self._missing = missing
            print(f"{clock}  {printable(missing)}; waiting for it" if missing else f"{clock}  log directory found")
        for row in rows:
            # A launch's identifier is shown from when its run has a second one, which is no change of the launch.
            key, seen = (row.run, f"{row.started}"), (row.state, row.status, row.answer)
            if self._shown.get(key) != seen:
                self._shown[key] = seen
                print(f"{clock}  {change_line(row)}", flush=True)


def change_line(row: LaunchRow) -> str:
    """Returns "run-1: training, at step 120, loss 0.53; SICK (gradient): 403 vanishing-gradient: ..."."""
    name = row.run + (f" ({row.launch})" if row.launch else "")
    loss = f", loss {row.loss}" if row.loss else ""
    link = f" ({row.link})" if row.link else ""
    if row.state == "unreadable":
        return printable(f"{name}: {row.state_text}")
    answer = re.sub(f"^{row.status.capitalize()}[:,] ", "", row.answer)
    return printable(f"{name}: {row.state_text}{loss}; {row.status.upper()}{link}: {answer}")
