"""`weightwatch review`: every launch of every run, diagnosed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence

from ..notebook import start_problem
from ..reader import SkipCounts
from ..verdict import SEVERITIES
from . import junit
from .messages import check_writable, nothing_recorded
from .review_result import Job, JobResult, LaunchResult
from .review_table import show
from .review_workers import avoid_tensorflow, can_avoid_tensorflow, diagnose_runs, jobs_of, process_count
from .terminal import fail, warn


def review(options: argparse.Namespace) -> int:
    """Diagnoses every run in the log directories, one training process (launch) at a time.

    Logs that other programs wrote (Keras' TensorBoard callback, tf.summary, PyTorch) are diagnosed too, as far as their
    curves allow.
    """
    if options.junit:
        check_writable(options.junit)
    avoid_tensorflow(options.logdir, owns_process=options.owns_process)
    logdirs = list(dict.fromkeys(options.logdir))
    jobs = [job for logdir in logdirs for job in jobs_of(logdir)]
    position = {job: index for index, job in enumerate(jobs)}
    results = list(_with_progress(_run_jobs(jobs, options), jobs, options))
    results.sort(key=lambda result: position[result.job])
    launches = [launch for result in results for launch in result.launches]
    readable = [_report_unreadable(logdir, [r for r in results if r.job.logdir == logdir]) for logdir in logdirs]
    failures = [launch for launch in launches if _is_failure(launch, options.fail_on)]
    if options.junit:
        junit.write(options.junit, results, {id(launch) for launch in failures})
    if options.json:
        print(json.dumps([launch.as_dict() for launch in launches], indent=1, allow_nan=False))
    elif launches:
        show(launches, details=options.details)
        if start_problem():  # who has seen the table opens the panel next
            warn(start_problem())
    return int(bool(failures)) if all(readable) else 2


def _run_jobs(jobs: Sequence[Job], options: argparse.Namespace) -> Iterable[JobResult]:
    """Diagnoses the runs in this process, in several, or on Apache Beam."""
    if options.runner is None:
        if options.beam:
            raise ValueError("--beam sets options of a Beam pipeline, so it needs --runner NAME")
        count = process_count(jobs, options.jobs, owns_process=options.owns_process)
        without_tensorflow = can_avoid_tensorflow(options.logdir, count, owns_process=options.owns_process)
        return diagnose_runs(jobs, count, without_tensorflow=without_tensorflow)
    try:
        from . import review_beam
    except ImportError as error:
        raise ValueError(
            f"--runner needs Apache Beam, which cannot be imported ({error}): pip install 'tb-weightwatch[beam]'"
        ) from None
    without_tensorflow = can_avoid_tensorflow(options.logdir, 1, owns_process=options.owns_process)
    return review_beam.diagnose_runs(jobs, options.runner, options.beam, without_tensorflow=without_tensorflow)


def _with_progress(
    results: Iterable[JobResult], jobs: Sequence[Job], options: argparse.Namespace
) -> Iterator[JobResult]:
    """Shows a progress bar on an interactive terminal if there are several runs."""
    if not (options.owns_process and sys.stderr.isatty()) or len(jobs) < 3:
        yield from results
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("reading", total=sum(max(1, job.size) for job in jobs))
        for count, result in enumerate(results, 1):
            progress.update(bar, advance=max(1, result.job.size), description=f"{count:,} of {len(jobs):,} runs")
            yield result


def _is_failure(launch: LaunchResult, fail_on: str) -> bool:
    return launch.severity in SEVERITIES and SEVERITIES.index(launch.severity) >= SEVERITIES.index(fail_on)


def _report_unreadable(logdir: str, results: Sequence[JobResult]) -> bool:
    """Warns of what could not be read in a log directory. Returns False if nothing could."""
    skipped = SkipCounts()
    for result in results:
        skipped.update(result.skipped)
    if not any(result.launches for result in results):
        fail(nothing_recorded(logdir, skipped))
        return False
    if skipped:
        warn(f"{logdir}: not all could be read: {skipped}")
    broken = [result.job.run for result in results if not result.launches and result.skipped]
    if broken:
        more = f" and {len(broken) - 10:,} more" if len(broken) > 10 else ""
        names = ", ".join(broken[:10])
        warn(f"{logdir}: {len(broken):,} of {len(results):,} runs could not be read: {names}{more}")
    return True
