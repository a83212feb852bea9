"""A review as an Apache Beam pipeline, for more runs than one machine can read.

It is imported on use, because Beam is an optional dependency.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from ..reader import read_without_tensorflow
from .review_result import Job, JobResult
from .review_workers import diagnose_run

_LOCAL = ("direct", "prism", "fnapi", "interactive")  # runners whose workers see this machine's files


class DiagnoseFn(beam.DoFn):  # type: ignore[misc]
    """Reads and diagnoses a run as `weightwatch review` does without Beam.

    Args:
        without_tensorflow: reads event files without TensorFlow.
    """

    def __init__(self, without_tensorflow: bool) -> None:
        self._without_tensorflow = without_tensorflow

    def setup(self) -> None:
        """Prepares a worker."""
        if self._without_tensorflow:
            read_without_tensorflow()

    def process(self, job: Sequence[Any]) -> Iterator[str]:
        """Yields the result of a job as a line of JSON."""
        yield diagnose_run(Job(*job)).to_json()


def diagnose_runs(
    jobs: Sequence[Job], runner: str, options: Sequence[str], *, without_tensorflow: bool
) -> list[JobResult]:
    """Runs the pipeline to its end and returns the result of each job.

    Args:
        jobs: the runs; the workers must be able to read their directories.
        runner: Beam's name of the runner.
        options: pipeline options, as NAME=VALUE or NAME.
        without_tensorflow: reads event files without TensorFlow.

    Raises:
        ValueError: the runner or the options do not fit, or the pipeline failed.
    """
    flags = [f"--{option.removeprefix('--')}" for option in options]
    pipeline_options = PipelineOptions([f"--runner={runner}", *flags])
    shared_folder = pipeline_options.get_all_options().get("temp_location")
    if shared_folder is None and not runner.lower().startswith(_LOCAL):
        raise ValueError(
            f"{runner} runs on other machines, so its results need a location that both can access: "
            "--beam temp_location=gs://..."
        )
    with tempfile.TemporaryDirectory() as local_folder:
        folder = FileSystems.join(shared_folder or local_folder, f"weightwatch-review-{abs(hash(local_folder)):x}")
        FileSystems.mkdirs(folder)
        try:
            _run(jobs, pipeline_options, folder, without_tensorflow)
            return [JobResult.from_json(line) for line in _lines(folder)]
        finally:
            FileSystems.delete([folder])


def _run(jobs: Sequence[Job], options: PipelineOptions, folder: str, without_tensorflow: bool) -> None:
    try:
        with beam.Pipeline(options=options) as pipeline:
            runs = pipeline | "Runs" >> beam.Create([tuple(job) for job in jobs]) | beam.Reshuffle()
            lines = runs | "Diagnose" >> beam.ParDo(DiagnoseFn(without_tensorflow))
            _ = lines | "Results" >> beam.io.WriteToText(FileSystems.join(folder, "result"))
    except Exception as error:  # each runner has its own types of errors
        raise ValueError(f"the Beam pipeline failed: {type(error).__name__}: {error}") from error


def _lines(folder: str) -> Iterator[str]:
    (match,) = FileSystems.match([FileSystems.join(folder, "result*")])
    for metadata in match.metadata_list:
        with FileSystems.open(metadata.path) as file:
            yield from file.read().decode().splitlines()
