"""The results of a review, and their JSON: `--json` prints it, and Beam's workers send it back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .. import answers
from ..reader import SkipCounts
from ..verdict import Diagnosis


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
        """Returns the launch's entry of `--json`."""
        return {
            "logdir": self.job.logdir,
            "run": self.job.run,
            "launch": self.launch,
            "started": self.started,
            "state": self.state,
            "state_text": self.state_text,
            "severity": self.severity,
            "skipped": self.skipped,
            "then": self.logged,
            "foreign": self.source or None,
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
            logged=data["then"],
            source=data["foreign"] or {},
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
