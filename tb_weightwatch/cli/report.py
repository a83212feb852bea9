"""`weightwatch report`: the panel and its data as one HTML file."""

from __future__ import annotations

import argparse

from .. import answers, report
from ..reader import Launch, SkipCounts, launches, runs
from .review_workers import start_light_if_alone
from .terminal import fail, warn


def write(options: argparse.Namespace) -> int:
    """Writes one self-contained HTML file that shows the panel from disk, without a server and without network."""
    start_light_if_alone([options.logdir], alone=options.alone)
    skipped, found = SkipCounts(), dict[str, list[Launch]]()
    for run, directory in runs(options.logdir):
        read = launches(directory, skipped, maps=True)
        if read:
            found[run] = read
    if not found:
        return fail(f"{options.logdir}: {f'nothing could be read: {skipped}' if skipped else answers.HINT}")
    if skipped:
        warn(f"{options.logdir}: not all could be read: {skipped}")
    size = report.write(options.output, found)
    many = f"{len(found):,} run{'' if len(found) == 1 else 's'}"
    print(f"{options.output}: {many}, {size / 1e6:.1f} MB; open it in a browser")
    return 0
