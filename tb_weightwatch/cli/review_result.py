"""The results of a review, and their JSON: `--format json` writes it, and Beam's workers send it back."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .. import answers
from ..diagnosis import catalogue
from ..reader import SkipCounts
from ..verdict import SEVERITIES, Diagnosis, diagnosis_headline, known_cause


class Job(NamedTuple):
    """A run to diagnose.

    Attributes:
        logdir: the log directory that was named on the command line.
        run: the run's name below it.
        directory: the run's directory.
        size: its size in bytes; 0 if unknown.
        follow_links: whether links that lead out of the log directory are followed.
    """

    logdir: str
    run: str
    directory: str
    size: int
    follow_links: bool = False

    @property
    def path(self) -> str:
        """The path of the run, as the log directory was named on the command line."""
        return self.logdir if self.run == "." else os.path.join(self.logdir, self.run)


@dataclass(frozen=True)
class LaunchResult:
    """A launch and its diagnosis.

    Attributes:
        logged: the diagnosis that the trainer logged and how it differs, as `answers.rejudged` gives it.
        source: where the numbers of a third-party log come from; {} for a log of ours.
        skipped: reason -> how many damaged records were skipped.
        incomplete: why rows are missing; "" if none are.
    """

    job: Job
    launch: str
    started: float
    state: str
    state_text: str
    diagnosis: Diagnosis
    logged: dict[str, Any] | None
    source: dict[str, Any]
    skipped: dict[str, int]
    incomplete: str

    @property
    def severity(self) -> str:
        """The worst severity of verdicts and symptoms, or "none"."""
        return answers.severity(self.diagnosis)

    def as_dict(self) -> dict[str, Any]:
        """Returns the launch's entry of `--format json`, which docs/schema/review-1.json describes."""
        return {
            "logdir": self.job.logdir,
            "run": self.job.run,
            "launch": self.launch,
            "started": self.started,
            "state": self.state,
            "state_text": self.state_text,
            "severity": self.severity,
            "skipped": self.skipped,
            "logged": self.logged,
            "source": self.source or None,
            "incomplete": self.incomplete,
            **self.diagnosis.as_dict(),
        }

    @classmethod
    def from_dict(cls, job: Job, data: dict[str, Any]) -> LaunchResult:
        """Returns the launch that `as_dict` described."""
        return cls(
            job=job,
            launch=data["launch"],
            started=data["started"],
            state=data["state"],
            state_text=data["state_text"],
            diagnosis=Diagnosis.from_dict({name: data[name] for name in Diagnosis.__dataclass_fields__}),
            logged=data["logged"],
            source=data["source"] or {},
            skipped=data["skipped"],
            incomplete=data["incomplete"],
        )


@dataclass
class JobResult:
    """The result of a job: the launches of its run, and the counts of what could not be read and belongs to none."""

    job: Job
    launches: list[LaunchResult] = field(default_factory=list)
    skipped: SkipCounts = field(default_factory=SkipCounts)

    def to_json(self) -> str:
        """Returns the result as one line."""
        launches = [launch.as_dict() for launch in self.launches]
        return json.dumps({"job": self.job, "skipped": self.skipped, "launches": launches}, allow_nan=False)

    @classmethod
    def from_json(cls, line: str) -> JobResult:
        """Returns the result that `to_json` wrote."""
        data = json.loads(line)
        job = Job(*data["job"])
        return cls(job, [LaunchResult.from_dict(job, x) for x in data["launches"]], SkipCounts(data["skipped"]))


@dataclass(frozen=True)
class Review:
    """All results of a review.

    Attributes:
        results: one for each run, in the order of the log directories and names.
        fail_on: lowest severity that counts as sick.
        readable: False if nothing could be read in one of the log directories.
        program: the program that trained, as the user named it; "" if the user did not.
    """

    results: Sequence[JobResult]
    fail_on: str
    readable: bool = True
    program: str = ""

    @property
    def launches(self) -> list[LaunchResult]:
        """All launches of all runs."""
        return [launch for result in self.results for launch in result.launches]

    @property
    def unreadable(self) -> list[JobResult]:
        """The runs of which nothing could be read."""
        return [result for result in self.results if result.skipped and not result.launches]

    def is_failure(self, launch: LaunchResult) -> bool:
        """Checks whether a launch has a finding that counts as sick."""
        severity = launch.severity
        return severity in SEVERITIES and SEVERITIES.index(severity) >= SEVERITIES.index(self.fail_on)

    @property
    def exit_code(self) -> int:
        """0 healthy or undecided, 1 sick, 2 unreadable log."""
        return int(any(map(self.is_failure, self.launches))) if self.readable else 2


def answer_line(diagnosis: Diagnosis) -> str:
    """Returns the headline, after code and name of the cause where it is known: "303 nonfinite-loss: ..."."""
    rules = catalogue()
    headline = diagnosis_headline(diagnosis, summary_of=lambda name: rules[name].summary if name in rules else "").text
    cause = known_cause(diagnosis)
    return f"{cause.code} {cause.name}: {headline}" if cause is not None else headline
