"""A finding that is new: what a function given as `on_verdict` gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ..verdict import Certainty, Diagnosis, Severity, Symptom, Verdict

Stop = Callable[[str, str], None]  # title of the alert, reason


def _ignore(title: str, reason: str) -> None:
    """Stops nothing: an alert that was made by hand belongs to no training."""


@dataclass(frozen=True)
class Alert:
    """A cause or a symptom that a training did not have before, or that has become more certain.

    Attributes:
        kind: "verdict" (a cause) or "symptom" (certainly wrong, whatever the cause).
        name: name of the rule or symptom ("learning-rate-too-small").
        code: code of the rule; 0 for a symptom.
        severity: "warning" or "error".
        certainty: "certain" or "likely".
        confirmed: whether an experiment has confirmed the cause.
        message: what is wrong, in one sentence with its numbers, without a full stop.
        fix: what to change; "" if that is not known.
        step: the last recorded step.
        run: folder of the run; "" if it is not known.
        diagnosis: the whole answer.
    """

    kind: Literal["verdict", "symptom"]
    name: str
    code: int
    severity: Severity
    certainty: Certainty
    confirmed: bool
    message: str
    fix: str
    step: int
    run: str
    diagnosis: Diagnosis = field(repr=False)
    _stop: Stop = field(default=_ignore, repr=False, compare=False)

    @property
    def title(self) -> str:
        """The cause by code and name, "502 learning-rate-too-small"; a symptom by its name."""
        return f"{self.code} {self.name}" if self.code else self.name

    def stop(self, reason: str = "") -> None:
        """Asks the training to end after this step: `fit` does, and `watch.should_stop` becomes True.

        Args:
            reason: is printed; "" for the message. The cause is recorded as what ended the training.
        """
        self._stop(self.title, reason or f"{self.title}: {self.message}")

    def __str__(self) -> str:
        """Returns message and fix, as a notification would have them."""
        fix = f" Fix: {self.fix}" if self.fix else ""
        return f"{self.title}, seen at step {self.step:,}: {self.message}.{fix}"


def new_alerts(diagnosis: Diagnosis, known: set[tuple[str, ...]], run: str, stop: Stop = _ignore) -> list[Alert]:
    """Returns the alerts for what a diagnosis has and earlier ones had not.

    Open verdicts and symptoms count, but not those that are information only. Consequences of a verdict are no alerts
    of their own. A symptom that comes with a verdict still is one.

    Args:
        diagnosis: the present one.
        known: keys of the alerts so far; those of the new ones are added.
        run: folder of the run.
        stop: what `Alert.stop` calls.
    """
    alerts = []
    findings: list[Verdict | Symptom] = [*diagnosis.verdicts, *diagnosis.symptoms]
    for finding in findings:
        alert = _alert(finding, diagnosis, run, stop)
        key = (alert.kind, alert.name, alert.certainty, str(alert.confirmed))
        if finding.severity != "info" and key not in known:
            known.add(key)
            alerts.append(alert)
    return alerts


def _alert(finding: Verdict | Symptom, diagnosis: Diagnosis, run: str, stop: Stop) -> Alert:
    if isinstance(finding, Symptom):
        return Alert("symptom", finding.name, 0, finding.severity, "certain", False, finding.message, "",
                     diagnosis.step, run, diagnosis, stop)  # fmt: skip
    return Alert("verdict", finding.name, finding.code, finding.severity, finding.certainty,
                 finding.outcome == "confirmed", finding.message, finding.fix, diagnosis.step, run, diagnosis,
                 stop)  # fmt: skip
