"""`weightwatch report`: the panel and its data as one HTML file."""

from __future__ import annotations

import argparse

from .. import report
from ..reader import Launch, SkipCounts, launches, runs
from .messages import check_writable, nothing_recorded
from .review_workers import avoid_tensorflow
from .terminal import fail, warn


def write(options: argparse.Namespace) -> int:
    """Writes the panel and its data to one HTML file, which opens in a browser without server or network."""
    check_writable(options.output)
    avoid_tensorflow([options.logdir], owns_process=options.owns_process)
    skipped, runs_read = SkipCounts(), dict[str, list[Launch]]()
    for run, directory in runs(options.logdir):
        run_launches = launches(directory, skipped, maps=True)
        if run_launches:
            runs_read[run] = run_launches
    if not runs_read:
        return fail(nothing_recorded(options.logdir, skipped))
    if skipped:
        warn(f"{options.logdir}: not all could be read: {skipped}")
    size = report.write(options.output, runs_read)
    count = f"{len(runs_read):,} run{'' if len(runs_read) == 1 else 's'}"
    print(f"{options.output}: {count}, {size / 1e6:.1f} MB; open it in a browser")
    return 0
