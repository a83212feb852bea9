"""What a review hands back of a run, and the same as JSON: what `--json` prints and what a worker far away sends."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .. import answers
from ..diagnosis import Symptom
from ..reader import SkipCounts
from ..verdict import Diagnosis


class Job(NamedTuple):
    """A run to be judged: in which log directory, its name, where it is, its size in bytes (0: not known)."""

    logdir: str
    run: str
    directory: str
    size: int


@dataclass(frozen=True)
class LaunchResult:
    """A launch and its answer.

    Attributes:
        then: what the trainer logged, and how today's answer differs.
        foreign: where its numbers come from if nobody watched the training; {} else.
        incomplete: why rows are missing; "" if none are.
    """

    job: Job
    launch: str
    started: float
    state: str
    state_text: str
    diagnosis: Diagnosis
    symptoms: tuple[Symptom, ...]
    then: dict[str, Any] | None
    foreign: dict[str, Any]
    skipped: dict[str, int]
    incomplete: str

    @property
    def severity(self) -> str:
        """The worst severity of verdicts and symptoms, or "none"."""
        return answers.severity(self.diagnosis, self.symptoms)

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
            "symptoms": [{**s._asdict(), "variables": list(s.variables)} for s in self.symptoms],
            "then": self.then,
            "foreign": self.foreign or None,
            "incomplete": self.incomplete,
            **self.diagnosis.as_dict(),
        }

    @classmethod
    def from_dict(cls, job: Job, data: dict[str, Any]) -> LaunchResult:
        """Returns the launch that `as_dict` described."""
        told = {name: data[name] for name in Diagnosis.__dataclass_fields__}
        return cls(
            job,
            data["launch"],
            data["started"],
            data["state"],
            data["state_text"],
            Diagnosis.from_dict(told),
            tuple(Symptom(**{**s, "variables": tuple(s["variables"])}) for s in data["symptoms"]),
            data["then"],
            data["foreign"] or {},
            data["skipped"],
            data["incomplete"],
        )


@dataclass
class Done:
    """What became of a job: its launches, and what could not be read and belongs to none of them."""

    job: Job
    launches: list[LaunchResult] = field(default_factory=list)
    skipped: SkipCounts = field(default_factory=SkipCounts)

    def to_json(self) -> str:
        """Returns one line."""
        launches = [one.as_dict() for one in self.launches]
        return json.dumps({"job": self.job, "skipped": self.skipped, "launches": launches}, allow_nan=False)

    @classmethod
    def from_json(cls, line: str) -> Done:
        """Returns what `to_json` described."""
        data = json.loads(line)
        job = Job(*data["job"])
        return cls(job, [LaunchResult.from_dict(job, one) for one in data["launches"]], SkipCounts(data["skipped"]))
