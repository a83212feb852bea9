"""`weightwatch watch`: runs in the terminal while they train."""

from __future__ import annotations

import argparse
import sys
import time

from ..review_workers import avoid_tensorflow
from .change_lines import ChangeLines
from .followed_runs import FollowedRuns
from .live_table import LiveTable

_FIRST_LOOK = 1.0  # seconds for which runs are read for the first time, before the picture is drawn again


def follow(options: argparse.Namespace) -> int:
    """Follows runs while they train: what step they are at, and what is wrong as soon as it shows.

    On a terminal it is a table that is redrawn, elsewhere a line for each change. New runs appear by themselves. Ctrl+C
    ends it.
    """
    avoid_tensorflow([options.logdir], owns_process=options.owns_process)
    runs = FollowedRuns(options.logdir, options.run)
    view = LiveTable() if sys.stdout.isatty() else ChangeLines()
    try:
        with view:
            while True:
                now = time.time()
                rows = runs.look(now) if options.once else runs.look(now, _FIRST_LOOK)
                if options.once and runs.missing:
                    raise FileNotFoundError(runs.missing)
                view.show(rows, now, runs.missing, runs.unread)
                ended = bool(rows) and not runs.unread and not any(row.state == "training" for row in rows)
                if options.once or (options.until_ended and ended):
                    return 0
                if not runs.unread:  # at least as long as the look took, so that half of the time is others'
                    time.sleep(max(options.interval, time.time() - now))
    except KeyboardInterrupt:
        return 0


__all__ = ["follow"]
