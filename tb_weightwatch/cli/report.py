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
    links = True if options.follow_links else None
    for run, directory in runs(options.logdir, skipped, follow_links=links):
        try:
            run_launches = launches(directory, skipped, maps=True, root=options.logdir, follow_links=links)
        except Exception as error:  # one damaged third-party file must not end the report of all others
            skipped.note(f"{run} cannot be read: {type(error).__name__}: {error}")
            continue
        if run_launches:
            runs_read[run] = run_launches
    if not runs_read:
        return fail(nothing_recorded(options.logdir, skipped))
    if skipped:
        warn(f"{options.logdir}: not all could be read: {skipped}")
    failed: dict[str, str] = {}
    size = report.write(options.output, runs_read, failed=failed)
    for run, reason in failed.items():
        warn(f"{run}: a launch cannot be reported: {reason}")
    count = f"{len(runs_read):,} run{'' if len(runs_read) == 1 else 's'}"
    print(f"{options.output}: {count}, {size / 1e6:.1f} MB; open it in a browser")
    return 0
