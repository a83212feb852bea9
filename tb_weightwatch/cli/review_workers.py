"""Reading and judging many runs: one after the other, or by as many processes as there are cores.

A process holds one run at a time and hands back its answer alone, so memory is bounded by the largest run.
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
from .review_result import Done, Job, LaunchResult

# Starting processes takes longer than judging so many bytes.
_FEW_BYTES = 6_000_000


def judged(job: Job) -> Done:
    """Reads and judges all launches of a run; what can not be read is counted, never raised."""
    done = Done(job)
    try:
        done.launches = [_reviewed(job, launch) for launch in launches(job.directory, done.skipped)]
    except Exception as error:  # a stranger's file: one of them must not end the review of all others
        done.skipped[f"can not be read: {type(error).__name__}: {error}"] += 1
    return done


def _reviewed(job: Job, launch: Launch) -> LaunchResult:
    history = launch.history
    diagnosis = answers.safe_diagnose(history)
    stands = answers.state(launch, time.time())
    foreign = history.facts.get("foreign")
    return LaunchResult(
        job,
        history.launch,
        history.started,
        stands.name,
        stands.text,
        diagnosis,
        answers.safe_symptoms(history),
        answers.rejudged(launch, diagnosis),
        foreign if isinstance(foreign, dict) else {},
        dict(launch.skipped),
        "" if history.complete else answers.incomplete(history),
    )


def processes(jobs: Sequence[Job], asked: int | None, *, alone: bool) -> int:
    """Returns how many processes are worth their start; `alone`: the interpreter is ours."""
    if asked is not None:
        return max(1, min(asked, len(jobs)))
    size = sum(job.size for job in jobs)
    remote = any("://" in job.directory for job in jobs)
    if not alone or (size < _FEW_BYTES and not remote):
        return 1
    return max(1, min(_cores(), len(jobs)))


def is_light(logdirs: Iterable[str], count: int, *, alone: bool) -> bool:
    """Says whether TensorFlow is left alone: it takes seconds to import, and its file reader is hardly quicker.

    That is decided in processes of ours only, and where the places do not need it.
    """
    ours = count > 1 or (alone and "tensorflow" not in sys.modules)
    return ours and all(map(_without_tensorflow, logdirs))


def jobs_of(logdir: str) -> list[Job]:
    """Returns the runs of a log directory.

    Raises:
        FileNotFoundError: there is no such directory.
    """
    return [Job(logdir, run, directory, size(directory)) for run, directory in runs(logdir)]


def start_light_if_alone(logdirs: Iterable[str], *, alone: bool) -> None:
    """Has all be read without TensorFlow where nobody else uses this process; before anything is looked at."""
    if is_light(logdirs, 1, alone=alone):
        read_without_tensorflow()


def _without_tensorflow(directory: str) -> bool:
    """Says whether a place is one for TensorBoard's own file system; of far ones TensorFlow alone may know gs://."""
    from importlib.util import find_spec

    kind, far, _ = directory.partition("://")
    if not far:
        return True
    reads = find_spec("boto3") if kind == "s3" else find_spec("fsspec")
    return reads is not None and (kind != "gs" or find_spec("tensorflow") is None)


def work(jobs: Sequence[Job], count: int, *, light: bool) -> Iterator[Done]:
    """Yields what became of each job, in the order in which they end."""
    if count == 1:  # in this process, which is light already if it may be
        yield from map(judged, jobs)
        return
    left = dict(enumerate(sorted(jobs, key=lambda job: -job.size)))
    with _pool(count, light) as pool:
        futures = {pool.submit(judged, job): place for place, job in left.items()}
        try:
            for future in as_completed(futures):
                try:
                    done = future.result()
                except BrokenProcessPool:
                    continue
                del left[futures[future]]
                yield done
        finally:  # whoever interrupts it does not want to wait for all that is still to be read
            pool.shutdown(wait=False, cancel_futures=True)
    for job in left.values():  # a file that ends a process, by its size perhaps: which one it is shows alone
        yield _apart(job, light)


def _apart(job: Job, light: bool) -> Done:
    try:
        with _pool(1, light) as pool:
            return pool.submit(judged, job).result()
    except BrokenProcessPool:
        return Done(job, [], SkipCounts({"can not be read: the process that read it died": 1}))


def _pool(count: int, light: bool) -> ProcessPoolExecutor:
    # Spawned, not forked: TensorFlow's threads do not survive a fork.
    return ProcessPoolExecutor(count, get_context("spawn"), _begin, (light,))


def _begin(light: bool) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if light:
        read_without_tensorflow()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def _end_with_parent() -> None:
    """Ends this process when the one that started it is killed: nobody would ever take what it reads."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _cores() -> int:
    found = getattr(os, "sched_getaffinity", None)
    return len(found(0)) if found else os.cpu_count() or 1
