"""Reading and diagnosing many runs: one after the other in this process, or by one process per core.

A process holds one run at a time and sends back its result only, so memory is bounded by the largest run.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process

from .. import answers
from ..reader import Launch, SkipCounts, launches, read_without_tensorflow, runs, size
from .freed_memory import keep_freed_memory
from .review_result import Job, JobResult, LaunchResult

# Starting processes takes longer than diagnosing so many bytes.
_FEW_BYTES = 6_000_000


def diagnose_run(job: Job) -> JobResult:
    """Reads and diagnoses all launches of a run; what cannot be read is counted, never raised."""
    result = JobResult(job)
    try:
        links = True if job.follow_links else None
        run_launches = launches(job.directory, result.skipped, root=job.logdir, follow_links=links)
        result.launches = [_launch_result(job, launch) for launch in run_launches]
    except Exception as error:  # one damaged third-party file must not end the review of all others
        result.skipped.note(f"cannot be read: {type(error).__name__}: {error}")
    return result


def _launch_result(job: Job, launch: Launch) -> LaunchResult:
    history = launch.history
    diagnosis = answers.safe_diagnose(history)
    state = answers.state(launch, time.time())
    return LaunchResult(
        job=job,
        launch=history.launch,
        started=history.started,
        state=state.name,
        state_text=state.text,
        diagnosis=diagnosis,
        logged=answers.rejudged(launch, diagnosis),
        source=answers.source_facts(history),
        skipped=dict(launch.skipped),
        incomplete="" if history.complete else answers.incomplete(history),
    )


def jobs_of(logdir: str, skipped: SkipCounts | None = None, *, follow_links: bool = False) -> list[Job]:
    """Returns a job for each run of a log directory.

    Args:
        logdir: the log directory.
        skipped: gets the directories that are not read.
        follow_links: whether links that lead out of the log directory are followed.

    Raises:
        FileNotFoundError: there is no such directory.
    """
    listed = runs(logdir, skipped, follow_links=True if follow_links else None)
    return [Job(logdir, run, directory, size(directory), follow_links) for run, directory in listed]


def process_count(jobs: Sequence[Job], requested: int | None, *, owns_process: bool) -> int:
    """Returns how many processes to start: as requested, or as many as are worth their start.

    Args:
        jobs: the runs to diagnose.
        requested: by the user; None if the choice is ours.
        owns_process: whether this process runs our command only. Another program's process is not multiplied.
    """
    if requested is not None:
        return max(1, min(requested, len(jobs)))
    total = sum(job.size for job in jobs)
    remote = any("://" in job.directory for job in jobs)
    if not owns_process or (total < _FEW_BYTES and not remote):
        return 1
    return max(1, min(_cores(), len(jobs)))


# -- reading without TensorFlow


def avoid_tensorflow(logdirs: Iterable[str], *, owns_process: bool) -> None:
    """Makes this process read without TensorFlow where that is possible; to be called before anything is read."""
    if can_avoid_tensorflow(logdirs, 1, owns_process=owns_process):
        read_without_tensorflow()


def can_avoid_tensorflow(logdirs: Iterable[str], count: int, *, owns_process: bool) -> bool:
    """Checks whether `count` processes can read without TensorFlow.

    TensorFlow takes seconds to import, and its file reader is hardly faster. It is avoided in processes of ours only
    (a single one must not have imported it yet), and only if no log directory needs it.
    """
    ours = count > 1 or (owns_process and "tensorflow" not in sys.modules)
    return ours and not any(map(_needs_tensorflow, logdirs))


def _needs_tensorflow(directory: str) -> bool:
    """Checks whether TensorBoard's own file system cannot read a directory. For gs:// TensorFlow is preferred."""
    from importlib.util import find_spec

    protocol, separator, _ = directory.partition("://")
    if not separator:
        return False
    library = find_spec("boto3") if protocol == "s3" else find_spec("fsspec")
    return library is None or (protocol == "gs" and find_spec("tensorflow") is not None)


# -- processes


def diagnose_runs(jobs: Sequence[Job], count: int, *, without_tensorflow: bool) -> Iterator[JobResult]:
    """Yields the result of each job, in the order in which they end."""
    if count == 1:  # in this process, which `avoid_tensorflow` has prepared
        yield from map(diagnose_run, jobs)
        return
    waiting = dict(enumerate(sorted(jobs, key=lambda job: -job.size)))
    with _pool(count, without_tensorflow) as pool:
        futures = {pool.submit(diagnose_run, job): index for index, job in waiting.items()}
        try:
            for future in as_completed(futures):
                try:
                    result = future.result()
                except BrokenProcessPool:
                    continue
                del waiting[futures[future]]
                yield result
        finally:  # after an interrupt, do not wait for the jobs that have not started
            pool.shutdown(wait=False, cancel_futures=True)
    for job in waiting.values():  # a file killed a process, perhaps by its size: one process per job shows which
        yield _in_own_process(job, without_tensorflow)


def _in_own_process(job: Job, without_tensorflow: bool) -> JobResult:
    try:
        with _pool(1, without_tensorflow) as pool:
            return pool.submit(diagnose_run, job).result()
    except BrokenProcessPool:
        return JobResult(job, [], SkipCounts({"cannot be read: the process that read it died": 1}))


def _pool(count: int, without_tensorflow: bool) -> ProcessPoolExecutor:
    # Spawned, not forked: TensorFlow's threads do not survive a fork.
    return ProcessPoolExecutor(count, get_context("spawn"), _start, (without_tensorflow,))


def _start(without_tensorflow: bool) -> None:
    keep_freed_memory()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if without_tensorflow:
        read_without_tensorflow()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def _end_with_parent() -> None:
    """Ends this process when its parent is killed, since nobody would receive its results."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
