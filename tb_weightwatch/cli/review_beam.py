"""A review as an Apache Beam pipeline, for fleets beyond one machine; imported on use, since Beam is an extra."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from ..reader import read_without_tensorflow
from .review_result import Done, Job
from .review_workers import judged

_LOCAL = ("direct", "prism", "fnapi", "interactive")  # runners whose workers see this machine's files


class DiagnoseFn(beam.DoFn):  # type: ignore[misc]
    """Reads and judges a run, as `weightwatch review` does without Beam; what can not be read is counted, never raised.

    Args:
        light: reads event files without TensorFlow.
    """

    def __init__(self, light: bool) -> None:
        self._light = light

    def setup(self) -> None:
        """Begins in a worker."""
        if self._light:
            read_without_tensorflow()

    def process(self, job: Sequence[Any]) -> Iterator[str]:
        """Yields what became of a run, as a line of JSON."""
        yield judged(Job(*job)).to_json()


def work(jobs: Sequence[Job], runner: str, options: Sequence[str], *, light: bool) -> list[Done]:
    """Runs the pipeline to its end and returns what became of each job.

    Args:
        jobs: the runs; their directories must be where the workers can read them.
        runner: Beam's name for it.
        options: Beam's own, as NAME=VALUE or NAME.
        light: reads event files without TensorFlow.

    Raises:
        ValueError: the runner or the options do not fit, or the pipeline failed.
    """
    flags = [f"--{option.removeprefix('--')}" for option in options]
    chosen = PipelineOptions([f"--runner={runner}", *flags])
    place = chosen.get_all_options().get("temp_location")
    if place is None and not runner.lower().startswith(_LOCAL):
        raise ValueError(
            f"{runner} runs elsewhere, so its answers need a place that both sides reach: --beam temp_location=gs://..."
        )
    with tempfile.TemporaryDirectory() as folder:
        where = FileSystems.join(place or folder, f"weightwatch-review-{abs(hash(folder)):x}")
        FileSystems.mkdirs(where)
        try:
            _run(jobs, chosen, where, light=light)
            return [Done.from_json(line) for line in _lines(where)]
        finally:
            FileSystems.delete([where])


def _run(jobs: Sequence[Job], options: PipelineOptions, where: str, *, light: bool) -> None:
    try:
        with beam.Pipeline(options=options) as pipeline:
            made = pipeline | "Runs" >> beam.Create([tuple(job) for job in jobs]) | beam.Reshuffle()
            lines = made | "Diagnose" >> beam.ParDo(DiagnoseFn(light))
            _ = lines | "Answers" >> beam.io.WriteToText(FileSystems.join(where, "answer"))
    except Exception as error:  # each runner has errors of its own
        raise ValueError(f"the Beam pipeline failed: {type(error).__name__}: {error}") from error


def _lines(where: str) -> Iterator[str]:
    (found,) = FileSystems.match([FileSystems.join(where, "answer*")])
    for one in found.metadata_list:
        with FileSystems.open(one.path) as file:
            yield from file.read().decode().splitlines()
