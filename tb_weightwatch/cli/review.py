"""`weightwatch review`: every launch of every run, diagnosed."""

from __future__ import annotations

import argparse
import fnmatch
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ..notebook import start_problem
from ..reader import SkipCounts
from .formats import FORMATS
from .freed_memory import keep_freed_memory
from .messages import check_writable, no_such_run, nothing_recorded
from .review_result import Job, JobResult, Review
from .review_table import show
from .review_workers import avoid_tensorflow, can_avoid_tensorflow, diagnose_runs, jobs_of, process_count
from .terminal import fail, warn


def review(options: argparse.Namespace) -> int:
    """Diagnoses every run in the log directories, one training process (launch) at a time.

    Logs that other programs wrote (Keras' TensorBoard callback, tf.summary, PyTorch, the Hugging Face Trainer,
    Lightning, CSV, JSON Lines) are diagnosed too, as far as their curves allow.
    """
    written = _written(options.format, options.output)
    for output in written:
        if output.path:
            check_writable(output.path)
    avoid_tensorflow(options.logdir, owns_process=options.owns_process)
    logdirs = list(dict.fromkeys(options.logdir))
    refused = {logdir: SkipCounts() for logdir in logdirs}
    listed = [job for logdir in logdirs for job in jobs_of(logdir, refused[logdir], follow_links=options.follow_links)]
    jobs = selected(listed, options.run)
    if options.run and not jobs:
        return fail(no_such_run(options.run, logdirs))
    position = {job: index for index, job in enumerate(jobs)}
    results = list(_with_progress(_run_jobs(jobs, options), jobs, options))
    results.sort(key=lambda result: position[result.job])
    with_jobs = [logdir for logdir in logdirs if not options.run or any(job.logdir == logdir for job in jobs)]
    readable = [
        _report_unreadable(logdir, [r for r in results if r.job.logdir == logdir], refused[logdir])
        for logdir in with_jobs
    ]
    done = Review(results, options.fail_on, all(readable), options.program)
    for output in written:
        text = FORMATS[output.format](done)
        if output.path:
            Path(output.path).write_text(text, encoding="utf-8")
        else:
            print(text, end="")
    if done.launches and all(output.path for output in written):
        show(done.launches, details=options.details)
        if start_problem():  # who has seen the table opens the panel next
            warn(start_problem())
    return done.exit_code


class _Written(NamedTuple):
    """A format in which the review is written, and to which file; "" for the terminal."""

    format: str
    path: str


def _written(formats: Sequence[str], paths: Sequence[str]) -> list[_Written]:
    """Returns the formats with their files: the first --output belongs to the first --format, and so on.

    Raises:
        ValueError: there is a file without a format, or two formats without a file.
    """
    if len(paths) > len(formats):
        raise ValueError(f"--output {paths[len(formats)]} needs a --format: {', '.join(FORMATS)}")
    if len(formats) > len(paths) + 1:
        raise ValueError("only one --format can be printed; give the others an --output FILE each, in the same order")
    return [_Written(name, path) for name, path in zip(formats, [*paths, ""], strict=False)]


def selected(jobs: Sequence[Job], patterns: Sequence[str]) -> list[Job]:
    """Returns the runs whose name fits one of the patterns ("*", "?", "[ab]"), or all if there is none."""
    return [job for job in jobs if not patterns or any(fnmatch.fnmatchcase(job.run, pattern) for pattern in patterns)]


def _run_jobs(jobs: Sequence[Job], options: argparse.Namespace) -> Iterable[JobResult]:
    """Diagnoses the runs in this process, in several, or on Apache Beam."""
    if options.runner is None:
        if options.beam:
            raise ValueError("--beam sets options of a Beam pipeline, so it needs --runner NAME")
        count = process_count(jobs, options.jobs, owns_process=options.owns_process)
        without_tensorflow = can_avoid_tensorflow(options.logdir, count, owns_process=options.owns_process)
        if options.owns_process:
            keep_freed_memory()
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


def _report_unreadable(logdir: str, results: Sequence[JobResult], skipped: SkipCounts) -> bool:
    """Warns of what could not be read in a log directory. Returns False if nothing could.

    Args:
        logdir: the log directory.
        results: of its runs.
        skipped: what belongs to none of them.
    """
    for result in results:
        skipped.note_all(result.skipped)
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
