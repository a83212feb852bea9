"""`weightwatch review`: every launch of every run, judged."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence

from .. import answers
from ..reader import SkipCounts
from ..verdict import SEVERITIES
from . import junit
from .review_result import Done, Job, LaunchResult
from .review_table import show
from .review_workers import is_light, jobs_of, processes, start_light_if_alone, work
from .terminal import fail, warn


def review(options: argparse.Namespace) -> int:
    """Judges every launch of every run in the log directories, also of runs that tb_weightwatch did not record."""
    start_light_if_alone(options.logdir, alone=options.alone)
    jobs = {logdir: jobs_of(logdir) for logdir in options.logdir}
    every = [job for found in jobs.values() for job in found]
    place = {job: number for number, job in enumerate(every)}
    done = sorted(_watched(_ways(every, options), every, options), key=lambda one: place[one.job])
    found = [launch for one in done for launch in one.launches]
    empty = [logdir for logdir in jobs if not _tell(logdir, [one for one in done if one.job.logdir == logdir])]
    sick = [one for one in found if _counts(one, options.fail_on)]
    if options.junit:
        junit.write(options.junit, done, {id(one) for one in sick})
    if options.json:
        print(json.dumps([one.as_dict() for one in found], indent=1, allow_nan=False))
    elif found:
        show(found, details=options.details)
    return 2 if empty else int(bool(sick))


def _ways(jobs: Sequence[Job], options: argparse.Namespace) -> Iterable[Done]:
    if options.runner is None:
        if options.beam:
            raise ValueError("--beam sets options of a Beam pipeline, so it needs --runner NAME")
        count = processes(jobs, options.jobs, alone=options.alone)
        return work(jobs, count, light=is_light(options.logdir, count, alone=options.alone))
    try:
        from . import review_beam
    except ImportError as error:
        raise ValueError(
            f"--runner needs Apache Beam, which can not be imported here ({error}): pip install 'tb-weightwatch[beam]'"
        ) from None
    return review_beam.work(jobs, options.runner, options.beam, light=is_light(options.logdir, 1, alone=options.alone))


def _counts(one: LaunchResult, fail_on: str) -> bool:
    return one.severity in SEVERITIES and SEVERITIES.index(one.severity) >= SEVERITIES.index(fail_on)


def _watched(ways: Iterable[Done], jobs: Sequence[Job], options: argparse.Namespace) -> Iterator[Done]:
    """Shows how far the review is, where somebody watches and it takes a while."""
    if not (options.alone and sys.stderr.isatty()) or len(jobs) < 3:
        yield from ways
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("reading", total=sum(max(1, job.size) for job in jobs))
        for ended, one in enumerate(ways, 1):
            progress.update(bar, advance=max(1, one.job.size), description=f"{ended:,} of {len(jobs):,} runs")
            yield one


def _tell(logdir: str, done: Sequence[Done]) -> bool:
    """Says what could not be read; returns whether anything could."""
    skipped = SkipCounts()
    for one in done:
        skipped.update(one.skipped)
    if not any(one.launches for one in done):
        fail(f"{logdir}: nothing could be read: {skipped}" if skipped else f"{logdir}: {answers.HINT}")
        return False
    if skipped:
        warn(f"{logdir}: not all could be read: {skipped}")
    broken = [one.job.run for one in done if not one.launches and one.skipped]
    if broken:
        more = f" and {len(broken) - 10:,} more" if len(broken) > 10 else ""
        warn(f"{logdir}: {len(broken):,} of {len(done):,} runs could not be read: {', '.join(broken[:10])}{more}")
    return True
